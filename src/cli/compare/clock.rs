//! Estimates the server's clock.

use std::time::{Duration, Instant};

use crate::domain::clock::{Clock, Timestamp};

/// Translates moments of this process into microseconds of the server's clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServerClock {
    anchor: Instant,
    /// The server's clock at the anchor.
    us: i64,
    /// The largest possible error.
    pub(super) uncertainty: Duration,
}

/// One question to `/api/v1/clock`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) asked: Instant,
    pub(super) answered: Instant,
    pub(super) at: Timestamp,
}

impl ServerClock {
    /// For a server on this machine, which has the same clock.
    pub(super) fn local() -> Self {
        // The clock has whole milliseconds, but its step can be observed to the microsecond.
        let first = Clock::System.now();
        loop {
            let now = Clock::System.now();
            if now != first {
                return Self {
                    anchor: Instant::now(),
                    us: now.as_millis() * 1_000,
                    uncertainty: Duration::ZERO,
                };
            }
        }
    }

    /// Estimates it from the fastest of several answers: the server read its clock between request
    /// and answer, most likely in the middle.
    pub(super) fn estimate(samples: &[Sample]) -> Option<Self> {
        let best = samples
            .iter()
            .min_by_key(|sample| sample.answered - sample.asked)?;
        let half = (best.answered - best.asked) / 2;
        // The answer is cut to whole milliseconds: on average half a millisecond is missing.
        Some(Self {
            anchor: best.asked + half,
            us: best.at.as_millis() * 1_000 + 500,
            uncertainty: half + Duration::from_micros(500),
        })
    }

    /// Microseconds since the Unix epoch by the server's clock.
    pub(super) fn at(&self, moment: Instant) -> i64 {
        let signed = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        match moment.checked_duration_since(self.anchor) {
            Some(after) => self.us + signed(after),
            None => self.us - signed(self.anchor - moment),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn believes_the_quickest_answer() {
        let (start, ms) = (Instant::now(), Duration::from_millis(1));
        let sample = |asked: u32, took: u32, at| Sample {
            asked: start + ms * asked,
            answered: start + ms * (asked + took),
            at: Timestamp::from_millis(at),
        };
        let clock = ServerClock::estimate(&[
            sample(0, 80, 5_070),
            sample(100, 4, 5_102),
            sample(200, 30, 5_229),
        ])
        .unwrap();
        assert_eq!(clock.at(start + ms * 102), 5_102_500);
        assert_eq!(clock.at(start), 5_000_500);
        assert_eq!(clock.uncertainty, ms * 5 / 2);
        assert!(ServerClock::estimate(&[]).is_none());
    }
}
