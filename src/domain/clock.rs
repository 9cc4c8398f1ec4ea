//! UTC timestamps in milliseconds, and the only place that reads the system's clock.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment, in milliseconds since 1970-01-01T00:00:00Z. Its text is RFC 3339 with three decimals
/// and `Z`: `2026-11-21T09:00:00.123Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 9999-12-30T22:00:00.999Z, the last moment that jiff can show in every zone. RFC 3339 has years of
    /// four digits.
    const MAX_MS: i64 = 253_402_207_200_999;

    /// Converts milliseconds since the Unix epoch, clamped to the years 1970 to 9999.
    pub fn from_millis(ms: i64) -> Self {
        Self(ms.clamp(0, Self::MAX_MS))
    }

    /// Milliseconds since the Unix epoch.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// The moment `duration` later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self::from_millis(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// The moment `duration` earlier.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self::from_millis(
            self.0
                .saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// The time since `earlier`; zero if this is not later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The constructor clamps the value to jiff's range, so the fallback is never used.
        let at = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        write!(f, "{at:.3}")
    }
}

/// The error for a text that is no RFC 3339 date and time with an offset, or is outside of the
/// years 1970 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 date and time such as 2026-11-21T09:00:00Z")]
pub struct NotATimestamp;

impl FromStr for Timestamp {
    type Err = NotATimestamp;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let at: jiff::Timestamp = s.parse().map_err(|_| NotATimestamp)?;
        let ms = at.as_millisecond();
        if (0..=Self::MAX_MS).contains(&ms) {
            Ok(Self(ms))
        } else {
            Err(NotATimestamp)
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The source of the present moment.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The system's wall clock.
    #[default]
    System,
    /// A clock that a test sets, in milliseconds since the Unix epoch.
    Manual(Arc<AtomicI64>),
    /// Another clock, and its offset from the reference clock. All copies are corrected together.
    Corrected(Arc<Corrected>),
}

/// A clock whose error is known.
#[derive(Debug)]
pub struct Corrected {
    own: Clock,
    ahead_ms: AtomicI64,
}

impl Corrected {
    /// The moment that the clock itself shows.
    pub fn uncorrected(&self) -> Timestamp {
        self.own.now()
    }

    /// How far the clock counts as ahead, in milliseconds; negative when it is behind.
    pub fn ahead_ms(&self) -> i64 {
        self.ahead_ms.load(Ordering::SeqCst)
    }

    /// From now on the clock counts as `ahead_ms` milliseconds ahead.
    pub fn correct(&self, ahead_ms: i64) {
        self.ahead_ms.store(ahead_ms, Ordering::SeqCst);
    }
}

impl Clock {
    /// The same clock, which can be corrected; correct until then.
    #[must_use]
    pub fn correctable(self) -> Self {
        Self::Corrected(Arc::new(Corrected {
            own: self,
            ahead_ms: AtomicI64::new(0),
        }))
    }

    /// The clock itself, without a correction: for what people outside check against their own clocks,
    /// such as the dates of a certificate.
    #[must_use]
    pub fn own(&self) -> Self {
        match self {
            Self::Corrected(clock) => clock.own.clone(),
            Self::System | Self::Manual(_) => self.clone(),
        }
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        match self {
            #[expect(
                clippy::disallowed_methods,
                reason = "the one place that reads the system's clock"
            )]
            Self::System => Timestamp::from_millis(jiff::Timestamp::now().as_millisecond()),
            Self::Manual(ms) => Timestamp::from_millis(ms.load(Ordering::SeqCst)),
            Self::Corrected(clock) => {
                let shown = clock.uncorrected().as_millis();
                Timestamp::from_millis(shown.saturating_sub(clock.ahead_ms()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_has_three_decimals_and_z() {
        assert_eq!(
            Timestamp::from_millis(1_795_251_600_123).to_string(),
            "2026-11-21T09:00:00.123Z"
        );
        assert_eq!(
            Timestamp::from_millis(1_795_251_600_000).to_string(),
            "2026-11-21T09:00:00.000Z"
        );
    }

    #[test]
    fn a_timestamp_is_read_back_from_json() {
        let at = Timestamp::from_millis(1_795_251_600_123);
        let json = serde_json::to_string(&at).unwrap();
        assert_eq!(json, "\"2026-11-21T09:00:00.123Z\"");
        assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), at);
        assert!(serde_json::from_str::<Timestamp>("\"today\"").is_err());
    }

    #[test]
    fn times_are_added_and_compared_and_a_manual_clock_shows_the_time_that_was_set() {
        let clock = Clock::Manual(Arc::new(AtomicI64::new(5_000)));
        let now = clock.now();
        assert_eq!(now.as_millis(), 5_000);
        assert_eq!(now.plus(Duration::from_secs(1)).as_millis(), 6_000);
        assert_eq!(
            now.since(Timestamp::from_millis(2_000)),
            Duration::from_secs(3)
        );
        assert_eq!(now.since(now.plus(Duration::MAX)), Duration::ZERO);
    }

    #[test]
    fn all_copies_of_a_clock_are_corrected_together() {
        let clock = Clock::Manual(Arc::new(AtomicI64::new(5_000))).correctable();
        let copy = clock.clone();
        assert_eq!(copy.now().as_millis(), 5_000);
        let Clock::Corrected(corrected) = &clock else {
            panic!("it can be corrected");
        };
        corrected.correct(3_000);
        assert_eq!(copy.now().as_millis(), 2_000);
        corrected.correct(-1_000);
        assert_eq!(copy.now().as_millis(), 6_000);
        assert_eq!(corrected.uncorrected().as_millis(), 5_000);
        assert_eq!(copy.own().now().as_millis(), 5_000);
    }

    #[test]
    fn a_timestamp_may_have_an_offset_and_a_local_time_is_refused() {
        assert_eq!(
            "2026-11-21T10:00:00.123+01:00".parse(),
            Ok(Timestamp::from_millis(1_795_251_600_123))
        );
        assert_eq!(
            "2026-11-21T09:00:00".parse::<Timestamp>(),
            Err(NotATimestamp)
        );
        assert_eq!("yesterday".parse::<Timestamp>(), Err(NotATimestamp));
    }
}
