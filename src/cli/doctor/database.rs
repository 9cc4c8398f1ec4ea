//! The database and its schema.

use std::time::Duration;

use super::finding::Finding;
use crate::app::config::Config;
use crate::store::inspect::{Inspection, Schema, inspect};

/// A statement that takes longer makes every commit slow: a batch has several.
const SLOW: Duration = Duration::from_millis(20);

/// What was found; without an inspection the database cannot be reached.
pub(super) async fn examine(config: &Config) -> (Vec<Finding>, Option<Inspection>) {
    let url = &config.database;
    let inspection = match inspect(url).await {
        Ok(inspection) => inspection,
        Err(error) => {
            return (
                vec![Finding::fault("database", format!("{url}: {error}"))],
                None,
            );
        }
    };
    let database = database(&url.to_string(), &inspection);
    let schema = match inspection.schema {
        Schema::Empty => Finding::ok("schema", "none yet; the first start creates it"),
        Schema::Current(newest) => {
            Finding::ok("schema", format!("migration {newest}, this version's"))
        }
        Schema::Older(newest) => Finding::warning(
            "schema",
            format!(
                "migration {newest} of an older version; the next start migrates it, so make a backup first"
            ),
        ),
        Schema::Newer(newest) => Finding::fault(
            "schema",
            format!(
                "migration {newest} of a newer version of this program; start that version, or restore a backup made before it"
            ),
        ),
    };
    (vec![database, schema], Some(inspection))
}

fn database(url: &str, inspection: &Inspection) -> Finding {
    const NAME: &str = "database";
    if !inspection.faults.is_empty() {
        return Finding::fault(NAME, format!("{url}: {}", inspection.faults.join("; ")));
    }
    match inspection.round_trip {
        None => Finding::ok(
            NAME,
            format!("{url} does not exist yet; the first start creates it"),
        ),
        Some(took) if took > SLOW => Finding::warning(
            NAME,
            format!(
                "{url}: a statement takes {took:.1?}; use a server that is nearer or has less to do"
            ),
        ),
        Some(took) => Finding::ok(NAME, format!("{url} answers in {took:.1?}")),
    }
}
