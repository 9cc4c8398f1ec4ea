//! Rate limits: which address has to slow down, and for how long.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::attempt_limiter::AttemptLimiter;
use super::password_queue::PasswordQueue;
use super::render_queue::RenderQueue;
use super::subscriber::subscriber;

/// Opening the lab writes rows that stay in the audit log. It is needed once, and again after the
/// lab was dropped.
const LABS_A_MINUTE: NonZeroU32 = NonZeroU32::new(6).expect("not zero");
/// Addresses that were not seen for a while are forgotten after this many checks. So memory depends
/// only on recent visitors.
const SWEEP_EVERY: u32 = 4_096;

/// The limits of one process.
pub struct Throttle {
    /// `None` is off.
    registrations: Option<PerAddress>,
    /// Changes of registrations. Apart, so that people who correct theirs keep nobody from
    /// registering.
    changes: Option<PerAddress>,
    /// Guesses at the console's password.
    pub passwords: AttemptLimiter,
    /// Guesses at the admin token. Apart, so that a person who mistypes does not stop the programs
    /// at the same address.
    pub tokens: AttemptLimiter,
    /// Guesses at the links with which accounts set their passwords. Apart for the same reason.
    pub links: AttemptLimiter,
    /// Permits to check the console's password.
    pub password_checks: PasswordQueue,
    /// Permits to render a list of all events.
    pub lists: RenderQueue,
    /// Permits to read how an event's counts developed. Apart, like those below, so that a crowd at one
    /// keeps nobody from the page of all events.
    pub series: RenderQueue,
    /// Permits to render a calendar file.
    pub calendars: RenderQueue,
    labs: DefaultDirectRateLimiter,
}

impl Throttle {
    /// Registrations a minute from one address, and as many changes; 0 is off.
    pub fn new(registrations_a_minute: u32) -> Self {
        let a_minute = NonZeroU32::new(registrations_a_minute);
        Self {
            registrations: a_minute.map(PerAddress::new),
            changes: a_minute.map(PerAddress::new),
            passwords: AttemptLimiter::new(),
            tokens: AttemptLimiter::new(),
            links: AttemptLimiter::new(),
            password_checks: PasswordQueue::new(),
            lists: RenderQueue::default(),
            series: RenderQueue::default(),
            calendars: RenderQueue::default(),
            labs: RateLimiter::direct(Quota::per_minute(LABS_A_MINUTE)),
        }
    }

    /// Counts one attempt to register; an error says how long to wait.
    pub fn registration(&self, address: IpAddr) -> Result<(), Duration> {
        self.registrations
            .as_ref()
            .map_or(Ok(()), |limit| limit.check(address))
    }

    /// Counts one attempt to change a registration; an error says how long to wait.
    pub fn change(&self, address: IpAddr) -> Result<(), Duration> {
        self.changes
            .as_ref()
            .map_or(Ok(()), |limit| limit.check(address))
    }

    /// Counts one opening of the lab; an error says how long to wait.
    pub fn lab(&self) -> Result<(), Duration> {
        let opened = self.labs.check();
        opened.map_err(|until| until.wait_time_from(DefaultClock::default().now()))
    }
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Throttle")
    }
}

/// This many a minute from each address; all of them may come at once.
struct PerAddress {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    checks: AtomicU32,
}

impl PerAddress {
    fn new(a_minute: NonZeroU32) -> Self {
        Self {
            limiter: RateLimiter::keyed(Quota::per_minute(a_minute)),
            checks: AtomicU32::new(0),
        }
    }

    fn check(&self, address: IpAddr) -> Result<(), Duration> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        self.limiter
            .check_key(&subscriber(address))
            .map_err(|until| until.wait_time_from(DefaultClock::default().now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_held_and_its_neighbour_is_not() {
        let throttle = Throttle::new(2);
        let (one, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        assert!(throttle.registration(one).is_ok() && throttle.registration(one).is_ok());
        let wait = throttle.registration(one).unwrap_err();
        assert!(
            wait > Duration::ZERO && wait <= Duration::from_secs(30),
            "{wait:?}"
        );
        assert!(throttle.registration(other).is_ok());
        assert!(throttle.change(one).is_ok() && throttle.change(one).is_ok());
        assert!(throttle.change(one).is_err() && throttle.change(other).is_ok());
    }

    #[test]
    fn a_whole_v6_line_is_one_and_a_mapped_v4_address_is_v4() {
        let throttle = Throttle::new(1);
        assert!(
            throttle
                .registration("2001:db8:1:2::1".parse().unwrap())
                .is_ok()
        );
        assert!(
            throttle
                .registration("2001:db8:1:2:ffff::9".parse().unwrap())
                .is_err()
        );
        assert!(
            throttle
                .registration("2001:db8:1:3::1".parse().unwrap())
                .is_ok()
        );
        assert!(
            throttle
                .registration("::ffff:192.0.2.7".parse().unwrap())
                .is_ok()
        );
        assert!(throttle.registration("192.0.2.7".parse().unwrap()).is_err());
    }

    #[test]
    fn zero_is_off() {
        let throttle = Throttle::new(0);
        assert!((0..10_000).all(|_| throttle.registration(IpAddr::from([127, 0, 0, 1])).is_ok()));
    }

    #[test]
    fn who_was_not_seen_for_a_while_is_forgotten() {
        // 6,000,000 a minute: an address counts as forgotten after 10 µs.
        let limit = PerAddress::new(NonZeroU32::new(6_000_000).unwrap());
        for n in 0..3 * SWEEP_EVERY {
            let _ = limit.check(IpAddr::from(n.to_be_bytes()));
        }
        assert!(
            limit.limiter.len() < 2 * SWEEP_EVERY as usize,
            "{}",
            limit.limiter.len()
        );
    }
}
