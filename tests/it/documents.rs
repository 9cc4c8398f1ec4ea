//! Every file that a document names or links to exists.

use std::fs;
use std::path::{Path, PathBuf};

/// Where the paths begin that documents name in backticks.
const ROOTS: [&str; 8] = [
    "benches/",
    "deploy/",
    "docs/",
    "migrations/",
    "scripts/",
    "src/",
    "tests/",
    "web/",
];
/// Parts of a path that stands for many files.
const PLACEHOLDERS: [&str; 5] = ["<", "*", "{", "…", "NNNN"];

fn documents(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["", "docs", "docs/decisions"] {
        for entry in fs::read_dir(root.join(folder)).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found
}

/// A patch without its guard's text in the source would test nothing (`scripts/negative-controls.sh`).
#[test]
fn every_negative_control_still_applies() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut file, mut stale, mut hunks) = (String::new(), Vec::new(), 0);
    for entry in fs::read_dir(root.join("tests/controls")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let patch = fs::read_to_string(&path).expect("text");
        let mut old: Option<String> = None;
        // One more, to end the last hunk.
        for line in patch.lines().chain(["@@ end"]) {
            let starts = line.starts_with("@@") || line.starts_with("--- ");
            if starts && let Some(old) = old.take() {
                hunks += 1;
                if !file.contains(&old) {
                    stale.push(format!("{}: {old}", path.display()));
                }
            }
            if let Some(name) = line.strip_prefix("--- a/") {
                file = fs::read_to_string(root.join(name)).unwrap_or_default();
            } else if line.starts_with("@@") {
                old = Some(String::new());
            } else if let Some(old) = &mut old
                && let Some(kept) = line.strip_prefix([' ', '-'])
            {
                *old += kept;
                *old += "\n";
            }
        }
    }
    assert!(hunks > 20, "only {hunks} hunks were found");
    assert!(stale.is_empty(), "{stale:#?}");
}

/// The text without blocks of code.
fn prose(text: &str) -> String {
    let blocks = text.split("```");
    blocks.step_by(2).collect()
}

/// Paths in backticks, and relative links.
fn named(text: &str, folder: &Path, root: &Path) -> Vec<PathBuf> {
    let text = prose(text);
    let code = text.split('`').skip(1).step_by(2);
    let paths = code
        .filter(|code| ROOTS.iter().any(|start| code.starts_with(start)))
        .filter(|code| !PLACEHOLDERS.iter().any(|part| code.contains(part)))
        .filter_map(|code| code.split_whitespace().next())
        .map(|path| root.join(path.split("::").next().unwrap_or_default()));
    let links = text.split("](").skip(1);
    let links = links
        .filter_map(|rest| rest.split([')', '#']).next())
        .filter(|link| !link.is_empty() && !link.contains(':'))
        .map(|link| folder.join(link));
    paths.chain(links).collect()
}

#[test]
fn every_file_that_a_document_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut seen, mut missing) = (0, Vec::new());
    for document in documents(root) {
        let text = fs::read_to_string(&document).expect("a document");
        let folder = document.parent().expect("a folder");
        for path in named(&text, folder, root) {
            seen += 1;
            // `tests/it/architecture` may be a file of that module.
            if !path.exists() && !path.with_extension("rs").exists() {
                missing.push(format!("{}: {}", document.display(), path.display()));
            }
        }
    }
    assert!(seen > 100, "the documents were read: {seen}");
    assert!(missing.is_empty(), "{missing:#?}");
}
