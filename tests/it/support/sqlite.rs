//! A SQLite file in a directory of its own.

use headcount::store::DatabaseUrl;
use tempfile::TempDir;

/// A database file that is removed with this value.
#[derive(Debug)]
pub(crate) struct File {
    directory: TempDir,
}

impl File {
    /// A file that does not exist yet.
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.directory.path().join("headcount.db")
    }

    /// Its URL as text.
    pub(crate) fn text(&self) -> String {
        format!("sqlite://{}", self.path().display())
    }

    /// Its URL.
    pub(crate) fn url(&self) -> DatabaseUrl {
        self.text().parse().expect("a URL")
    }
}
