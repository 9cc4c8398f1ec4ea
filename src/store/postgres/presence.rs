//! Presence: how many people watch at each node. One row for each node, which expires after a few
//! seconds.

use std::collections::HashMap;

use sqlx::types::Json;
use sqlx::{query, query_scalar};

use super::super::StoreError;
use super::super::error::{ANSWER_TIMEOUT, bounded};
use super::Postgres;
use crate::domain::event::EventId;

/// An older report does not count: its node is gone, frozen or cut off. By the server's clock, the
/// only one that all nodes share.
macro_rules! fresh {
    () => {
        "interval '6 seconds'"
    };
}

const REPORT: &str = "\
    INSERT INTO watching (node, watchers, at) VALUES ($1, $2, clock_timestamp())
    ON CONFLICT (node) DO UPDATE SET watchers = excluded.watchers, at = excluded.at";
const FORGET: &str = "DELETE FROM watching WHERE node = $1";
/// Reading also deletes old rows. SKIP LOCKED: nodes that read at the same time must not wait for
/// each other.
const ELSEWHERE: &str = concat!(
    "WITH gone AS (
        DELETE FROM watching WHERE node IN (
            SELECT node FROM watching WHERE at < clock_timestamp() - interval '1 minute' FOR UPDATE SKIP LOCKED)
    )
    SELECT watchers FROM watching WHERE node <> $1 AND at > clock_timestamp() - ",
    fresh!()
);

impl Postgres {
    pub(in super::super) async fn report_watching(
        &self,
        node: &str,
        watchers: &HashMap<EventId, u64>,
    ) -> Result<(), StoreError> {
        let report = if watchers.is_empty() {
            query(FORGET).bind(node)
        } else {
            query(REPORT).bind(node).bind(Json(watchers))
        };
        bounded(ANSWER_TIMEOUT, report.execute(self.readers.short()))
            .await
            .map(drop)
    }

    pub(in super::super) async fn watching_elsewhere(
        &self,
        node: &str,
    ) -> Result<HashMap<EventId, u64>, StoreError> {
        let reports: Vec<Json<HashMap<EventId, u64>>> = bounded(
            ANSWER_TIMEOUT,
            query_scalar(ELSEWHERE)
                .bind(node)
                .fetch_all(self.readers.short()),
        )
        .await?;
        let mut sum = HashMap::new();
        for (event, watchers) in reports.into_iter().flat_map(|Json(report)| report) {
            *sum.entry(event).or_default() += watchers;
        }
        Ok(sum)
    }
}
