//! An event at a glance: how fast people come, when it fills up, and who watches.

use std::time::Duration;

use super::forecast::{self, REGISTRATIONS_MIN};
use super::series::{self, POINTS_MAX, Point, Range, SeriesError};
use crate::domain::clock::Timestamp;
use crate::domain::event::Event;
use crate::domain::series::Step;
use crate::store::Store;

/// What the dashboard says beside the chart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// People who came in the last 5 minutes.
    pub in_5_minutes: u32,
    /// People who came in the last 60 minutes.
    pub in_60_minutes: u32,
    /// Between which moments the last place is taken.
    pub fills: Option<(Timestamp, Timestamp)>,
    /// The most people who ever watched at once; `None` if nobody has counted.
    pub watching_most: Option<u32>,
}

/// Reads it. `event` is the present state.
pub async fn read(store: &Store, event: &Event, now: Timestamp) -> Result<Summary, SeriesError> {
    let hour = steps(store, event, Step::Minute, 61, now).await?;
    let day = steps(store, event, Step::Hour, 25, now).await?;
    let all = steps(store, event, Step::Day, POINTS_MAX, now).await?;
    let watched = all.iter().chain(&day).chain(&hour);
    let in_60_minutes = came(&hour, 60);
    Ok(Summary {
        in_5_minutes: came(&hour, 5),
        in_60_minutes,
        fills: event
            .capacity
            .remaining(event.registered)
            .filter(|_| event.registered >= REGISTRATIONS_MIN)
            .and_then(|remaining| {
                let windows = [(in_60_minutes, 1), (came(&day, 24), 24)];
                let (arrived, hours) = windows
                    .into_iter()
                    .find(|(arrived, _)| *arrived >= REGISTRATIONS_MIN)?;
                forecast::filling(remaining, arrived, Duration::from_hours(hours), now)
            }),
        watching_most: watched.filter_map(|point| point.watching).max(),
    })
}

/// The last steps, with the present one.
async fn steps(
    store: &Store,
    event: &Event,
    step: Step,
    count: i64,
    now: Timestamp,
) -> Result<Vec<Point>, SeriesError> {
    let first = step.start(now).as_millis() - (count - 1) * step.millis();
    let range = Range {
        step,
        from: Timestamp::from_millis(first.max(0)),
        to: now.plus(Duration::from_millis(1)),
    };
    series::read(store, event.id, range, now).await
}

/// How many people came in the last `steps` before the present one, and in that one. Cancellations
/// do not lower it, nor do groups that become smaller. A reset in between begins at zero: it takes
/// cancellations back, as nothing else does that makes fewer people. (If nobody had cancelled, those
/// who come in the minute of the reset are not counted.)
fn came(points: &[Point], steps: usize) -> u32 {
    let ever = |point: &Point| point.registered + point.waiting + point.cancelled;
    let from = points.len().saturating_sub(steps + 1);
    let pairs = points[from..].windows(2);
    let between = |pair: &[Point]| {
        let (before, now) = (ever(&pair[0]), ever(&pair[1]));
        let is_reset = now < before && pair[1].cancelled < pair[0].cancelled;
        if is_reset {
            now
        } else {
            now.saturating_sub(before)
        }
    };
    pairs.map(between).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(registered: u32, waiting: u32, cancelled: u32) -> Point {
        Point {
            at: Timestamp::default(),
            registered,
            waiting,
            cancelled,
            watching: None,
            capacity: None,
        }
    }

    #[test]
    fn people_who_cancelled_again_came_too_and_a_reset_takes_nobody_back() {
        let points = [
            point(2, 0, 0),
            point(5, 1, 0),
            point(4, 1, 1),
            point(4, 0, 3),
            point(1, 0, 0),
        ];
        assert_eq!(came(&points, 4), 6);
        assert_eq!(came(&points, 2), 2);
        assert_eq!(came(&points[..1], 60), 0);
        assert_eq!(came(&[], 60), 0);
    }

    #[test]
    fn groups_that_become_smaller_are_no_reset() {
        let points = [
            point(40, 0, 1),
            point(39, 0, 1),
            point(38, 0, 1),
            point(39, 0, 1),
        ];
        assert_eq!(came(&points, 3), 1);
    }
}
