//! Notices when people do not register by themselves: registrations of an event that come from many
//! addresses, and fail or exceed the usual rate. Each node notices by itself.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::subscriber::subscriber;
use crate::domain::clock::Timestamp;
use crate::domain::event::EventId;

/// What counts as one moment.
const WINDOW: Duration = Duration::from_mins(1);
/// Fewest failing addresses within [`WINDOW`] that count as a surge, if at least half of all fail.
const FAILING: usize = 10;
/// Fewest addresses within [`WINDOW`] that count as a surge, even if few usually come.
const CROWD: usize = 60;
/// A crowd is this many times what is usual.
const TIMES_USUAL: f64 = 4.0;
/// What a minute adds to the usual rate, which so follows about the last ten minutes.
const WEIGHT: f64 = 0.1;
/// How long visitors need a proof after the last sign of a surge.
const ASKED_FOR: Duration = Duration::from_mins(10);
/// Addresses remembered for each event, about 256 KiB.
const ADDRESSES: usize = 4_096;
/// Old addresses are removed at most this often.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// An event without registrations for this time is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(1);

/// The surges of all events. The lock is held for a few instructions, or to sweep one event.
#[derive(Default)]
pub struct SurgeDetector(Mutex<HashMap<EventId, Surge>>);

#[derive(Default)]
struct Surge {
    tried: Recent,
    failed: Recent,
    /// Addresses a minute, before the surge.
    usual: f64,
    /// Up to when `usual` is known.
    known_to: Timestamp,
    seen: Timestamp,
    asks_until: Timestamp,
}

/// The addresses of the last minute.
#[derive(Default)]
struct Recent {
    addresses: HashMap<IpAddr, Timestamp>,
    swept: Timestamp,
}

impl SurgeDetector {
    /// Notes an attempt to register. Returns whether a surge begins with it.
    pub fn note_attempt(&self, event: EventId, address: IpAddr, now: Timestamp) -> bool {
        self.note(event, now, |surge| {
            surge.learn(now);
            surge.tried.add(subscriber(address), now);
        })
    }

    /// Notes that an attempt was refused as a person's would rarely be. Returns whether a surge
    /// begins with it.
    pub fn note_failure(&self, event: EventId, address: IpAddr, now: Timestamp) -> bool {
        self.note(event, now, |surge| {
            surge.failed.add(subscriber(address), now);
        })
    }

    /// Whether visitors need a proof now.
    pub fn is_on(&self, event: EventId, now: Timestamp) -> bool {
        let events = self.lock();
        events
            .get(&event)
            .is_some_and(|surge| surge.asks_until > now)
    }

    fn note(&self, event: EventId, now: Timestamp, add: impl FnOnce(&mut Surge)) -> bool {
        let mut events = self.lock();
        if !events.contains_key(&event) {
            events.retain(|_, surge| now.since(surge.seen) < FORGOTTEN_AFTER);
        }
        let surge = events.entry(event).or_insert_with(|| Surge {
            known_to: now,
            ..Surge::default()
        });
        surge.seen = now;
        add(surge);
        // Neither list may hold what is older than the other.
        surge.tried.sweep(now);
        surge.failed.sweep(now);
        let was_on = surge.asks_until > now;
        if surge.is_sign() {
            surge.asks_until = now.plus(ASKED_FOR);
        }
        !was_on && surge.asks_until > now
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<EventId, Surge>> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SurgeDetector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SurgeDetector")
    }
}

impl Surge {
    /// Adds the minutes that have passed to the usual rate. What is unusual is not learned.
    fn learn(&mut self, now: Timestamp) {
        let minutes = now.since(self.known_to).as_secs() / WINDOW.as_secs();
        if minutes == 0 {
            return;
        }
        self.known_to = now;
        if self.asks_until > now {
            return;
        }
        // The first of these minutes had the addresses that are remembered; the others had none.
        let seen = u32::try_from(self.tried.addresses.len()).unwrap_or(u32::MAX);
        self.usual += (f64::from(seen) - self.usual) * WEIGHT;
        let quiet = i32::try_from(minutes - 1).unwrap_or(i32::MAX);
        self.usual *= (1.0 - WEIGHT).powi(quiet);
    }

    fn is_sign(&self) -> bool {
        let (tried, failed) = (self.tried.addresses.len(), self.failed.addresses.len());
        let fails = failed >= FAILING && failed * 2 >= tried;
        let many = f64::from(u32::try_from(tried).unwrap_or(u32::MAX));
        fails || (tried >= CROWD && many >= self.usual * TIMES_USUAL)
    }
}

impl Recent {
    fn sweep(&mut self, now: Timestamp) {
        if now.since(self.swept) >= SWEEP_EVERY {
            self.addresses.retain(|_, at| now.since(*at) < WINDOW);
            self.swept = now;
        }
    }

    fn add(&mut self, address: IpAddr, now: Timestamp) {
        self.sweep(now);
        if self.addresses.len() < ADDRESSES || self.addresses.contains_key(&address) {
            self.addresses.insert(address, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    const NOON: i64 = 1_795_251_600_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(NOON + seconds * 1_000)
    }

    fn address(n: u32) -> IpAddr {
        IpAddr::from((0x0A00_0000 + n).to_be_bytes())
    }

    /// Each of `people` tries, and fails if asked to.
    fn minute(surges: &SurgeDetector, people: std::ops::Range<u32>, fail: bool, start: i64) {
        for (n, person) in people.enumerate() {
            let now = at(start + i64::try_from(n % 60).unwrap());
            surges.note_attempt(1, address(person), now);
            if fail {
                surges.note_failure(1, address(person), now);
            }
        }
    }

    #[test]
    fn failures_from_many_addresses_are_a_surge() {
        let surges = SurgeDetector::default();
        minute(&surges, 0..9, true, 0);
        assert!(!surges.is_on(1, at(9)), "a few people mistype");
        surges.note_attempt(1, address(9), at(10));
        assert!(surges.note_failure(1, address(9), at(10)), "it begins");
        assert!(!surges.note_failure(1, address(10), at(11)), "it goes on");
        assert!(surges.is_on(1, at(11)) && !surges.is_on(2, at(11)));
        assert!(surges.is_on(1, at(600)), "for ten minutes");
        assert!(!surges.is_on(1, at(612)));
        assert!(
            !surges.note_attempt(1, address(11), at(612)),
            "old failures do not count"
        );
    }

    #[test]
    fn one_address_is_not_many_however_often_it_fails() {
        let surges = SurgeDetector::default();
        let line = |n: u64| {
            IpAddr::V6(Ipv6Addr::from_bits(
                (0x2001_0DB8_0001_0002 << 64) + u128::from(n),
            ))
        };
        for n in 0..500 {
            for one in [address(1), line(n)] {
                surges.note_attempt(1, one, at(0));
                surges.note_failure(1, one, at(0));
            }
        }
        assert!(!surges.is_on(1, at(0)));
    }

    #[test]
    fn a_few_mistakes_among_many_people_are_no_surge() {
        let surges = SurgeDetector::default();
        minute(&surges, 0..40, false, 0);
        minute(&surges, 0..15, true, 0);
        assert!(!surges.is_on(1, at(59)));
    }

    #[test]
    fn failures_spread_over_time_are_no_surge() {
        let surges = SurgeDetector::default();
        for n in 0..200 {
            let now = at(i64::from(n) * 10);
            surges.note_attempt(1, address(n), now);
            surges.note_failure(1, address(n), now);
        }
        assert!(!surges.is_on(1, at(2_000)));
    }

    #[test]
    fn more_than_the_usual_rate_is_a_surge() {
        let quiet = SurgeDetector::default();
        minute(&quiet, 0..59, false, 0);
        assert!(!quiet.is_on(1, at(60)));
        minute(&quiet, 0..60, false, 0);
        assert!(quiet.is_on(1, at(60)), "sixty where nobody usually comes");
        let busy = SurgeDetector::default();
        // More people come from minute to minute.
        for m in 0..40 {
            let people = 20 + u32::try_from(m).unwrap();
            minute(&busy, 0..people, false, m * 60);
        }
        minute(&busy, 0..80, false, 2_400);
        assert!(!busy.is_on(1, at(2_460)), "eighty where fifty usually come");
        minute(&busy, 0..400, false, 2_460);
        assert!(busy.is_on(1, at(2_520)));
    }

    #[test]
    fn memory_is_bounded() {
        let surges = SurgeDetector::default();
        for n in 0..10_000 {
            surges.note_attempt(1, address(n), at(0));
        }
        assert_eq!(surges.lock()[&1].tried.addresses.len(), ADDRESSES);
        for event in 0..100 {
            surges.note_attempt(event, address(1), at(1));
        }
        surges.note_attempt(1_000, address(1), at(4_000));
        assert_eq!(surges.lock().len(), 1, "the others are forgotten");
    }
}
