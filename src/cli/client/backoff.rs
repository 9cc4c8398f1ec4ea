//! How long to wait before the next attempt. Pure: the dice are a parameter.

use std::time::Duration;

/// The first wait after a cut.
const FIRST: Duration = Duration::from_millis(500);
/// The longest wait that the server did not ask for.
const LONGEST: Duration = Duration::from_secs(30);
/// A server that asks for more than this is not believed.
const LONGEST_TOLD: Duration = Duration::from_mins(15);

/// The wait before attempt `failures + 1`, where `failures` attempts in a row (from 1) have seen
/// nothing.
///
/// `told` is what the server asked for (`Retry-After`, `retry:`, `bye.retry_ms`): never less than
/// that, up to a quarter more, because many clients may have been told the same second. Otherwise
/// the wait doubles from half a second to half a minute and is drawn from its upper half. `roll` is
/// from 0 to 1.
pub(super) fn wait(failures: u32, told: Option<Duration>, roll: f64) -> Duration {
    let doubled = FIRST
        .saturating_mul(1 << failures.saturating_sub(1).min(16))
        .min(LONGEST);
    let own = doubled.mul_f64(f64::midpoint(1.0, roll));
    match told.map(|told| told.min(LONGEST_TOLD)) {
        Some(told) => {
            let told = told.mul_f64(1.0 + roll / 4.0);
            // Doing as told has failed already: more patience than that is needed.
            if failures > 1 { told.max(own) } else { told }
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
    fn does_as_told_and_gets_more_patient_when_that_fails() {
        let told = Some(Duration::from_millis(1_200));
        assert_eq!(wait(1, told, 0.0), Duration::from_millis(1_200));
        assert_eq!(wait(1, told, 1.0), Duration::from_millis(1_500));
        assert_eq!(wait(5, told, 1.0), Duration::from_secs(8));
        assert_eq!(
            wait(1, Some(Duration::from_secs(1 << 40)), 0.0),
            LONGEST_TOLD
        );
    }

    proptest! {
        #[test]
        fn never_earlier_than_told_and_never_without_end(failures in 0..=u32::MAX, told in proptest::option::of(0..=100_000u64), roll in 0.0..=1.0) {
            let wait = wait(failures, told.map(Duration::from_millis), roll);
            prop_assert!(wait >= Duration::from_millis(told.unwrap_or(0)));
            prop_assert!(wait <= Duration::from_millis(told.unwrap_or(0)) * 5 / 4 + LONGEST);
        }
    }
}
