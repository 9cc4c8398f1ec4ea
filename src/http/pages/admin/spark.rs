//! How registration of an event went in the last days, as a small picture.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::context::Context;
use crate::domain::clock::Timestamp;
use crate::domain::series::Step;
use crate::store::Trend;
use crate::text::Texts;

/// The range. Older changes are the dashboard's.
const DAYS: i64 = 7;
/// The newest events. A picture costs a few rows of its event, and nobody looks at more.
const EVENTS_MAX: usize = 200;
/// The drawing's own units.
const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 28.0;
/// Room for the line's own width.
const MARGIN: f64 = 2.0;

/// The picture.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::http::pages) struct Spark {
    /// The line, in a drawing of 120 by 28.
    pub(in crate::http::pages) path: String,
    /// What it shows, in words.
    pub(in crate::http::pages) label: String,
}

/// By the event's slug. Without a database there are none: the list is more important.
pub(super) async fn all(context: &Context, texts: Texts) -> HashMap<String, Spark> {
    let now = context.clock.now();
    let step = Step::Hour;
    let from = Timestamp::from_millis(now.as_millis() - DAYS * Step::Day.millis());
    let channels = context.hub.channels();
    let newest = channels.iter().rev().take(EVENTS_MAX);
    let events: Vec<_> = newest.map(|channel| channel.newest().event).collect();
    let ids: Vec<_> = events.iter().map(|event| event.id).collect();
    let trends = match context.store.trends(&ids, step, step.start(from)).await {
        Ok(trends) => trends,
        Err(error) => {
            tracing::warn!(%error, "cannot read how registration went; the list shows no pictures");
            return HashMap::new();
        }
    };
    let drawn = events.iter().map(|event| {
        let trend = trends.get(&event.id).cloned().unwrap_or_default();
        let spark = draw(&trend, event.registered, (from, now), texts);
        (event.slug.to_string(), spark)
    });
    drawn.collect()
}

/// `registered` is the present number: the newest changes may not be added up yet.
fn draw(trend: &Trend, registered: u32, (from, to): (Timestamp, Timestamp), texts: Texts) -> Spark {
    let before = trend.before.unwrap_or(0);
    let highest = trend.steps.iter().map(|(_, registered)| *registered);
    let top = highest
        .chain([before, registered])
        .max()
        .unwrap_or(0)
        .max(1);
    #[expect(
        clippy::cast_precision_loss,
        reason = "a week in milliseconds is far below 2^52"
    )]
    let x = |at: Timestamp| {
        let whole = (to.as_millis() - from.as_millis()).max(1) as f64;
        let part = (at.as_millis() - from.as_millis()).max(0) as f64;
        (part / whole).min(1.0) * WIDTH
    };
    let y = |value: u32| {
        let room = HEIGHT - 2.0 * MARGIN;
        HEIGHT - MARGIN - f64::from(value) / f64::from(top) * room
    };
    let mut path = format!("M0 {:.1}", y(before));
    for (at, value) in &trend.steps {
        // Writing into a string cannot fail.
        let _ = write!(path, "H{:.1}V{:.1}", x(*at), y(*value));
    }
    let _ = write!(path, "H{WIDTH:.0}V{:.1}", y(registered));
    let (more, fewer) = (
        registered.saturating_sub(before),
        before.saturating_sub(registered),
    );
    let label = if fewer > 0 {
        texts.get1("spark-fewer", "n", fewer)
    } else {
        texts.get1("spark-more", "n", more)
    };
    Spark { path, label }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_begins_with_the_number_before_and_ends_with_the_present_one() {
        let at = Timestamp::from_millis;
        let trend = Trend {
            before: Some(10),
            steps: vec![(at(50), 20)],
        };
        let spark = draw(&trend, 40, (at(0), at(100)), Texts::default());
        assert_eq!(spark.path, "M0 20.0H60.0V14.0H120V2.0");
        assert!(spark.label.contains("30"), "{}", spark.label);
        let empty = draw(&Trend::default(), 0, (at(0), at(100)), Texts::default());
        assert_eq!(empty.path, "M0 26.0H120V26.0");
    }
}
