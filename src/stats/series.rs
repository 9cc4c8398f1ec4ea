//! A series without gaps: every step of a range with the counts at its end.

use serde::Serialize;

use crate::domain::clock::Timestamp;
use crate::domain::event::EventId;
use crate::domain::series::{Counts, Step};
use crate::store::{Recorded, Store, StoreError};

/// The most points of one series: more than a wide screen has columns.
pub const POINTS_MAX: i64 = 2_000;
/// The most lines of the log that a reader adds up itself. More are there only while the history
/// from before an upgrade is added up.
const REST_MAX: u32 = 10_000;

/// A range of whole steps: from the start of the first until the start of the one after the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The length of its steps.
    pub step: Step,
    /// The start of the first step.
    pub from: Timestamp,
    /// The end: the step that contains it is included, unless it starts there.
    pub to: Timestamp,
}

impl Range {
    /// How many steps it has.
    pub fn points(&self) -> i64 {
        let length = self.to.as_millis() - self.from.as_millis();
        (length.max(0) + self.step.millis() - 1) / self.step.millis()
    }
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Point {
    /// Its start.
    pub at: Timestamp,
    /// People confirmed at its end.
    pub registered: u32,
    /// People on the waiting list at its end.
    pub waiting: u32,
    /// People who had cancelled in the round by its end.
    pub cancelled: u32,
    /// The most people who watched at once; `None` when nobody counted.
    pub watching: Option<u32>,
    /// The capacity at its end; `None` for no limit. Only charts show it.
    #[serde(skip)]
    pub capacity: Option<u32>,
}

/// Why there is no series.
#[derive(Debug, thiserror::Error)]
pub enum SeriesError {
    /// The history is still being added up, after an upgrade.
    #[error("the event's history is still being added up")]
    Behind,
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Every step of `range` that has begun by `now`. Before the event's first change all counts are 0.
pub async fn read(
    store: &Store,
    event: EventId,
    range: Range,
    now: Timestamp,
) -> Result<Vec<Point>, SeriesError> {
    let Range { step, from, to } = range;
    let recorded = store.recorded(event, step, from, to, REST_MAX).await?;
    if recorded.rest.len() >= REST_MAX as usize {
        return Err(SeriesError::Behind);
    }
    Ok(fill(recorded, range, now))
}

/// The start of the step in which the event was created; `None` when nothing is recorded yet.
pub async fn first(
    store: &Store,
    event: EventId,
    step: Step,
) -> Result<Option<Timestamp>, StoreError> {
    let nothing = Timestamp::from_millis(0);
    let recorded = store.recorded(event, step, nothing, nothing, 1).await?;
    let rest = recorded.rest.first().map(|line| step.start(line.at));
    Ok(recorded.first.map(|(at, _)| at).or(rest))
}

fn fill(recorded: Recorded, range: Range, now: Timestamp) -> Vec<Point> {
    let Range { step, from, to } = range;
    let (mut steps, mut tally) = (recorded.steps, recorded.tally);
    let mut before = recorded.before.map(|(_, counts)| counts);
    let mut first = recorded.first.map(|(at, _)| at);
    for line in &recorded.rest {
        let (at, counts) = (step.start(line.at), tally.add(line));
        first.get_or_insert(at);
        if at < from {
            before = Some(counts);
        } else {
            steps.insert(at, counts);
        }
    }
    let mut points = Vec::new();
    let mut counts = before.unwrap_or_default();
    let (mut at, end) = (from, to.min(now.plus(std::time::Duration::from_millis(1))));
    while at < end {
        counts = steps.get(&at).copied().unwrap_or(counts);
        let existed = first.is_some_and(|first| first <= at);
        let counted = existed && recorded.sampled.contains(&at);
        let Counts {
            registered,
            waiting,
            cancelled,
            capacity,
        } = counts;
        points.push(Point {
            at,
            registered,
            waiting,
            cancelled,
            watching: counted.then(|| recorded.watched.get(&at).copied().unwrap_or(0)),
            capacity,
        });
        at = Timestamp::from_millis(at.as_millis() + step.millis());
    }
    points
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::domain::change::Kind;
    use crate::domain::series::{Logged, Tally};

    fn minute(n: i64) -> Timestamp {
        Timestamp::from_millis(n * 60_000)
    }

    fn range(from: i64, to: i64) -> Range {
        Range {
            step: Step::Minute,
            from: minute(from),
            to: minute(to),
        }
    }

    #[test]
    fn a_range_counts_the_steps_that_it_touches() {
        let mut range = range(5, 2_005);
        assert_eq!(range.points(), 2_000);
        range.to = range.to.plus(std::time::Duration::from_millis(1));
        assert_eq!(range.points(), 2_001);
        range.to = minute(4);
        assert_eq!(range.points(), 0);
    }

    #[test]
    fn a_step_without_changes_has_the_counts_before_it_and_an_uncounted_one_no_watchers() {
        let line = |revision, registered, at| Logged {
            revision,
            kind: Kind::Registered,
            round: 1,
            capacity: Some(9),
            registered,
            waiting: 0,
            at,
        };
        let counts = |registered| Counts {
            registered,
            ..Counts::default()
        };
        let recorded = Recorded {
            tally: Tally::default(),
            first: Some((minute(2), counts(1))),
            before: None,
            steps: [(minute(2), counts(1))].into(),
            rest: vec![
                line(2, 4, minute(4)),
                line(3, 5, minute(4)),
                line(4, 6, minute(6)),
            ],
            watched: HashMap::from([(minute(3), 7)]),
            sampled: [1, 2, 3, 5].map(minute).into(),
        };
        let points = fill(recorded, range(1, 9), minute(6));
        let seen: Vec<_> = points
            .iter()
            .map(|point| {
                (
                    point.at.as_millis() / 60_000,
                    point.registered,
                    point.watching,
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                (1, 0, None),
                (2, 1, Some(0)),
                (3, 1, Some(7)),
                (4, 5, None),
                (5, 5, Some(0)),
                (6, 6, None),
            ]
        );
    }
}
