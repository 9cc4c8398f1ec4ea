//! When a client must have joined, and when the server pings it.

use std::time::Duration;

use tokio::time::Instant;

/// The server's ping: the first one a whole interval after the opening.
pub const PING_EVERY: Duration = Duration::from_secs(25);
/// A client that has not answered a ping by then is gone.
pub const PONG_WITHIN: Duration = Duration::from_secs(20);
/// How long a client may take to join the namespace.
const JOIN_WITHIN: Duration = Duration::from_secs(10);

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing.
    Nothing,
    /// A ping must be sent; returned once for each ping.
    Ping,
    /// The client is gone.
    Gone,
}

/// One session's deadlines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadlines {
    join_by: Instant,
    ping_at: Instant,
    pong_by: Option<Instant>,
}

impl Deadlines {
    /// The deadlines of a session that opens now.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            join_by: now + JOIN_WITHIN,
            ping_at: now + PING_EVERY,
            pong_by: None,
        }
    }

    /// When to check again.
    pub(super) fn next(&self, has_joined: bool) -> Instant {
        let ping = self.pong_by.unwrap_or(self.ping_at);
        if has_joined {
            ping
        } else {
            ping.min(self.join_by)
        }
    }

    /// What is due now.
    pub(super) fn check(&mut self, now: Instant, has_joined: bool) -> Due {
        if !has_joined && self.join_by <= now {
            return Due::Gone;
        }
        match self.pong_by {
            Some(by) if by <= now => Due::Gone,
            None if self.ping_at <= now => {
                // From when it was due, not from now: a client that does not poll gets no more
                // time.
                let by = self.ping_at + PONG_WITHIN;
                self.pong_by = Some(by);
                if by <= now { Due::Gone } else { Due::Ping }
            }
            Some(_) | None => Due::Nothing,
        }
    }

    /// The client has answered.
    pub(super) fn pong(&mut self, now: Instant) {
        self.pong_by = None;
        self.ping_at = now + PING_EVERY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_ping_comes_after_the_interval_and_silence_ends_the_session() {
        let began = Instant::now();
        let at = |secs| began + Duration::from_secs(secs);
        let mut deadlines = Deadlines::new(began);
        assert_eq!(deadlines.check(at(9), false), Due::Nothing);
        assert_eq!(deadlines.clone().check(at(10), false), Due::Gone);
        assert_eq!(deadlines.check(at(24), true), Due::Nothing);
        assert_eq!(deadlines.next(true), at(25));
        assert_eq!(deadlines.check(at(25), true), Due::Ping);
        assert_eq!(deadlines.check(at(26), true), Due::Nothing);
        deadlines.pong(at(27));
        assert_eq!(deadlines.next(true), at(52));
        assert_eq!(deadlines.check(at(60), true), Due::Ping);
        assert_eq!(deadlines.next(true), at(72));
        assert_eq!(deadlines.check(at(71), true), Due::Nothing);
        assert_eq!(deadlines.check(at(72), true), Due::Gone);
        assert_eq!(Deadlines::new(began).check(at(45), true), Due::Gone);
    }
}
