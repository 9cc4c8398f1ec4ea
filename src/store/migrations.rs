//! The schema of each database: the files of `migrations/`, inside the binary.
//!
//! sqlx's `migrate!` does the same, but its macro crate compiles SQLite and both drivers a second
//! time.

use std::sync::LazyLock;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// The migrations of both databases: the same names, without `.sql`, in one folder for each.
macro_rules! migrations {
    ($($file:literal,)+) => {
        pub(super) static SQLITE: LazyLock<Migrator> = LazyLock::new(|| {
            Migrator::with_migrations(vec![$(migration(
                $file,
                include_str!(concat!("../../migrations/sqlite/", $file, ".sql")),
            )),+])
        });
        pub(super) static POSTGRES: LazyLock<Migrator> = LazyLock::new(|| {
            Migrator::with_migrations(vec![$(migration(
                $file,
                include_str!(concat!("../../migrations/postgres/", $file, ".sql")),
            )),+])
        });
    };
}

migrations! {
    "0001_initial",
    "0002_when_and_where",
    "0003_groups",
    "0004_questions",
    "0005_by_hand",
    "0006_erase",
    "0007_outbox",
    "0008_mail",
    "0009_accounts",
    "0010_series",
    "0011_webhooks",
    "0012_proof_of_work",
    "0013_desk",
    "0014_confirmations",
    "0015_ticket_keys",
}

/// The newest migration that this program knows; both databases have the same.
pub(super) fn newest() -> i64 {
    SQLITE
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0)
}

/// The migrations of SQLite that this program knows, up to `newest`. Their numbers may have gaps.
pub(super) fn up_to(newest: i64) -> impl Iterator<Item = &'static Migration> {
    let known = SQLITE.iter();
    known.filter(move |migration| migration.version <= newest)
}

/// `0001_initial` is version 1, "initial".
fn migration(file: &'static str, sql: &'static str) -> Migration {
    let (version, description) = file.split_once('_').expect("NNNN_description");
    Migration::new(
        version.parse().expect("a number"),
        description.replace('_', " ").into(),
        MigrationType::Simple,
        sql.into_sql_str(),
        false,
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[tokio::test]
    async fn every_file_is_embedded_as_sqlx_reads_it() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        for (folder, embedded) in [("sqlite", &*SQLITE), ("postgres", &*POSTGRES)] {
            let files = Migrator::new(root.join(folder).as_path()).await.unwrap();
            let rows = |migrator: &Migrator| -> Vec<_> {
                let rows = migrator.iter().map(|migration| {
                    (
                        migration.version,
                        migration.description.clone(),
                        migration.checksum.clone(),
                        migration.no_tx,
                        migration.migration_type,
                    )
                });
                rows.collect()
            };
            assert_eq!(rows(embedded), rows(&files), "{folder}");
        }
    }
}
