//! The server's metrics.

use metrics::{Counter, Gauge, counter, gauge};

use super::limits::Limit;

/// Handles of the metrics, looked up once. The recorder must be installed before [`super::serve`]
/// is called.
#[derive(Debug, Clone)]
pub(super) struct Meters {
    open: Gauge,
    accepted: Counter,
    over_total: Counter,
    over_address: Counter,
    over_requests: Counter,
    unheard: Counter,
    handed_off: Counter,
    pushing: Gauge,
    cut: Counter,
    handshakes_failed: Counter,
}

/// Whose deadline passed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Expired {
    Handshake,
    FirstRequest,
    Idle,
    Refusal,
    Stall,
}

impl Meters {
    pub(super) fn new() -> Self {
        Self {
            open: gauge!("headcount_connections_open"),
            accepted: counter!("headcount_connections_accepted_total"),
            over_total: counter!("headcount_connections_refused_total", "reason" => "total"),
            over_address: counter!("headcount_connections_refused_total", "reason" => "address"),
            over_requests: counter!("headcount_connections_refused_total", "reason" => "requests"),
            unheard: counter!("headcount_connections_unheard_total"),
            handed_off: counter!("headcount_connections_handed_off_total"),
            pushing: gauge!("headcount_connections_pushing"),
            cut: counter!("headcount_connections_cut_total"),
            handshakes_failed: counter!("headcount_tls_handshakes_failed_total"),
        }
    }

    pub(super) fn opened(&self) {
        self.accepted.increment(1);
        self.open.increment(1);
    }

    pub(super) fn closed(&self) {
        self.open.decrement(1);
    }

    pub(super) fn refused(&self, limit: Limit) {
        match limit {
            Limit::Total => self.over_total.increment(1),
            Limit::Address => self.over_address.increment(1),
            Limit::Requests => self.over_requests.increment(1),
        }
    }

    /// Closed without an answer: too many refusals at once.
    pub(super) fn unheard(&self) {
        self.unheard.increment(1);
    }

    pub(super) fn handed_off(&self) {
        self.handed_off.increment(1);
        self.pushing.increment(1);
    }

    pub(super) fn push_ended(&self) {
        self.pushing.decrement(1);
    }

    pub(super) fn cut(&self, connections: usize) {
        self.cut.increment(connections as u64);
    }

    pub(super) fn handshake_failed(&self) {
        self.handshakes_failed.increment(1);
    }
}

/// Counts a connection that its deadline closed; rare, so it is looked up each time.
pub(super) fn expired(deadline: Expired) {
    let deadline = match deadline {
        Expired::Handshake => "handshake",
        Expired::FirstRequest => "first_request",
        Expired::Idle => "idle",
        Expired::Refusal => "refusal",
        Expired::Stall => "stall",
    };
    counter!("headcount_connections_expired_total", "deadline" => deadline).increment(1);
}
