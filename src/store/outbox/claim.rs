//! Claims rows that are due, under a lease and within the budgets.

use std::collections::HashMap;

use sqlx::{query, query_as, query_scalar};

use super::super::error::{ANSWER_TIMEOUT, COMMIT_TIMEOUT, bounded};
use super::super::queries::read;
use super::super::transaction::{Connection, Transaction as _};
use super::super::writes::in_transaction;
use super::super::{Store, StoreError, rows};
use crate::domain::clock::Timestamp;
use crate::domain::event::EventId;
use crate::domain::outbox::{Channel, HOLDS_UP, Row};

/// How long the budgets look back.
const HOUR_MS: i64 = 60 * 60 * 1_000;
/// Claims of all nodes follow each other, so that they share the budgets. Any number that nothing
/// else locks.
const TURN: i64 = 0x6f75_7462_6f78;
const TAKE_TURN: &str = "SELECT pg_advisory_xact_lock($1)";

/// The lanes with a row of channel $1 that waits. It steps from lane to lane through the index, and
/// does not read every row.
macro_rules! lanes {
    () => {
        "WITH RECURSIVE lanes (lane) AS (
            SELECT min(lane) FROM outbox WHERE channel = $1 AND state = 'waiting'
            UNION ALL
            SELECT (SELECT min(o.lane) FROM outbox o
                WHERE o.channel = $1 AND o.state = 'waiting' AND o.lane > lanes.lane)
            FROM lanes WHERE lanes.lane IS NOT NULL
        )"
    };
}
/// Those of them with a row that is due at $2.
const DUE_LANES: &str = concat!(
    lanes!(),
    " SELECT lane FROM lanes WHERE lane IS NOT NULL AND EXISTS (SELECT 1 FROM outbox d
        WHERE d.channel = $1 AND d.state = 'waiting' AND d.lane = lanes.lane AND d.due_at <= $2)
    ORDER BY lane"
);
/// How many mails each lane has sent or was refused since $1, or may be sending at $2.
const USED: &str = "\
    SELECT lane, CAST(sum(mails) AS BIGINT) FROM (
        SELECT lane, count(*) AS mails FROM outbox
        WHERE finished_at IS NOT NULL AND finished_at > $1 AND state IN ('sent', 'failed')
            AND channel = 'mail' AND kind <> 'test'
        GROUP BY lane
        UNION ALL
        SELECT lane, count(*) AS mails FROM outbox
        WHERE state = 'waiting' AND leased_until > 0 AND leased_until > $2 AND channel = 'mail'
            AND kind <> 'test'
        GROUP BY lane
    ) AS used GROUP BY lane";
/// A row waits for the earlier rows of the same recipient that are due or were tried, but not for one
/// that has failed $7 times, unless it is being sent.
macro_rules! claim {
    ($lock:literal) => {
        concat!(
            "UPDATE outbox
            SET leased_until = $4, leased_by = $5, attempts = attempts + 1,
                attempted_at = coalesce(attempted_at, $3)
            WHERE id IN (
                SELECT id FROM outbox o
                WHERE o.channel = $1 AND o.state = 'waiting' AND o.lane = $2 AND o.due_at <= $3
                    AND o.leased_until <= $3
                    AND NOT EXISTS (SELECT 1 FROM outbox e
                        WHERE e.recipient = o.recipient AND e.state = 'waiting' AND e.id < o.id
                            AND (e.due_at <= $3 OR e.attempts > 0)
                            AND (e.attempts < $7 OR e.leased_until > $3))
                ORDER BY o.due_at, o.id LIMIT $6",
            $lock,
            ") RETURNING ",
            $crate::store::rows::outbox_columns!()
        )
    };
}
const CLAIM_SQLITE: &str = claim!("");
const CLAIM_POSTGRES: &str = claim!(" FOR UPDATE SKIP LOCKED");
const RENEW: &str = "\
    UPDATE outbox SET leased_until = $2
    WHERE state = 'waiting' AND leased_until > 0 AND leased_by = $1 AND channel = $3";
const RELEASE_ALL: &str =
    "UPDATE outbox SET leased_until = 0 WHERE state = 'waiting' AND leased_until > 0";

/// How many mails may be sent in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// About one event.
    pub per_event: u32,
    /// All together.
    pub total: u32,
}

/// What a worker wants to claim.
#[derive(Debug, Clone, Copy)]
pub struct Want<'a> {
    /// Rows of this channel.
    pub channel: Channel,
    /// The node, by a name that it has drawn.
    pub owner: &'a str,
    /// The present moment.
    pub now: Timestamp,
    /// When the lease expires.
    pub until: Timestamp,
    /// The most rows.
    pub limit: u32,
    /// `None` for no limit.
    pub budget: Option<Budget>,
    /// `None` for no limit.
    pub per_lane: Option<PerLane<'a>>,
}

/// A limit of what one lane may have under way on this node.
#[derive(Debug, Clone, Copy)]
pub struct PerLane<'a> {
    /// The most rows.
    pub most: u32,
    /// What each lane has under way.
    pub under_way: &'a HashMap<i64, u32>,
}

impl PerLane<'_> {
    fn room(&self, lane: i64) -> i64 {
        let under_way = self.under_way.get(&lane).copied().unwrap_or(0);
        self.most.saturating_sub(under_way).into()
    }
}

/// The rows that were claimed.
#[derive(Debug, Clone, Default)]
pub struct Claimed {
    /// In the order of writing.
    pub rows: Vec<Row>,
    /// Whether rows that are due were left because a budget is used up.
    pub held: bool,
}

/// Waits for this transaction's turn among those of all nodes that claim. On SQLite a transaction
/// that writes is alone.
pub(super) async fn take_turn(connection: Connection<'_>) -> Result<(), StoreError> {
    match connection {
        Connection::Sqlite(_) => {}
        Connection::Postgres(connection) => {
            query(TAKE_TURN).bind(TURN).execute(connection).await?;
        }
    }
    Ok(())
}

/// How many rows each lane may get: they share what is left equally, in turns.
fn shares(want: &Want<'_>, lanes: &[i64], used: &HashMap<i64, i64>) -> (Vec<(i64, i64)>, bool) {
    let mut left = i64::from(want.limit);
    let mut total = want.budget.map_or(i64::MAX, |budget| {
        i64::from(budget.total) - used.values().sum::<i64>()
    });
    let each = (left / i64::try_from(lanes.len()).unwrap_or(1).max(1)).max(1);
    let mut held = false;
    let mut shares = Vec::new();
    for lane in lanes {
        // Lane 0 has no event: an organiser tests the mail server.
        let own = match want.budget {
            Some(budget) if *lane != 0 => {
                let used = used.get(lane).copied().unwrap_or(0);
                (i64::from(budget.per_event) - used).min(total)
            }
            Some(_) | None => i64::MAX,
        };
        let room = want.per_lane.map_or(i64::MAX, |limit| limit.room(*lane));
        let share = own.min(room).min(each).min(left);
        held |= own <= 0;
        if share > 0 {
            left -= share;
            if *lane != 0 {
                total -= share;
            }
            shares.push((*lane, share));
        }
    }
    (shares, held)
}

impl Store {
    /// Claims rows that are due, for `want.owner` alone until the lease expires. Rows of one
    /// recipient are claimed one after the other, in the order of writing, up to [`HOLDS_UP`].
    pub async fn claim_outbox(&self, want: &Want<'_>) -> Result<Claimed, StoreError> {
        // Most looks find nothing: they must not wait for the lock of those that write.
        if self.due_lanes(want).await?.is_empty() {
            return Ok(Claimed::default());
        }
        let claim = match self {
            Self::Sqlite(_) => CLAIM_SQLITE,
            Self::Postgres(_) => CLAIM_POSTGRES,
        };
        in_transaction!(self, transaction => {
            take_turn(transaction.connection()).await?;
            let mut lanes: Vec<i64> = query_scalar(DUE_LANES)
                .bind(want.channel.as_str())
                .bind(want.now.as_millis())
                .fetch_all(&mut *transaction)
                .await?;
            // Another lane is first each time.
            let first = usize::try_from(want.now.as_millis()).unwrap_or(0) % lanes.len().max(1);
            lanes.rotate_left(first);
            let used: Vec<(i64, i64)> = if want.budget.is_some() {
                query_as(USED)
                    .bind(want.now.as_millis() - HOUR_MS)
                    .bind(want.now.as_millis())
                    .fetch_all(&mut *transaction)
                    .await?
            } else {
                Vec::new()
            };
            let (shares, held) = shares(want, &lanes, &used.into_iter().collect());
            let mut claimed: Vec<rows::OutboxRow> = Vec::new();
            for (lane, share) in shares {
                claimed.extend(
                    query_as::<_, rows::OutboxRow>(claim)
                        .bind(want.channel.as_str())
                        .bind(lane)
                        .bind(want.now.as_millis())
                        .bind(want.until.as_millis())
                        .bind(want.owner)
                        .bind(share)
                        .bind(i64::from(HOLDS_UP))
                        .fetch_all(&mut *transaction)
                        .await?,
                );
            }
            if claimed.is_empty() {
                transaction.rollback().await?;
            } else {
                transaction.commit().await?;
            }
            let mut rows: Vec<Row> = rows::read(claimed)?;
            rows.sort_unstable_by_key(|row| row.id);
            Ok::<_, StoreError>(Claimed { rows, held })
        })
    }

    /// How many mails each event has sent in the hour before `now`, as the budgets count.
    pub async fn mails_used(&self, now: Timestamp) -> Result<HashMap<EventId, u64>, StoreError> {
        let used = read!(
            self.short,
            query_as::<_, (i64, i64)>(USED)
                .bind(now.as_millis() - HOUR_MS)
                .bind(now.as_millis()),
            fetch_all
        )?;
        let used = used.into_iter();
        Ok(used
            .map(|(event, mails)| (event, mails.unsigned_abs()))
            .collect())
    }

    async fn due_lanes(&self, want: &Want<'_>) -> Result<Vec<i64>, StoreError> {
        read!(
            self.short,
            query_scalar(DUE_LANES)
                .bind(want.channel.as_str())
                .bind(want.now.as_millis()),
            fetch_all
        )
    }

    /// Makes the leases of `owner` on rows of a channel last until a later moment.
    pub async fn renew_outbox(
        &self,
        owner: &str,
        channel: Channel,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        in_transaction!(self, transaction => {
            query(RENEW)
                .bind(owner)
                .bind(until.as_millis())
                .bind(channel.as_str())
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await
        })
    }

    /// Ends the leases of a process that died, at the start of the only process on a file. On
    /// Postgres other nodes work, so that leases have to expire.
    pub async fn release_outbox(&self) -> Result<(), StoreError> {
        if matches!(self, Self::Postgres(_)) {
            return Ok(());
        }
        in_transaction!(self, transaction => {
            query(RELEASE_ALL).execute(&mut *transaction).await?;
            transaction.commit().await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn want(limit: u32, budget: Option<Budget>) -> Want<'static> {
        Want {
            channel: Channel::Mail,
            owner: "n",
            now: Timestamp::default(),
            until: Timestamp::default(),
            limit,
            budget,
            per_lane: None,
        }
    }

    #[test]
    fn a_lane_that_is_busy_leaves_room_for_the_others() {
        let under_way = HashMap::from([(5, 4), (6, 1)]);
        let per_lane = PerLane {
            most: 4,
            under_way: &under_way,
        };
        let busy = Want {
            per_lane: Some(per_lane),
            ..want(95, None)
        };
        let (all, held) = shares(&busy, &[5, 6, 7], &HashMap::new());
        assert_eq!((all, held), (vec![(6, 3), (7, 4)], false));
    }

    #[test]
    fn lanes_share_what_is_left_and_no_budget_is_exceeded() {
        let budget = Some(Budget {
            per_event: 10,
            total: 15,
        });
        let (all, held) = shares(&want(32, budget), &[1, 2], &HashMap::new());
        assert_eq!((all, held), (vec![(1, 10), (2, 5)], false));
        let used = HashMap::from([(1, 10), (3, 4)]);
        let (all, held) = shares(&want(32, budget), &[0, 1, 2], &used);
        assert_eq!((all, held), (vec![(0, 10), (2, 1)], true));
        let (all, held) = shares(&want(4, None), &[5, 6, 7], &HashMap::new());
        assert_eq!((all, held), (vec![(5, 1), (6, 1), (7, 1)], false));
    }
}
