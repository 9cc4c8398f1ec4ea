//! A chart of an event's series: paths for an SVG, the words around it, and the same as a table.
//!
//! The SVG holds shapes only and is stretched to its room. Labels are text beside it, so they keep
//! their size on every screen. What is drawn is decided here; scripts only fetch it again.

use std::fmt::Write as _;

use crate::domain::clock::Timestamp;
use crate::domain::local_time::LocalTime;
use crate::domain::series::Step;
use crate::domain::zone::Zone;
use crate::stats::series::Point;
use crate::text::Texts;

/// The drawing's own units.
const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 300.0;
/// The height of the drawing of watchers.
const WATCHING_HEIGHT: f64 = 60.0;
/// More steps than a phone has columns only make a page larger.
const COLUMNS_MAX: usize = 240;
/// More rows than this nobody reads.
const ROWS_MAX: usize = 48;
/// Ranges from this length on are labelled with days.
const DAYS_FROM_MS: i64 = 3 * 86_400_000;

/// A drawn series.
#[derive(Debug, Clone, Default)]
pub(super) struct ChartView {
    /// The line of people registered.
    pub(super) registered: String,
    /// The same down to zero, to be filled.
    pub(super) area: String,
    /// The line of people waiting; empty if nobody ever waited.
    pub(super) waiting: String,
    /// The line of the capacity; empty without one.
    pub(super) capacity: String,
    /// The line of watchers. It has a gap where nobody counted.
    pub(super) watching: String,
    /// The most who watched in the range; `None` if nobody counted.
    pub(super) watching_most: Option<u32>,
    /// What the upper edge and the middle stand for.
    pub(super) top: u32,
    pub(super) middle: u32,
    /// The times at the left edge, in the middle and at the right edge.
    pub(super) times: Vec<String>,
    /// The newest values.
    pub(super) last: Option<Row>,
    pub(super) rows: Vec<Row>,
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) time: String,
    pub(super) registered: u32,
    pub(super) waiting: u32,
    pub(super) cancelled: u32,
    pub(super) watching: Option<u32>,
    pub(super) capacity: Option<u32>,
}

/// Draws `points`, which are `step_ms` long each, with times in `zone`.
pub(super) fn draw(points: &[Point], step_ms: i64, texts: Texts, zone: &Zone) -> ChartView {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return ChartView::default();
    };
    let columns = thinned(points, COLUMNS_MAX);
    let highest = columns
        .iter()
        .flat_map(|point| [point.registered, point.waiting, point.capacity.unwrap_or(0)])
        .max();
    let top = round_up(highest.unwrap_or(0));
    let line = |value: fn(&Point) -> Option<u32>| path(&columns, value, top, HEIGHT);
    let registered = line(|point| Some(point.registered));
    let anybody_waits = points.iter().any(|point| point.waiting > 0);
    let most = points.iter().filter_map(|point| point.watching).max();
    let span_ms = last.at.as_millis() - first.at.as_millis() + step_ms;
    let label = |at: i64| {
        let minute = Step::Minute.start(Timestamp::from_millis(at));
        moment(minute, span_ms, texts, zone)
    };
    let begin = first.at.as_millis();
    let row = |point: &Point| Row {
        time: label(point.at.as_millis()),
        registered: point.registered,
        waiting: point.waiting,
        cancelled: point.cancelled,
        watching: point.watching,
        capacity: point.capacity,
    };
    ChartView {
        area: format!("{registered}V{HEIGHT:.0}H0Z"),
        registered,
        waiting: if anybody_waits {
            line(|point| Some(point.waiting))
        } else {
            String::new()
        },
        capacity: line(|point| point.capacity),
        watching: path(
            &columns,
            |point| point.watching,
            most.unwrap_or(0).max(1),
            WATCHING_HEIGHT,
        ),
        watching_most: most,
        top,
        middle: top / 2,
        times: [begin, begin + span_ms / 2, begin + span_ms]
            .map(label)
            .into(),
        last: Some(row(last)),
        rows: thinned(points, ROWS_MAX).iter().rev().map(row).collect(),
    }
}

/// Joins neighbouring steps until at most `most` are left. Counts are those at the end; watchers
/// are the most, or unknown if any step is, so that a gap stays one. The present step was perhaps
/// not counted yet, which is no gap.
fn thinned(points: &[Point], most: usize) -> Vec<Point> {
    let each = points.len().div_ceil(most).max(1);
    let newest = points.last().map(|point| point.at);
    let join = |joined: &[Point]| {
        // A chunk is never empty.
        let last = joined[joined.len() - 1];
        let counted = joined
            .iter()
            .filter(|point| point.watching.is_some() || Some(point.at) != newest);
        let watching = counted
            .map(|point| point.watching)
            .try_fold(None, |most, watching| {
                watching.map(|watching| Some(most.map_or(watching, |most| watching.max(most))))
            });
        Point {
            at: joined[0].at,
            watching: watching.flatten(),
            ..last
        }
    };
    // The last chunk is whole: the line ends at the present.
    points.rchunks(each).rev().map(join).collect()
}

/// A line through the values at the end of each step. It is broken where there is none.
fn path(points: &[Point], value: fn(&Point) -> Option<u32>, top: u32, height: f64) -> String {
    let mut path = String::new();
    let mut is_drawing = false;
    let mut level = None;
    let count = f64::from(u32::try_from(points.len()).unwrap_or(u32::MAX));
    for (point, index) in points.iter().zip(0_u32..) {
        let Some(value) = value(point) else {
            is_drawing = false;
            continue;
        };
        let (from, to) = (
            WIDTH * f64::from(index) / count,
            WIDTH * f64::from(index + 1) / count,
        );
        let y = height - height * f64::from(value) / f64::from(top.max(1));
        // Writing into a string cannot fail.
        let _ = if !is_drawing {
            write!(path, "M{from:.1} {y:.1}H{to:.1}")
        } else if level == Some(value) {
            write!(path, "H{to:.1}")
        } else {
            write!(path, "L{to:.1} {y:.1}")
        };
        is_drawing = true;
        level = Some(value);
    }
    path
}

/// The next even, round number: it and its half are easy to read.
fn round_up(highest: u32) -> u32 {
    let mut unit = 1_u32;
    loop {
        for times in [2, 4, 6, 8, 10, 12, 14, 16] {
            let round = unit.saturating_mul(times);
            if round >= highest {
                return round;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

/// A time as short as the range allows. A clock time names its zone, as all times of an event do.
fn moment(at: Timestamp, span_ms: i64, texts: Texts, zone: &Zone) -> String {
    let local = LocalTime::of(at, zone);
    if span_ms >= DAYS_FROM_MS {
        texts.short_day(&local)
    } else if span_ms > 86_400_000 {
        let (day, clock, zone) = (texts.short_day(&local), local.clock(), local.zone());
        format!("{day} {clock} {zone}")
    } else {
        format!("{} {}", local.clock(), local.zone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(minute: i64, registered: u32, watching: Option<u32>) -> Point {
        Point {
            at: Timestamp::from_millis(1_795_219_200_000 + minute * 60_000),
            registered,
            waiting: 0,
            cancelled: 0,
            watching,
            capacity: Some(10),
        }
    }

    fn drawn(points: &[Point]) -> ChartView {
        draw(points, 60_000, Texts::default(), &Zone::default())
    }

    #[test]
    fn a_line_ends_at_the_last_person_and_stands_against_the_capacity() {
        let chart = drawn(&[
            point(0, 0, None),
            point(1, 5, None),
            point(2, 5, None),
            point(3, 10, None),
        ]);
        assert_eq!(chart.top, 10);
        assert_eq!(
            chart.registered,
            "M0.0 300.0H250.0L500.0 150.0H750.0L1000.0 0.0"
        );
        assert_eq!(chart.area, format!("{}V300H0Z", chart.registered));
        assert_eq!(chart.capacity, "M0.0 0.0H250.0H500.0H750.0H1000.0");
        assert_eq!((chart.waiting.as_str(), chart.watching.as_str()), ("", ""));
        assert_eq!(chart.times, ["00:00 UTC", "00:02 UTC", "00:04 UTC"]);
        assert_eq!(chart.last.unwrap().registered, 10);
        let all: Vec<_> = chart.rows.iter().map(|row| row.registered).collect();
        assert_eq!(all, [10, 5, 5, 0], "the newest row comes first");
    }

    #[test]
    fn a_gap_in_sampling_is_a_gap_in_the_line() {
        let watching = [Some(1), Some(2), None, Some(2), None];
        let points: Vec<_> = (0..).zip(watching).map(|(n, w)| point(n, 0, w)).collect();
        let chart = drawn(&points);
        assert_eq!(chart.watching_most, Some(2));
        assert_eq!(chart.watching, "M0.0 30.0H200.0L400.0 0.0M600.0 0.0H800.0");
        // One of many joined steps is enough.
        let mut many: Vec<_> = (0..480).map(|n| point(n, 0, Some(1))).collect();
        assert_eq!(drawn(&many).watching.matches('M').count(), 1);
        many[101].watching = None;
        assert_eq!(drawn(&many).watching.matches('M').count(), 2);
        // The present step is counted within seconds.
        many[101].watching = Some(1);
        many[479].watching = None;
        assert_eq!(drawn(&many).watching.matches('M').count(), 1);
    }

    #[test]
    fn a_long_series_keeps_its_end_and_few_columns() {
        let points: Vec<_> = (0..1_999)
            .map(|n| point(n, u32::try_from(n).unwrap(), None))
            .collect();
        let columns = thinned(&points, COLUMNS_MAX);
        assert!(columns.len() <= COLUMNS_MAX);
        assert_eq!(columns.last().unwrap().registered, 1_998);
        let chart = drawn(&points);
        assert!(chart.rows.len() <= ROWS_MAX);
        assert_eq!(chart.rows[0].registered, 1_998);
        assert_eq!(chart.top, 2_000);
    }

    #[test]
    fn the_scale_is_round_and_nothing_draws_nothing() {
        let rounded = [0, 2, 3, 10, 11, 61, 1_200, u32::MAX].map(round_up);
        assert_eq!(rounded, [2, 2, 4, 10, 12, 80, 1_200, u32::MAX]);
        assert!(drawn(&[]).registered.is_empty());
    }
}
