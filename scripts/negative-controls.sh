#!/usr/bin/env bash
# Removes one guard after another and demands that the tests notice.
#
#   scripts/negative-controls.sh [name…]        all of tests/controls/, or those named
#
# Each control is a patch that removes one guard, with two lines on top: what the guard is, and which tests must fail without it.
# The script patches a copy under target/. A patch that no longer applies or compiles is a failure too: the guard has moved, and the
# patch must follow it. Exits with 0 when every control makes a test fail, and the tests pass without any patch.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
copy=$root/target/controls/tree
logs=$root/target/controls/logs
# A target directory of its own: a program without its guard must not stay in target/debug.
export CARGO_TARGET_DIR=$root/target/controls/build RUST_BACKTRACE=0
# A test without its guard may never end.
patience=${CONTROL_TIMEOUT:-300}
mkdir -p "$logs"

fresh_copy() {
    rm -rf "$copy" && mkdir -p "$copy"
    # Touched, so that Cargo sees what the control before has changed and this one has not.
    git ls-files --cached --others --exclude-standard -z | while IFS= read -r -d '' file; do
        [[ ! -e $file ]] || printf '%s\0' "$file"
    done | tar --create --null --files-from=- | tar --extract --touch --directory="$copy"
}

build() { (cd "$copy" && cargo test --quiet --test it --no-run) >"$logs/$1.build" 2>&1; }

# Runs the tests whose names contain any of the words.
run() {
    local name=$1 status=0
    shift
    (cd "$copy" && timeout "$patience" cargo test --test it -- "$@") >"$logs/$name" 2>&1 || status=$?
    return $status
}

missed_by() { sed -n 's/^test \(.*\) \.\.\. FAILED$/\1/p' "$logs/$1" | sort -u; }

names=("$@")
if [[ ${#names[@]} -eq 0 ]]; then
    for patch in tests/controls/*.patch; do names+=("$(basename "$patch" .patch)"); done
fi

failures=0
words=()
for name in "${names[@]}"; do
    read -ra more <<<"$(sed -n 's/^Run: //p' "tests/controls/$name.patch")"
    words+=("${more[@]}")
done

fresh_copy
build baseline || { echo "the tests do not compile; see $logs/baseline.build" >&2; exit 2; }
mapfile -t words < <(printf '%s\n' "${words[@]}" | sort -u)
run baseline "${words[@]}" || { echo "the tests are red with every guard in place; see $logs/baseline" >&2; exit 2; }

printf '| guard removed | its promise | tests | noticed by |\n|---|---|---|---|\n'
for name in "${names[@]}"; do
    patch=$root/tests/controls/$name.patch
    guard=$(sed -n 's/^Guard: //p' "$patch")
    read -ra words <<<"$(sed -n 's/^Run: //p' "$patch")"
    fresh_copy
    verdict=red
    if ! (cd "$copy" && patch --strip=1 --forward --batch --silent <"$patch") >"$logs/$name.patch" 2>&1; then
        verdict='DOES NOT APPLY'
    elif ! build "$name"; then
        verdict='DOES NOT COMPILE'
    elif run "$name" "${words[@]}"; then
        verdict=GREEN
    fi
    missed=$([[ $verdict != red ]] || missed_by "$name" | paste --serial --delimiters=' ')
    if [[ $verdict == red && -z $missed ]]; then
        # Something other than a test failed, such as the time limit.
        verdict='NO TEST FAILED'
    fi
    [[ $verdict == red ]] || failures=$((failures + 1))
    printf '| %s | %s | %s | %s |\n' "$name" "$guard" "$verdict" "$missed"
done
[[ $failures -eq 0 ]]
