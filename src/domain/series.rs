//! How an event's counts developed: the change log, added up by steps of time.

use std::collections::BTreeMap;

use super::change::Kind;
use super::clock::Timestamp;
use super::position::Revision;
use super::words::words;

words! {
    /// The length of a step. Days are days of UTC.
    pub enum Step {
        /// 60 seconds.
        Minute = "minute",
        /// 60 minutes.
        Hour = "hour",
        /// 24 hours.
        Day = "day",
    }
}

impl Step {
    /// Its length in milliseconds.
    pub fn millis(self) -> i64 {
        match self {
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }

    /// The start of the step that contains `at`.
    pub fn start(self, at: Timestamp) -> Timestamp {
        Timestamp::from_millis(at.as_millis() - at.as_millis() % self.millis())
    }
}

/// The counts at the end of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// People confirmed.
    pub registered: u32,
    /// People on the waiting list.
    pub waiting: u32,
    /// People who cancelled in this round.
    pub cancelled: u32,
    /// How many may be confirmed; `None` for no limit.
    pub capacity: Option<u32>,
}

/// One line of the change log, as far as a series needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logged {
    /// The revision.
    pub revision: Revision,
    /// Its cause.
    pub kind: Kind,
    /// The round after it.
    pub round: u32,
    /// The capacity after it.
    pub capacity: Option<u32>,
    /// People confirmed after it.
    pub registered: u32,
    /// People waiting after it.
    pub waiting: u32,
    /// When it was committed.
    pub at: Timestamp,
}

/// The state at a line of the change log. What the log does not say outright is added up here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// The last revision that is added up.
    pub revision: Revision,
    /// The round there.
    pub round: u32,
    /// People confirmed there.
    pub registered: u32,
    /// People waiting there.
    pub waiting: u32,
    /// People who cancelled in that round. Restoring a place does not lower it.
    pub cancelled: u32,
    /// People who cancelled in archived rounds: a reset may be undone.
    pub archived: BTreeMap<u32, u32>,
}

impl Tally {
    /// Adds the next line of the log, and returns the counts after it.
    pub fn add(&mut self, line: &Logged) -> Counts {
        match line.kind {
            Kind::Cancelled => {
                let before = self.registered + self.waiting;
                let after = line.registered + line.waiting;
                self.cancelled += before.saturating_sub(after);
            }
            Kind::Reset => {
                self.archived.insert(self.round, self.cancelled);
                self.cancelled = 0;
            }
            Kind::Restored => {
                self.cancelled = self.archived.remove(&line.round).unwrap_or(0);
            }
            Kind::Created
            | Kind::Registered
            | Kind::Changed
            | Kind::Promoted
            | Kind::Capacity
            | Kind::Opened
            | Kind::Closed
            | Kind::Edited => {}
        }
        self.revision = line.revision;
        self.round = line.round;
        self.registered = line.registered;
        self.waiting = line.waiting;
        Counts {
            registered: self.registered,
            waiting: self.waiting,
            cancelled: self.cancelled,
            capacity: line.capacity,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(revision: Revision, kind: Kind, round: u32, registered: u32, waiting: u32) -> Logged {
        Logged {
            revision,
            kind,
            round,
            capacity: None,
            registered,
            waiting,
            at: Timestamp::from_millis(revision),
        }
    }

    #[test]
    fn cancelled_people_are_counted_by_round_and_come_back_with_an_undone_reset() {
        let mut tally = Tally::default();
        let cancelled = [
            line(1, Kind::Created, 1, 0, 0),
            line(2, Kind::Registered, 1, 4, 3),
            line(3, Kind::Cancelled, 1, 2, 3),
            line(4, Kind::Promoted, 1, 4, 1),
            line(5, Kind::Cancelled, 1, 4, 0),
            line(6, Kind::Changed, 1, 3, 0),
            line(7, Kind::Reset, 2, 0, 0),
            line(8, Kind::Restored, 1, 3, 0),
            line(9, Kind::Reset, 2, 0, 0),
        ]
        .map(|line| tally.add(&line).cancelled);
        assert_eq!(cancelled, [0, 0, 2, 2, 3, 3, 0, 3, 0]);
    }

    #[test]
    fn a_step_starts_at_a_multiple_of_its_length_in_utc() {
        let at: Timestamp = "2026-11-21T09:05:07.123Z".parse().unwrap();
        let starts = Step::ALL.map(|step| step.start(at).to_string());
        assert_eq!(
            starts,
            [
                "2026-11-21T09:05:00.000Z",
                "2026-11-21T09:00:00.000Z",
                "2026-11-21T00:00:00.000Z"
            ]
        );
    }
}
