//! Guesses at a secret, the console's password or the admin token: each address has so many
//! failures a minute.
//!
//! Successes cost nothing, and an address without failures of its own is never refused, however
//! many others guess. The limit of all addresses together only holds back those that have failed
//! already.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::throttle::subscriber;

/// Failures a minute from one address. A person mistypes a few times; a guesser gets nowhere.
const PER_ADDRESS: u32 = 10;
/// Failures a minute from all addresses, before each of them has a single one.
const TOGETHER: u32 = 60;
const MINUTE: Duration = Duration::from_mins(1);
/// Addresses remembered at once, about 4 MiB. A failure is forgotten after a minute at the latest.
const ADDRESSES: usize = 65_536;

/// The failures of the last minute.
pub struct Guesses(Mutex<State>);

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
}

/// An attempt that was let through. It counts as a failure unless it [succeeds](Self::succeed).
#[must_use]
pub struct Attempt<'a> {
    guesses: &'a Guesses,
    address: IpAddr,
    succeeded: bool,
}

impl Guesses {
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
        let together = state.together.wait(now, TOGETHER, 0);
        if let Some(own) = state.addresses.get_mut(&address) {
            let failed = own.budget.spent_until > now;
            let wait = own.budget.wait(now, PER_ADDRESS, own.pending);
            let wait = if failed { wait.max(together) } else { wait };
            if !wait.is_zero() {
                return Err(wait);
            }
            own.pending += 1;
        } else {
            state.make_room(now);
            let budget = Budget { spent_until: now };
            state
                .addresses
                .insert(address, Failures { budget, pending: 1 });
        }
        Ok(Attempt {
            guesses: self,
            address,
            succeeded: false,
        })
    }

    /// Whether the address has failed in the last minute.
    pub fn has_failed(&self, address: IpAddr) -> bool {
        let state = self.lock();
        let own = state.addresses.get(&subscriber(address));
        own.is_some_and(|own| own.budget.spent_until > Instant::now())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Guesses {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    /// Forgets addresses that have not failed lately; if that is not enough, any others.
    fn make_room(&mut self, now: Instant) {
        if self.addresses.len() < ADDRESSES {
            return;
        }
        self.addresses
            .retain(|_, own| own.pending > 0 || own.budget.spent_until > now);
        let excess = (self.addresses.len() + 1).saturating_sub(ADDRESSES);
        let forgotten: Vec<_> = self.addresses.keys().take(excess).copied().collect();
        for address in forgotten {
            self.addresses.remove(&address);
        }
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

impl Attempt<'_> {
    /// The secret was right.
    pub fn succeed(mut self) {
        self.succeeded = true;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let now = Instant::now();
        let mut state = self.guesses.lock();
        if !self.succeeded {
            state.together.spend(now, TOGETHER);
        }
        let Some(own) = state.addresses.get_mut(&self.address) else {
            return;
        };
        own.pending = own.pending.saturating_sub(1);
        if !self.succeeded {
            own.budget.spend(now, PER_ADDRESS);
        } else if own.pending == 0 && own.budget.spent_until <= now {
            state.addresses.remove(&self.address);
        }
    }
}

impl fmt::Debug for Guesses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guesses")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> IpAddr {
        IpAddr::from((0xC000_0200 + n).to_be_bytes())
    }

    fn fail(guesses: &Guesses, from: IpAddr) -> bool {
        guesses.attempt(from).is_ok()
    }

    #[test]
    fn an_address_without_failures_is_never_refused() {
        let guesses = Guesses::new();
        for n in 1..=100 {
            for _ in 0..20 {
                fail(&guesses, address(n));
            }
        }
        let organiser = address(0);
        for _ in 0..1_000 {
            guesses.attempt(organiser).unwrap().succeed();
        }
        assert!(!guesses.has_failed(organiser) && guesses.has_failed(address(1)));
        assert!(
            fail(&guesses, organiser),
            "and its first failure is let through"
        );
    }

    #[test]
    fn ten_failures_a_minute_are_let_through() {
        let guesses = Guesses::new();
        let passed = (0..20).filter(|_| fail(&guesses, address(1))).count();
        assert_eq!(passed, 10);
        let wait = guesses.attempt(address(1)).err().unwrap();
        assert!(
            wait > Duration::ZERO && wait <= Duration::from_secs(6),
            "{wait:?}"
        );
    }

    #[test]
    fn attempts_that_have_not_ended_count() {
        let guesses = Guesses::new();
        let pending: Vec<_> = (0..20)
            .map_while(|_| guesses.attempt(address(1)).ok())
            .collect();
        assert_eq!(pending.len(), 10);
        for attempt in pending {
            attempt.succeed();
        }
        assert!(guesses.lock().addresses.is_empty());
    }

    #[test]
    fn together_addresses_that_fail_are_slowed_down() {
        let guesses = Guesses::new();
        let passed: usize = (1..=40)
            .map(|n| (0..10).filter(|_| fail(&guesses, address(n))).count())
            .sum();
        assert!(
            (60..=100).contains(&passed),
            "{passed} of 400: each one's first, and 60 more"
        );
    }

    #[test]
    fn memory_is_bounded() {
        let guesses = Guesses::new();
        for n in 0..2 * u32::try_from(ADDRESSES).unwrap() {
            fail(&guesses, IpAddr::from(n.to_be_bytes()));
        }
        assert!(guesses.lock().addresses.len() <= ADDRESSES);
    }
}
