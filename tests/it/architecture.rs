//! The floors: imports go down only.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The parts of the crate and the floor each stands on; a part may use its own floor and those below.
const FLOORS: [(&str, u8); 14] = [
    ("domain", 0),
    ("negotiation", 1),
    ("wire", 1),
    ("store", 1),
    ("live", 2),
    ("register", 3),
    ("problem", 4),
    ("context", 4),
    ("transport", 5),
    ("http", 5),
    ("server", 5),
    ("routes", 6),
    ("app", 7),
    ("cli", 8),
];

/// Edges that go up, or sideways, each with its reason.
const EXCEPTIONS: [(&str, &str, &str); 1] = [(
    "app",
    "cli",
    "the configuration is read from the flags' text, which clap's derive defines",
)];

/// Who alone may name a crate or a module of one.
const OWNERS: [(&str, &[&str]); 4] = [
    ("sqlx", &["store"]),
    ("tokio::sync::watch", &["live", "server", "app"]),
    ("clap", &["cli"]),
    ("tokio::signal", &["app", "cli"]),
];

fn sources() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut found,
    );
    assert!(found.len() > 40, "the sources were found");
    found
}

/// The part a file belongs to; `None` for `main.rs` and `lib.rs`.
fn part(path: &Path) -> Option<String> {
    let relative = path
        .strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
        .expect("a source");
    let first = relative
        .components()
        .next()?
        .as_os_str()
        .to_str()?
        .trim_end_matches(".rs")
        .to_owned();
    (!matches!(first.as_str(), "main" | "lib")).then_some(first)
}

/// The lines of a file before its tests, without comments.
fn code(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).expect("a source");
    text.lines()
        .take_while(|line| line.trim() != "#[cfg(test)]")
        .map(str::trim)
        .filter(|line| !line.starts_with("//"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn imports_go_down_only() {
    let floors: BTreeMap<_, _> = FLOORS.into_iter().collect();
    let mut edges = 0;
    for path in sources() {
        let Some(from) = part(&path) else { continue };
        let here = *floors.get(from.as_str()).unwrap_or_else(|| {
            panic!("{from} has no floor: add it to FLOORS and to ARCHITECTURE.md")
        });
        for line in code(&path) {
            for (at, _) in line.match_indices("crate::") {
                let rest = &line[at + "crate::".len()..];
                let targets: Vec<String> = match rest.strip_prefix('{') {
                    Some(list) => list
                        .split(',')
                        .map(|item| {
                            item.trim()
                                .split(&[':', '}', ';'][..])
                                .next()
                                .unwrap_or_default()
                                .to_owned()
                        })
                        .collect(),
                    None => vec![
                        rest.chars()
                            .take_while(|c| c.is_alphanumeric() || *c == '_')
                            .collect(),
                    ],
                };
                for to in targets.iter().filter(|to| floors.contains_key(to.as_str())) {
                    edges += 1;
                    let excepted = EXCEPTIONS.iter().any(|(a, b, _)| *a == from && b == to);
                    let sideways = floors[to.as_str()] == here
                        && *to != from
                        && !matches!(
                            (from.as_str(), to.as_str()),
                            ("http" | "transport" | "server", "transport")
                                | ("problem" | "context", _)
                                | ("store", "wire")
                        );
                    assert!(
                        excepted || (floors[to.as_str()] <= here && !sideways),
                        "{}: {from} (floor {here}) must not use {to} (floor {})",
                        path.display(),
                        floors[to.as_str()]
                    );
                }
            }
        }
    }
    assert!(edges > 100, "the imports were found: {edges}");
}

#[test]
fn some_crates_have_one_owner() {
    for path in sources() {
        let Some(from) = part(&path) else { continue };
        for line in code(&path) {
            for (name, owners) in OWNERS {
                let named =
                    line.contains(&format!("{name}::")) || line.contains(&format!("use {name};"));
                assert!(
                    !named || owners.contains(&from.as_str()),
                    "{}: only {owners:?} may name {name}: {line}",
                    path.display()
                );
            }
        }
    }
}
