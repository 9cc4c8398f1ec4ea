//! The floors: imports go down only, and each crate has one owner. Tests of the crate may use
//! anything.

mod source;

use std::collections::BTreeSet;
use std::path::Path;

use source::{Named, Target, crate_paths, parse, sources};

/// The parts of the crate and the floor each stands on. A part uses its own modules and those of
/// lower floors.
const FLOORS: [(&str, u8); 18] = [
    ("domain", 0),
    ("trace", 0),
    ("negotiation", 1),
    ("wire", 1),
    ("store", 1),
    ("live", 2),
    ("text", 2),
    ("write_path", 3),
    ("outbox", 3),
    ("stats", 3),
    ("problem", 4),
    ("context", 4),
    ("transport", 5),
    ("http", 5),
    ("server", 5),
    ("routes", 6),
    ("app", 7),
    ("cli", 8),
];

/// Edges that go up, or to another part of the same floor, each with its reason.
const EXCEPTIONS: [(&str, &str, &str); 3] = [
    (
        "app",
        "cli",
        "clap's derive defines the flags from which the configuration is read",
    ),
    (
        "http",
        "transport",
        "pages and the API link to the transports and share their parsing",
    ),
    (
        "server",
        "transport",
        "the server acts on what a transport leaves in its response",
    ),
];

/// Crates that every floor may use: they are types and macros, not a capability of one part.
const VOCABULARY: [&str; 14] = [
    // The allocator: main.rs alone names it.
    "mimalloc",
    "bytes",
    "futures_util",
    "http",
    "http_body",
    "http_body_util",
    "serde",
    "serde_json",
    "thiserror",
    "tokio",
    "tokio_stream",
    "tracing",
    "url",
    "metrics",
];

/// Every other crate, and parts of one, with the only modules that may name it.
const OWNERS: &[(&str, &[&str])] = &[
    ("sqlx", &["store"]),
    ("clap", &["cli"]),
    ("tokio::signal", &["app", "cli"]),
    ("tokio::sync::watch", &["live", "server", "app", "outbox"]),
    (
        "warp",
        &[
            "negotiation",
            "problem",
            "context",
            "http",
            "transport",
            "routes",
            "app",
        ],
    ),
    ("hyper", &["outbox", "server", "transport", "app", "cli"]),
    (
        "hyper_util",
        &["outbox", "server", "transport", "app", "cli"],
    ),
    ("h2", &["server"]),
    ("socket2", &["server"]),
    ("pin_project_lite", &["server"]),
    ("tower_service", &["server", "transport"]),
    ("tower_layer", &["transport", "app"]),
    (
        "tokio_rustls",
        &["outbox", "server", "transport", "app", "cli"],
    ),
    ("ring", &["server"]),
    ("wtransport", &["wire", "transport", "cli"]),
    ("nix", &["transport"]),
    ("rustls_platform_verifier", &["outbox", "app::otlp", "cli"]),
    ("tracing_opentelemetry", &["trace::span", "app::otlp"]),
    ("opentelemetry", &["trace::span", "app::otlp"]),
    ("opentelemetry_sdk", &["app::otlp"]),
    ("opentelemetry_otlp", &["app::otlp"]),
    ("opentelemetry_http", &["app::otlp"]),
    ("hyper_rustls", &["app::otlp"]),
    // The receiver of the tests.
    ("opentelemetry_proto", &[]),
    ("prost", &[]),
    ("x509_parser", &["app::acme", "cli::doctor"]),
    ("instant_acme", &["app::acme"]),
    ("rcgen", &["app::acme", "transport"]),
    ("listenfd", &["app", "cli::serve"]),
    ("basic_toml", &["cli::layers"]),
    ("clap_complete", &["cli::completions"]),
    ("clap_mangen", &["cli::manual"]),
    ("lettre", &["outbox"]),
    ("ipnet", &["outbox", "server", "app"]),
    ("rustix", &["store", "server", "cli"]),
    ("tokio_tungstenite", &["wire", "transport", "cli"]),
    ("askama", &["http", "outbox"]),
    ("fluent_templates", &["text"]),
    ("rust_embed", &["http"]),
    ("utoipa", &["http"]),
    ("serde_urlencoded", &["http", "transport"]),
    ("csv", &["http"]),
    ("flate2", &["http"]),
    ("multer", &["http"]),
    ("png", &["http"]),
    ("qrcode", &["http"]),
    ("icalendar", &["wire"]),
    ("argon2", &["http"]),
    ("sha2", &["http", "store", "outbox", "transport"]),
    ("hmac", &["http", "outbox"]),
    ("base64", &["http", "outbox"]),
    ("subtle", &["domain", "http"]),
    (
        "rand",
        &[
            "domain",
            "trace",
            "live",
            "outbox",
            "transport",
            "http",
            "cli",
        ],
    ),
    ("jiff", &["domain", "cli"]),
    ("foldhash", &["domain"]),
    ("icu_properties", &["domain"]),
    ("idna", &["domain"]),
    ("unicode_width", &["cli::organise"]),
    ("unicode_normalization", &["domain", "http"]),
    ("percent_encoding", &["domain", "outbox", "http"]),
    ("governor", &["context"]),
    ("metrics_exporter_prometheus", &["app"]),
    ("tracing_subscriber", &["app"]),
    ("humantime", &["app", "cli"]),
    ("sse_stream", &["app", "cli"]),
    ("indicatif", &["cli"]),
    ("hdrhistogram", &["cli"]),
    ("plotters", &["cli"]),
];

fn name(path: &[String]) -> String {
    path.join("::")
}

/// The part of the crate that a path leads to.
fn floor(part: &str) -> Option<u8> {
    FLOORS
        .iter()
        .find(|(name, _)| *name == part)
        .map(|(_, floor)| *floor)
}

/// Why this path must not be named here.
fn climbs(named: &Named) -> Option<String> {
    let Target::Inside(to) = &named.target else {
        return None;
    };
    let (from, to) = (named.from.first()?, to.first()?);
    // A macro or type at the crate's root has no floor.
    let (here, there) = (floor(from)?, floor(to)?);
    let excepted = EXCEPTIONS.iter().any(|(a, b, _)| a == from && b == to);
    (from != to && there >= here && !excepted).then(|| {
        format!(
            "{}: {from} (floor {here}) must not use {to} (floor {there})",
            named.place()
        )
    })
}

/// Whether `path` is `prefix` or below it.
fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn trespasses(named: &Named, owners: &[(&str, &[&str])]) -> Option<String> {
    let Target::Outside(path) = &named.target else {
        return None;
    };
    let (path, from) = (name(path), name(&named.from));
    let (owned, owners) = owners.iter().find(|(owned, _)| is_below(&path, owned))?;
    (!owners.iter().any(|owner| is_below(&from, owner))).then(|| {
        format!(
            "{}: {owned} belongs to {}: {path}",
            named.place(),
            owners.join(", ")
        )
    })
}

/// The crates under `[dependencies]`.
fn dependencies() -> BTreeSet<String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let manifest = std::fs::read_to_string(manifest).expect("the manifest");
    // Those of one system count as well; those of tests do not.
    let sections = manifest.split("\n[").filter(|section| {
        let head = section.split("]\n").next().unwrap_or_default();
        head == "dependencies" || (head.starts_with("target.") && head.ends_with(".dependencies"))
    });
    let lines = sections.flat_map(|section| section.lines().skip(1));
    let names = lines.filter_map(|line| line.split_once(" = "));
    names
        .filter(|(name, _)| !name.starts_with('#'))
        .map(|(name, _)| name.replace('-', "_"))
        .collect()
}

#[test]
fn every_part_has_a_floor() {
    let lib = Path::new("src/lib.rs");
    let source = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(lib));
    let (_, parts) = parse(lib, &[], &source.expect("the crate's root"));
    let parts: BTreeSet<_> = parts.iter().map(String::as_str).collect();
    assert_eq!(
        parts,
        FLOORS.iter().map(|(part, _)| *part).collect(),
        "the parts in FLOORS"
    );
}

#[test]
fn imports_go_down_only() {
    let named = crate_paths();
    let inside = |named: &&Named| matches!(named.target, Target::Inside(_));
    assert!(
        named.iter().filter(inside).count() > 500,
        "the imports were found"
    );
    let wrong: BTreeSet<_> = named.iter().filter_map(climbs).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (from, to, reason) in EXCEPTIONS {
        let used = named.iter().any(|named| {
            let Target::Inside(path) = &named.target else {
                return false;
            };
            named.from.first().is_some_and(|part| part == from)
                && path.first().is_some_and(|part| part == to)
        });
        assert!(used, "no longer needed: {from} -> {to} ({reason})");
    }
}

#[test]
fn each_crate_has_one_owner() {
    let named = crate_paths();
    let wrong: BTreeSet<_> = named
        .iter()
        .filter_map(|named| trespasses(named, OWNERS))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (owned, owners) in OWNERS {
        for owner in *owners {
            let used = named.iter().any(|named| match &named.target {
                Target::Outside(path) => {
                    is_below(&name(path), owned) && is_below(&name(&named.from), owner)
                }
                Target::Inside(_) => false,
            });
            assert!(used, "{owner} does not use {owned}: remove it from OWNERS");
        }
    }
}

/// A node's own clock may be wrong: whatever it compares or writes has the clock that the start
/// gives it, which is corrected. Commands have no database to correct it by.
#[test]
fn only_the_start_reads_the_systems_clock() {
    for (file, source) in sources() {
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        let may = file.starts_with("src/cli") || file == Path::new("src/app/mod.rs");
        assert!(
            may || !source.contains("Clock::System"),
            "{}: take the clock from the context",
            file.display()
        );
    }
}

/// A module with modules of its own is a folder with `mod.rs`, never a file beside a folder.
#[test]
fn a_module_with_children_is_a_folder() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut folders, mut wrong) = (vec![root.join("src"), root.join("tests")], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                if path.with_extension("rs").exists() {
                    wrong.push(path.with_extension("rs"));
                }
                folders.push(path);
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "move each to mod.rs in its folder: {wrong:#?}"
    );
}

#[test]
fn every_dependency_is_in_a_table() {
    let owned = OWNERS
        .iter()
        .map(|(name, _)| name.split("::").next().unwrap_or_default());
    let listed: BTreeSet<_> = owned.chain(VOCABULARY).map(str::to_owned).collect();
    let known = dependencies();
    let missing: BTreeSet<_> = known.difference(&listed).collect();
    assert!(missing.is_empty(), "no owner in OWNERS: {missing:?}");
    let gone: BTreeSet<_> = listed.difference(&known).collect();
    assert!(gone.is_empty(), "no dependency any more: {gone:?}");
}

/// Tests the test: the paths that it must find, each with its line.
#[test]
fn hidden_paths_are_found() {
    let source = r#"
use std::fmt;
use super::super::{
    domain::event,
    write_path::{Queue, queue as q},
};
#[cfg(test)]
use crate::cli::Cli;

#[cfg(test)]
mod tests {
    use crate::app::App;
}

fn late() -> crate::routes::Routes {
    tracing::info!("{}", crate::http::given(1, [server::x(), sqlx::query()]));
    use warp::http;
    http::StatusCode::OK
}
"#;
    let module = ["live".to_owned(), "hub".to_owned()];
    let (named, modules) = parse(Path::new("src/live/hub.rs"), &module, source);
    assert_eq!(modules, Vec::<String>::new());
    let seen: BTreeSet<_> = named
        .iter()
        .map(|named| match &named.target {
            Target::Inside(path) => (named.line, format!("crate::{}", name(path))),
            Target::Outside(path) => (named.line, name(path)),
        })
        .collect();
    let expected = [
        (2, "std::fmt"),
        (4, "crate::domain::event"),
        (5, "crate::write_path::Queue"),
        (5, "crate::write_path::queue"),
        (15, "crate::routes::Routes"),
        (16, "tracing::info"),
        (16, "crate::http::given"),
        (16, "server::x"),
        (16, "sqlx::query"),
        (17, "warp::http"),
    ];
    assert_eq!(
        seen,
        expected.map(|(line, path)| (line, path.to_owned())).into()
    );
    let wrong: Vec<_> = named.iter().filter_map(climbs).collect();
    assert_eq!(wrong.len(), 4, "{wrong:#?}");
    assert!(
        wrong.contains(
            &"src/live/hub.rs:15: live (floor 2) must not use routes (floor 6)".to_owned()
        ),
        "{wrong:#?}"
    );
    let owners: &[(&str, &[&str])] = &[("sqlx", &["store"]), ("warp", &["live"])];
    let wrong: Vec<_> = named
        .iter()
        .filter_map(|named| trespasses(named, owners))
        .collect();
    assert_eq!(
        wrong,
        ["src/live/hub.rs:16: sqlx belongs to store: sqlx::query"]
    );
}
