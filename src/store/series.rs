//! Series: the change log added up by steps, and samples of watchers.
//!
//! [`Store::add_up`] reads the log beyond [`Tally::revision`] and writes the steps and the new tally
//! in one transaction. So each line is added once, on any node, and a restored database continues
//! where it was.

use std::collections::{BTreeMap, HashMap, HashSet};

use sqlx::{query, query_as};

use super::error::{ANSWER_TIMEOUT, COMMIT_TIMEOUT, bounded};
use super::queries::read;
use super::transaction::Transaction as _;
use super::writes::in_transaction;
use super::{Store, StoreError, rows};
use crate::domain::change::Kind;
use crate::domain::clock::Timestamp;
use crate::domain::event::EventId;
use crate::domain::position::Revision;
use crate::domain::series::{Counts, Logged, Step, Tally};

const BEGIN_PROGRESS: &str = "\
    INSERT INTO series_progress (event_id, revision, round, registered, waiting, cancelled, archived)
    SELECT id, 0, 1, 0, 0, 0, '{}' FROM events WHERE id = $1
    ON CONFLICT (event_id) DO NOTHING";
/// The update locks the row: another node waits, and then finds the lines added.
const LOCK_PROGRESS: &str = "\
    UPDATE series_progress SET revision = revision WHERE event_id = $1
    RETURNING revision, round, registered, waiting, cancelled, archived";
const PROGRESS: &str = "\
    SELECT revision, round, registered, waiting, cancelled, archived
    FROM series_progress WHERE event_id = $1";
const SET_PROGRESS: &str = "\
    UPDATE series_progress
    SET revision = $2, round = $3, registered = $4, waiting = $5, cancelled = $6, archived = $7
    WHERE event_id = $1";
const LOG: &str = "\
    SELECT revision, kind, round, capacity, registered, waiting, at
    FROM changes WHERE event_id = $1 AND revision > $2 ORDER BY revision LIMIT $3";
const PUT: &str = "\
    INSERT INTO series (event_id, step, at, registered, waiting, cancelled, capacity)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (event_id, step, at) DO UPDATE SET registered = excluded.registered,
        waiting = excluded.waiting, cancelled = excluded.cancelled, capacity = excluded.capacity";
const STEPS: &str = "\
    SELECT at, registered, waiting, cancelled, capacity FROM series
    WHERE event_id = $1 AND step = $2 AND at >= $3 AND at < $4 ORDER BY at";
const BEFORE: &str = "\
    SELECT at, registered, waiting, cancelled, capacity FROM series
    WHERE event_id = $1 AND step = $2 AND at < $3 ORDER BY at DESC LIMIT 1";
const FIRST: &str = "\
    SELECT at, registered, waiting, cancelled, capacity FROM series
    WHERE event_id = $1 AND step = $2 ORDER BY at LIMIT 1";
const WATCHED: &str = "\
    SELECT at, watching FROM series_watching
    WHERE event_id = $1 AND step = $2 AND at >= $3 AND at < $4";
const SAMPLED: &str = "\
    SELECT at, at FROM series_sampled WHERE step = $1 AND at >= $2 AND at < $3";
const SAMPLE: &str =
    "INSERT INTO series_sampled (step, at) VALUES ($1, $2) ON CONFLICT (step, at) DO NOTHING";
const WATCH: &str = "\
    INSERT INTO series_watching (event_id, step, at, watching) VALUES ($1, $2, $3, $4)
    ON CONFLICT (event_id, step, at) DO UPDATE SET watching = excluded.watching
        WHERE series_watching.watching < excluded.watching";
/// What is too old, and what belongs to events that are gone.
const PRUNE_BY_AGE: [&str; 2] = [
    "DELETE FROM series_watching WHERE step = $1 AND at < $2",
    "DELETE FROM series_sampled WHERE step = $1 AND at < $2",
];
const PRUNE_ORPHANS: [&str; 3] = [
    "DELETE FROM series_progress WHERE event_id NOT IN (SELECT id FROM events)",
    "DELETE FROM series WHERE event_id NOT IN (SELECT id FROM events)",
    "DELETE FROM series_watching WHERE event_id NOT IN (SELECT id FROM events)",
];

/// The number of people registered at the end of the last step before the range.
const TREND_BEFORE: &str = "\
    SELECT e.id, (SELECT s.registered FROM series s
        WHERE s.event_id = e.id AND s.step = $3 AND s.at < $4 ORDER BY s.at DESC LIMIT 1)
    FROM events e WHERE e.id BETWEEN $1 AND $2";
/// By the key of each event: it never reads the steps outside the range.
const TRENDS: &str = "\
    SELECT s.event_id, s.at, s.registered FROM events e
    JOIN series s ON s.event_id = e.id AND s.step = $3 AND s.at >= $4
    WHERE e.id BETWEEN $1 AND $2 ORDER BY s.event_id, s.at";

type ProgressRow = (i64, i64, i64, i64, i64, String);
type LogRow = (i64, String, i64, Option<i64>, i64, i64, i64);
type CountsRow = (i64, i64, i64, i64, Option<i64>);

/// What the database has of a series.
#[derive(Debug)]
pub struct Recorded {
    /// The state up to which the log is added up.
    pub tally: Tally,
    /// The first step of all.
    pub first: Option<(Timestamp, Counts)>,
    /// The last step before the range.
    pub before: Option<(Timestamp, Counts)>,
    /// The steps of the range in which something changed, by their start.
    pub steps: BTreeMap<Timestamp, Counts>,
    /// Lines of the log that are not added up yet, at most the limit.
    pub rest: Vec<Logged>,
    /// The most who watched, by the start of the step. Steps with nobody are left out.
    pub watched: HashMap<Timestamp, u32>,
    /// The steps in which watchers were counted.
    pub sampled: HashSet<Timestamp>,
}

/// How many people were registered, by steps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trend {
    /// At the end of the last step before the range; `None` if there is none.
    pub before: Option<u32>,
    /// At the end of each step in which something changed, by its start.
    pub steps: Vec<(Timestamp, u32)>,
}

impl Store {
    /// How many people were registered for these events since `from`.
    pub async fn trends(
        &self,
        events: &[EventId],
        step: Step,
        from: Timestamp,
    ) -> Result<HashMap<EventId, Trend>, StoreError> {
        let mut trends: HashMap<EventId, Trend> = HashMap::new();
        let (Some(first), Some(last)) = (events.iter().min(), events.iter().max()) else {
            return Ok(trends);
        };
        let (length, from) = (step.millis(), from.as_millis());
        let before: Vec<(i64, Option<i64>)> = read!(
            self.short,
            query_as(TREND_BEFORE)
                .bind(*first)
                .bind(*last)
                .bind(length)
                .bind(from),
            fetch_all
        )?;
        for (event, registered) in before {
            let registered = registered
                .map(|n| rows::count("registered", n))
                .transpose()?;
            trends.entry(event).or_default().before = registered;
        }
        let steps: Vec<(i64, i64, i64)> = read!(
            self.short,
            query_as(TRENDS)
                .bind(*first)
                .bind(*last)
                .bind(length)
                .bind(from),
            fetch_all
        )?;
        for (event, at, registered) in steps {
            let step = (
                Timestamp::from_millis(at),
                rows::count("registered", registered)?,
            );
            trends.entry(event).or_default().steps.push(step);
        }
        Ok(trends)
    }

    /// Adds up at most `limit` lines of an event's change log; returns how many they were.
    pub async fn add_up(&self, event: EventId, limit: u32) -> Result<usize, StoreError> {
        in_transaction!(self, transaction => {
            query(BEGIN_PROGRESS).bind(event).execute(&mut *transaction).await?;
            let row: Option<ProgressRow> = query_as(LOCK_PROGRESS)
                .bind(event)
                .fetch_optional(&mut *transaction)
                .await?;
            let Some(mut tally) = row.map(tally).transpose()? else {
                transaction.rollback().await?;
                return Ok::<_, StoreError>(0);
            };
            let lines: Vec<LogRow> = query_as(LOG)
                .bind(event)
                .bind(tally.revision)
                .bind(i64::from(limit))
                .fetch_all(&mut *transaction)
                .await?;
            if lines.is_empty() {
                transaction.rollback().await?;
                return Ok(0);
            }
            let added = lines.len();
            let mut steps = HashMap::new();
            for line in lines {
                let line = logged(line)?;
                let counts = tally.add(&line);
                for step in Step::ALL {
                    steps.insert((step, step.start(line.at)), counts);
                }
            }
            for ((step, at), counts) in steps {
                query(PUT)
                    .bind(event)
                    .bind(step.millis())
                    .bind(at.as_millis())
                    .bind(i64::from(counts.registered))
                    .bind(i64::from(counts.waiting))
                    .bind(i64::from(counts.cancelled))
                    .bind(counts.capacity.map(i64::from))
                    .execute(&mut *transaction)
                    .await?;
            }
            query(SET_PROGRESS)
                .bind(event)
                .bind(tally.revision)
                .bind(i64::from(tally.round))
                .bind(i64::from(tally.registered))
                .bind(i64::from(tally.waiting))
                .bind(i64::from(tally.cancelled))
                .bind(serde_json::json!(tally.archived).to_string())
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(added)
        })
    }

    /// What is recorded of an event from `from` until `to`, and at most `limit` lines of the log
    /// beyond it. Progress is read first, so that no line is missing.
    pub async fn recorded(
        &self,
        event: EventId,
        step: Step,
        from: Timestamp,
        to: Timestamp,
        limit: u32,
    ) -> Result<Recorded, StoreError> {
        let (from, to, length) = (from.as_millis(), to.as_millis(), step.millis());
        let progress: Option<ProgressRow> =
            read!(self.short, query_as(PROGRESS).bind(event), fetch_optional)?;
        let tally = progress.map(tally).transpose()?.unwrap_or_default();
        let first: Option<CountsRow> = read!(
            self.short,
            query_as(FIRST).bind(event).bind(length),
            fetch_optional
        )?;
        let before: Option<CountsRow> = read!(
            self.short,
            query_as(BEFORE).bind(event).bind(length).bind(from),
            fetch_optional
        )?;
        let steps: Vec<CountsRow> = read!(
            self.short,
            query_as(STEPS).bind(event).bind(length).bind(from).bind(to),
            fetch_all
        )?;
        let rest: Vec<LogRow> = read!(
            self.short,
            query_as(LOG)
                .bind(event)
                .bind(tally.revision)
                .bind(i64::from(limit)),
            fetch_all
        )?;
        let watched: Vec<(i64, i64)> = read!(
            self.short,
            query_as(WATCHED)
                .bind(event)
                .bind(length)
                .bind(from)
                .bind(to),
            fetch_all
        )?;
        let sampled: Vec<(i64, i64)> = read!(
            self.short,
            query_as(SAMPLED).bind(length).bind(from).bind(to),
            fetch_all
        )?;
        let at = Timestamp::from_millis;
        Ok(Recorded {
            tally,
            first: first.map(counts).transpose()?,
            before: before.map(counts).transpose()?,
            steps: steps.into_iter().map(counts).collect::<Result<_, _>>()?,
            rest: rest.into_iter().map(logged).collect::<Result<_, _>>()?,
            watched: watched
                .into_iter()
                .map(|(start, watching)| Ok((at(start), rows::count("watching", watching)?)))
                .collect::<Result<_, StoreError>>()?,
            sampled: sampled.into_iter().map(|(start, _)| at(start)).collect(),
        })
    }

    /// Records that `watching` people watched each event at `at`; keeps the highest of each step.
    pub async fn sample(
        &self,
        watching: &HashMap<EventId, u64>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        in_transaction!(self, transaction => {
            for step in Step::ALL {
                let start = step.start(at).as_millis();
                query(SAMPLE).bind(step.millis()).bind(start).execute(&mut *transaction).await?;
                for (event, watchers) in watching {
                    query(WATCH)
                        .bind(*event)
                        .bind(step.millis())
                        .bind(start)
                        .bind(i64::from(u32::try_from(*watchers).unwrap_or(u32::MAX)))
                        .execute(&mut *transaction)
                        .await?;
                }
            }
            transaction.commit().await
        })
    }

    /// Deletes samples of minutes before `minutes` and of longer steps before `longer`, and what
    /// belongs to events that are gone.
    pub async fn prune_series(
        &self,
        minutes: Timestamp,
        longer: Timestamp,
    ) -> Result<(), StoreError> {
        in_transaction!(self, transaction => {
            for step in Step::ALL {
                let before = if step == Step::Minute { minutes } else { longer };
                for statement in PRUNE_BY_AGE {
                    query(statement)
                        .bind(step.millis())
                        .bind(before.as_millis())
                        .execute(&mut *transaction)
                        .await?;
                }
            }
            for statement in PRUNE_ORPHANS {
                query(statement).execute(&mut *transaction).await?;
            }
            transaction.commit().await
        })
    }
}

fn tally(row: ProgressRow) -> Result<Tally, StoreError> {
    let (revision, round, registered, waiting, cancelled, archived) = row;
    let revision: Revision = revision;
    Ok(Tally {
        revision,
        round: rows::count("round", round)?,
        registered: rows::count("registered", registered)?,
        waiting: rows::count("waiting", waiting)?,
        cancelled: rows::count("cancelled", cancelled)?,
        archived: serde_json::from_str(&archived)
            .map_err(|_| rows::unreadable("archived", &archived))?,
    })
}

fn logged(row: LogRow) -> Result<Logged, StoreError> {
    let (revision, kind, round, capacity, registered, waiting, at) = row;
    Ok(Logged {
        revision,
        kind: Kind::parse(&kind).ok_or_else(|| rows::unreadable("kind", &kind))?,
        round: rows::count("round", round)?,
        capacity: rows::capacity(capacity)?.get(),
        registered: rows::count("registered", registered)?,
        waiting: rows::count("waiting", waiting)?,
        at: Timestamp::from_millis(at),
    })
}

fn counts(row: CountsRow) -> Result<(Timestamp, Counts), StoreError> {
    let (at, registered, waiting, cancelled, capacity) = row;
    let counts = Counts {
        registered: rows::count("registered", registered)?,
        waiting: rows::count("waiting", waiting)?,
        cancelled: rows::count("cancelled", cancelled)?,
        capacity: rows::capacity(capacity)?.get(),
    };
    Ok((Timestamp::from_millis(at), counts))
}
