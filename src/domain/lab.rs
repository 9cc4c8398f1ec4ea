//! The lab: an event with invented people. Anybody may create it to try things out, so its size is
//! limited.

use std::time::Duration;

use super::clock::Timestamp;
use super::event::{Capacity, Event, NewEvent, Slug};

/// The name in URLs.
pub const SLUG: &str = "lab";
/// The capacity: enough for a room full of people who each send bursts of 50.
pub const PLACES: u32 = 1_000;
/// The most registrations in one round. Cancelling frees a place but keeps its row.
const NUMBERS: u32 = 2 * PLACES;
/// The most rounds before the lab is deleted with all its rows: at most 40,000 registrations.
const ROUNDS: u32 = 20;
/// The most changes before the lab is deleted.
const REVISIONS: i64 = 100_000;
/// A lab with registrations is deleted after this time without a change.
const IDLE: Duration = Duration::from_hours(1);

const TITLE: &str = "Lab · 实验室";
const DESCRIPTION: &str =
    "For trying things out: everybody here is made up.\n仅供试验，这里的人都是虚构的。";

/// What has to be done to keep the lab small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upkeep {
    /// Begin a new round with no registrations.
    Empty,
    /// Delete it. The next person who needs it creates another.
    Drop,
}

/// A new lab.
pub fn new() -> NewEvent {
    // Both constants are valid.
    let slug = Slug::parse(SLUG).expect("a valid slug");
    let capacity = Capacity::limited(i64::from(PLACES)).expect("a valid capacity");
    NewEvent {
        description: DESCRIPTION.to_owned(),
        ..NewEvent::new(slug, TITLE, capacity)
    }
}

/// What is due at `now`. An event that an organiser has created under this name, or whose title or
/// description an organiser has changed, is never touched.
pub fn upkeep(event: &Event, now: Timestamp) -> Option<Upkeep> {
    if event.slug.as_str() != SLUG || event.title != TITLE || event.description != DESCRIPTION {
        return None;
    }
    let idle = event.last_number > 0 && event.at.plus(IDLE) <= now;
    if idle || event.round > ROUNDS || event.revision > REVISIONS {
        Some(Upkeep::Drop)
    } else if event.registered >= PLACES || event.last_number >= NUMBERS {
        Some(Upkeep::Empty)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::position::Epoch;

    fn lab(change: impl FnOnce(&mut Event)) -> Event {
        let mut event = new().open(Epoch::draw(), Timestamp::from_millis(0));
        change(&mut event);
        event
    }

    #[test]
    fn the_lab_is_emptied_when_it_is_full_and_dropped_when_it_is_old() {
        let soon = Timestamp::from_millis(1_000);
        let late = Timestamp::from_millis(3_600_000);
        for (event, now, due) in [
            (lab(|_| ()), late, None),
            (lab(|lab| lab.last_number = 1), soon, None),
            (lab(|lab| lab.last_number = 1), late, Some(Upkeep::Drop)),
            (lab(|lab| lab.registered = 1_000), soon, Some(Upkeep::Empty)),
            (
                lab(|lab| lab.last_number = 2_000),
                soon,
                Some(Upkeep::Empty),
            ),
            (lab(|lab| lab.last_number = 1_999), soon, None),
            (lab(|lab| lab.round = 20), soon, None),
            (lab(|lab| lab.revision = 100_000), soon, None),
            (lab(|lab| lab.round = 21), soon, Some(Upkeep::Drop)),
            (lab(|lab| lab.revision = 100_001), soon, Some(Upkeep::Drop)),
        ] {
            assert_eq!(upkeep(&event, now), due, "{event:?}");
        }
    }

    #[test]
    fn an_event_of_the_organiser_is_left_alone() {
        let full = |lab: &mut Event| lab.registered = 1_000;
        for event in [
            lab(|lab| {
                full(lab);
                lab.title = "Chemistry".to_owned();
            }),
            lab(|lab| {
                full(lab);
                lab.slug = Slug::parse("labs").unwrap();
            }),
        ] {
            assert_eq!(upkeep(&event, Timestamp::from_millis(0)), None);
        }
    }
}
