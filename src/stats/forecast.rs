//! When an event fills up, if people go on registering as they do.

use std::time::Duration;

use crate::domain::clock::Timestamp;

/// Fewer registrations than this say nothing about a rate.
pub const REGISTRATIONS_MIN: u32 = 10;
/// A forecast further ahead is noise.
const AHEAD_MAX: Duration = Duration::from_hours(365 * 24);

/// The earliest and the latest moment at which `remaining` places are taken. `arrived` people came
/// within `window`. `None` when too few came, or for a time that is too far ahead.
///
/// Arrivals are taken as a Poisson process: of `n` expected ones, about 95 % of the time between
/// `n - 2√n` and `n + 2√n` come.
pub fn filling(
    remaining: u32,
    arrived: u32,
    window: Duration,
    now: Timestamp,
) -> Option<(Timestamp, Timestamp)> {
    if arrived < REGISTRATIONS_MIN || remaining == 0 || window.is_zero() {
        return None;
    }
    let (arrived, spread) = (f64::from(arrived), 2.0 * f64::from(arrived).sqrt());
    let after = |arrived: f64| {
        let seconds = window.as_secs_f64() * f64::from(remaining) / arrived;
        Duration::try_from_secs_f64(seconds).ok()
    };
    let (earliest, latest) = (after(arrived + spread)?, after(arrived - spread)?);
    (latest <= AHEAD_MAX).then(|| (now.plus(earliest), now.plus(latest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);
    const NOW: i64 = 1_795_251_600_000;

    fn minutes(remaining: u32, arrived: u32) -> Option<(u64, u64)> {
        let now = Timestamp::from_millis(NOW);
        let (earliest, latest) = filling(remaining, arrived, HOUR, now)?;
        let minutes = |at: Timestamp| at.since(now).as_secs() / 60;
        Some((minutes(earliest), minutes(latest)))
    }

    #[test]
    fn a_forecast_is_a_range_around_the_present_rate() {
        // 100 an hour, 50 places: half an hour at this rate.
        assert_eq!(minutes(50, 100), Some((25, 37)));
        // Fewer people, a wider range.
        assert_eq!(minutes(50, 25), Some((85, 200)));
    }

    #[test]
    fn too_few_people_no_place_and_a_far_future_have_no_forecast() {
        assert_eq!(minutes(50, 9), None);
        assert!(minutes(50, 10).is_some());
        assert_eq!(minutes(0, 100), None);
        assert_eq!(minutes(1_000_000, 10), None);
    }
}
