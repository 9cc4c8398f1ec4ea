//! How long to wait before the next attempt. Pure: the random number is a parameter.

use std::time::Duration;

/// The first wait after a cut.
const FIRST: Duration = Duration::from_millis(500);
/// The longest wait that the server did not ask for.
const LONGEST: Duration = Duration::from_secs(30);
/// A longer wait that the server asks for is cut to this.
const LONGEST_ASKED: Duration = Duration::from_mins(15);

/// The wait before the next attempt, after `failures` attempts in a row (at least 1) without a
/// message.
///
/// If the server asked for a wait (`Retry-After`, `retry:`, `bye.retry_ms`), the result is `asked`
/// and up to a quarter more. Many clients may have got the same value. Otherwise the wait doubles
/// from half a second to half a minute, and the result is in its upper half. `roll` is a random
/// number from 0 to 1.
pub(super) fn wait(failures: u32, asked: Option<Duration>, roll: f64) -> Duration {
    let doubled = FIRST
        .saturating_mul(1 << failures.saturating_sub(1).min(16))
        .min(LONGEST);
    let own = doubled.mul_f64(f64::midpoint(1.0, roll));
    match asked.map(|asked| asked.min(LONGEST_ASKED)) {
        Some(asked) => {
            let asked = asked.mul_f64(1.0 + roll / 4.0);
            // Waiting as asked has failed before, so wait at least as long as without it.
            if failures > 1 { asked.max(own) } else { asked }
        }
        None => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn doubles_from_half_a_second_to_half_a_minute() {
        let longest: Vec<u128> = (1..=9)
            .map(|failures| wait(failures, None, 1.0).as_millis())
            .collect();
        assert_eq!(
            longest,
            [
                500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000
            ]
        );
        assert_eq!(wait(1, None, 0.0), Duration::from_millis(250));
    }

    #[test]
    fn waits_as_asked_and_longer_when_that_fails() {
        let asked = Some(Duration::from_millis(1_200));
        assert_eq!(wait(1, asked, 0.0), Duration::from_millis(1_200));
        assert_eq!(wait(1, asked, 1.0), Duration::from_millis(1_500));
        assert_eq!(wait(5, asked, 1.0), Duration::from_secs(8));
        assert_eq!(
            wait(1, Some(Duration::from_secs(1 << 40)), 0.0),
            LONGEST_ASKED
        );
    }

    proptest! {
        #[test]
        fn never_sooner_than_the_server_asks_and_never_without_end(failures in 0..=u32::MAX, asked in proptest::option::of(0..=100_000u64), roll in 0.0..=1.0) {
            let wait = wait(failures, asked.map(Duration::from_millis), roll);
            prop_assert!(wait >= Duration::from_millis(asked.unwrap_or(0)));
            prop_assert!(wait <= Duration::from_millis(asked.unwrap_or(0)) * 5 / 4 + LONGEST);
        }
    }
}
