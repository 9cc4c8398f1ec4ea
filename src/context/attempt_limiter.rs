//! Guesses at a secret, the console's password or the admin token. The failures of each address in a
//! minute are limited.
//!
//! Successes cost nothing, and an address without failures of its own is never refused, however
//! many others guess. The limit of all addresses together only holds back those that have failed
//! already.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::subscriber::subscriber;

/// Failures a minute from one address. A person mistypes a few times; a guesser gets nowhere.
const PER_ADDRESS: u32 = 10;
/// Failures a minute from all addresses together. Above it, an address that has failed lately waits; one
/// without a failure never does.
const TOGETHER: u32 = 60;
const MINUTE: Duration = Duration::from_mins(1);
/// How long an address that has failed waits behind those that have not. In this time a thousand
/// addresses can delay an organiser only once, for a few seconds.
const SUSPECTED_FOR: Duration = Duration::from_mins(10);
/// Addresses remembered at once, about 8 MiB. A failure is forgotten after [`SUSPECTED_FOR`] at the
/// latest.
const ADDRESSES: usize = 65_536;
/// How many are forgotten together when all have failed lately. Forgetting one at a time would scan
/// all of them for each newcomer.
const FORGOTTEN_TOGETHER: usize = ADDRESSES / 16;

/// The failures of the last minute.
pub struct AttemptLimiter(Mutex<State>);

struct State {
    addresses: HashMap<IpAddr, Failures>,
    together: Budget,
}

/// A budget of failures that refills evenly (the generic cell rate algorithm). Each failure moves
/// `spent_until` ahead by its share of the minute.
#[derive(Clone, Copy)]
struct Budget {
    spent_until: Instant,
}

#[derive(Clone, Copy)]
struct Failures {
    budget: Budget,
    /// Attempts that have not ended.
    pending: u32,
    /// The last failure since the last success.
    failed_at: Option<Instant>,
}

/// A client that waits to make its attempt. Leaving early counts as a failure. Otherwise a client
/// could start checks without end and never fail.
#[must_use]
pub struct Arrival<'a> {
    limiter: &'a AttemptLimiter,
    address: IpAddr,
    has_left: bool,
}

/// An attempt that was let through. It counts as a failure unless it [succeeds](Self::succeed).
#[must_use]
pub struct Attempt<'a> {
    limiter: &'a AttemptLimiter,
    address: IpAddr,
    succeeded: bool,
}

impl AttemptLimiter {
    /// A tracker without failures.
    pub fn new() -> Self {
        let together = Budget {
            spent_until: Instant::now(),
        };
        Self(Mutex::new(State {
            addresses: HashMap::new(),
            together,
        }))
    }

    /// Admits one attempt, or returns how long the address has to wait.
    pub fn attempt(&self, address: IpAddr) -> Result<Attempt<'_>, Duration> {
        let address = subscriber(address);
        let now = Instant::now();
        let mut state = self.lock();
        state.check(address, now)?;
        state.address(address, now).pending += 1;
        Ok(Attempt {
            limiter: self,
            address,
            succeeded: false,
        })
    }

    /// Lets a client wait for its attempt, or says how long the address has to stay away.
    pub fn arrive(&self, address: IpAddr) -> Result<Arrival<'_>, Duration> {
        let address = subscriber(address);
        self.lock().check(address, Instant::now())?;
        Ok(Arrival {
            limiter: self,
            address,
            has_left: true,
        })
    }

    /// Whether the address has failed lately, and has not succeeded since.
    pub fn has_failed(&self, address: IpAddr) -> bool {
        let state = self.lock();
        let own = state.addresses.get(&subscriber(address));
        own.is_some_and(|own| own.is_suspected(Instant::now()))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for AttemptLimiter {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    /// Fails with the time that the address has to wait before another failure.
    fn check(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let Some(own) = self.addresses.get(&address) else {
            return Ok(());
        };
        let mut wait = own.budget.wait(now, PER_ADDRESS, own.pending);
        if own.budget.spent_until > now {
            wait = wait.max(self.together.wait(now, TOGETHER, 0));
        }
        if wait.is_zero() { Ok(()) } else { Err(wait) }
    }

    fn address(&mut self, address: IpAddr, now: Instant) -> &mut Failures {
        if !self.addresses.contains_key(&address) {
            self.make_room(now);
        }
        self.addresses.entry(address).or_insert(Failures {
            budget: Budget { spent_until: now },
            pending: 0,
            failed_at: None,
        })
    }

    /// Forgets addresses that have not failed lately; if that is not enough, any others.
    fn make_room(&mut self, now: Instant) {
        if self.addresses.len() < ADDRESSES {
            return;
        }
        self.addresses
            .retain(|_, own| own.pending > 0 || own.is_suspected(now));
        if self.addresses.len() < ADDRESSES {
            return;
        }
        let forgotten = self.addresses.keys().take(FORGOTTEN_TOGETHER);
        for address in forgotten.copied().collect::<Vec<_>>() {
            self.addresses.remove(&address);
        }
    }

    fn fail(&mut self, address: IpAddr, now: Instant) {
        self.together.spend(now, TOGETHER);
        let own = self.address(address, now);
        own.budget.spend(now, PER_ADDRESS);
        own.failed_at = Some(now);
    }
}

impl Failures {
    fn is_suspected(&self, now: Instant) -> bool {
        let recently = |at: Instant| now.saturating_duration_since(at) < SUSPECTED_FOR;
        self.budget.spent_until > now || self.failed_at.is_some_and(recently)
    }
}

impl Budget {
    /// How long until another failure fits beside `pending` ones; zero if it fits now.
    fn wait(self, now: Instant, per_minute: u32, pending: u32) -> Duration {
        let share = MINUTE / per_minute;
        let spent = self.spent_until.saturating_duration_since(now) + share * pending;
        (spent + share).saturating_sub(MINUTE)
    }

    fn spend(&mut self, now: Instant, per_minute: u32) {
        // Never more than a minute ahead: a refused attempt costs nothing.
        let ahead = self.spent_until.max(now) + MINUTE / per_minute;
        self.spent_until = ahead.min(now + MINUTE);
    }
}

impl<'a> Arrival<'a> {
    /// The client's turn has come. The limits are checked again: others of its address may have
    /// failed meanwhile.
    pub fn attempt(mut self) -> Result<Attempt<'a>, Duration> {
        self.has_left = false;
        self.limiter.attempt(self.address)
    }

    /// The client was turned away; that is no failure of its own.
    pub fn refused(mut self) {
        self.has_left = false;
    }
}

impl Drop for Arrival<'_> {
    fn drop(&mut self) {
        if self.has_left {
            self.limiter.lock().fail(self.address, Instant::now());
        }
    }
}

impl Attempt<'_> {
    /// The secret was right.
    pub fn succeed(mut self) {
        self.succeeded = true;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let now = Instant::now();
        let mut state = self.limiter.lock();
        if let Some(own) = state.addresses.get_mut(&self.address) {
            own.pending = own.pending.saturating_sub(1);
        }
        if !self.succeeded {
            state.fail(self.address, now);
        } else if let Some(own) = state.addresses.get_mut(&self.address) {
            own.failed_at = None;
            if own.pending == 0 && own.budget.spent_until <= now {
                state.addresses.remove(&self.address);
            }
        }
    }
}

impl fmt::Debug for AttemptLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AttemptLimiter")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> IpAddr {
        IpAddr::from((0xC000_0200 + n).to_be_bytes())
    }

    fn fail(limiter: &AttemptLimiter, from: IpAddr) -> bool {
        limiter.attempt(from).is_ok()
    }

    #[test]
    fn an_address_without_failures_is_never_refused() {
        let limiter = AttemptLimiter::new();
        for n in 1..=100 {
            for _ in 0..20 {
                fail(&limiter, address(n));
            }
        }
        let organiser = address(0);
        for _ in 0..1_000 {
            limiter.attempt(organiser).unwrap().succeed();
        }
        assert!(!limiter.has_failed(organiser) && limiter.has_failed(address(1)));
        assert!(
            fail(&limiter, organiser),
            "and its first failure is let through"
        );
    }

    #[test]
    fn ten_failures_a_minute_are_let_through() {
        let limiter = AttemptLimiter::new();
        let passed = (0..20).filter(|_| fail(&limiter, address(1))).count();
        assert_eq!(passed, 10);
        let wait = limiter.attempt(address(1)).err().unwrap();
        assert!(
            wait > Duration::ZERO && wait <= Duration::from_secs(6),
            "{wait:?}"
        );
    }

    #[test]
    fn attempts_that_have_not_ended_count() {
        let limiter = AttemptLimiter::new();
        let pending: Vec<_> = (0..20)
            .map_while(|_| limiter.attempt(address(1)).ok())
            .collect();
        assert_eq!(pending.len(), 10);
        for attempt in pending {
            attempt.succeed();
        }
        assert!(limiter.lock().addresses.is_empty());
    }

    #[test]
    fn together_addresses_that_fail_are_slowed_down() {
        let limiter = AttemptLimiter::new();
        let passed: usize = (1..=40)
            .map(|n| (0..10).filter(|_| fail(&limiter, address(n))).count())
            .sum();
        assert!(
            (60..=100).contains(&passed),
            "{passed} of 400: each one's first, and 60 more"
        );
    }

    #[test]
    fn a_client_that_leaves_before_its_turn_has_failed() {
        let limiter = AttemptLimiter::new();
        limiter.arrive(address(1)).unwrap().refused();
        assert!(!limiter.has_failed(address(1)));
        for _ in 0..PER_ADDRESS {
            drop(limiter.arrive(address(1)).unwrap());
        }
        assert!(limiter.has_failed(address(1)));
        assert!(limiter.arrive(address(1)).is_err() && limiter.attempt(address(1)).is_err());
        // Waiting takes nothing from the limit: an office may sign in at once.
        let waiting: Vec<_> = (0..20).map(|_| limiter.arrive(address(2))).collect();
        assert!(waiting.iter().all(Result::is_ok));
        for arrival in waiting.into_iter().flatten() {
            arrival.attempt().unwrap().succeed();
        }
        assert!(!limiter.has_failed(address(2)));
    }

    #[test]
    fn a_right_password_ends_the_suspicion_of_an_address() {
        let limiter = AttemptLimiter::new();
        let long_ago = Instant::now().checked_sub(MINUTE).unwrap();
        fail(&limiter, address(1));
        let mut state = limiter.lock();
        let own = state.addresses.get_mut(&address(1)).unwrap();
        own.budget.spent_until = long_ago;
        own.failed_at = Some(long_ago);
        drop(state);
        assert!(limiter.has_failed(address(1)), "for ten minutes");
        limiter.attempt(address(1)).unwrap().succeed();
        assert!(!limiter.has_failed(address(1)));
    }

    #[test]
    fn memory_is_bounded() {
        let limiter = AttemptLimiter::new();
        for n in 0..2 * u32::try_from(ADDRESSES).unwrap() {
            fail(&limiter, IpAddr::from(n.to_be_bytes()));
        }
        assert!(limiter.lock().addresses.len() <= ADDRESSES);
    }
}
