# What a contributor runs every day. `just` lists it; each recipe is one command that works without just as well.

_default:
    @just --list --unsorted

# Serve http://127.0.0.1:8080/ from the working tree
run *arguments:
    cargo run -- {{arguments}}

# Install what is missing and run every test
test *arguments:
    scripts/test {{arguments}}

# Everything that a change must pass, tests included
check:
    .ci/run

# Format Rust, style sheets, scripts and templates
format:
    cargo fmt --all
    npm run --silent format

# Measure registering: registrations a second, by the number of connections
bench:
    cargo bench --bench registering
