//! When a delivery that failed is tried again.

use std::time::Duration;

use crate::domain::clock::Timestamp;

/// The longest pause after the first failure. The pause of an attempt is between half of its longest
/// and the longest, so that rows that failed together do not return together. An attempt that ends
/// after 40 s without an answer is so repeated within a minute.
const FIRST_PAUSE: Duration = Duration::from_secs(15);
/// Each pause is this many times as long as the one before.
const GROWTH: u32 = 3;
/// The longest pause: a server that was down for a day gets its mail within the hour.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// How long a channel keeps trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime(pub Duration);

impl Lifetime {
    /// Mail servers give up after days; a mail about an event is of no use for longer than two.
    pub const MAIL: Self = Self(Duration::from_hours(48));
    /// A receiver may be down over a weekend.
    pub const WEBHOOK: Self = Self(Duration::from_hours(72));
}

/// When to try again after `attempts` failures; `None` to give up. `jitter` is drawn from 0 to 1.
pub fn next_attempt(
    attempts: u32,
    first: Timestamp,
    now: Timestamp,
    lifetime: Lifetime,
    jitter: f64,
) -> Option<Timestamp> {
    if now.since(first) >= lifetime.0 {
        return None;
    }
    let grown = GROWTH.saturating_pow(attempts.saturating_sub(1));
    let longest = FIRST_PAUSE.saturating_mul(grown).min(LONGEST_PAUSE);
    let pause = longest.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
    // The last attempt is at the end of the lifetime.
    let end = first.plus(lifetime.0);
    Some(now.plus(pause).min(end.max(now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_retry_comes_within_a_minute_and_the_last_at_the_end_of_the_lifetime() {
        let first = Timestamp::from_millis(1_795_251_600_000);
        for jitter in [0.0, 0.5, 1.0] {
            let (mut now, mut attempts) = (first, 1);
            while let Some(next) = next_attempt(attempts, first, now, Lifetime::MAIL, jitter) {
                let pause = next.since(now);
                if attempts == 1 {
                    assert!(pause >= FIRST_PAUSE / 2 && pause <= FIRST_PAUSE);
                }
                assert!(pause <= LONGEST_PAUSE);
                (now, attempts) = (next, attempts + 1);
            }
            assert_eq!(now.since(first), Lifetime::MAIL.0, "jitter {jitter}");
            assert!((50..110).contains(&attempts), "{attempts}");
        }
    }
}
