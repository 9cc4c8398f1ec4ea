//! Refusals in the form of each transport (docs/protocol.md, section 13).

use std::time::Duration;

use crate::context::Admission;
use crate::live::subscription::{Item, RETRY_MS};
use crate::problem::{Code, Problem};
use crate::wire::message::{Message, Reason};

/// When a client over a limit reconnects, in milliseconds. Later than after a drain: the clients
/// that fill the limit stay connected.
const LIMIT_RETRY_MS: std::ops::Range<u64> = 3_000..9_000;

/// Why a stream must not begin; `None` if it may.
pub(super) fn reason(admission: Admission) -> Option<Reason> {
    match admission {
        Admission::Admitted => None,
        Admission::OverLimit => Some(Reason::Limit),
        Admission::Draining => Some(Reason::Drain),
    }
}

/// A farewell drawn for one client.
pub(super) fn bye(reason: Reason) -> Message {
    Item::bye(reason, retry_ms(reason))
}

/// When one client reconnects, in milliseconds, drawn for each.
pub(super) fn retry_ms(reason: Reason) -> u64 {
    match reason {
        Reason::Limit => rand::random_range(LIMIT_RETRY_MS),
        Reason::Drain | Reason::Deleted => rand::random_range(RETRY_MS),
    }
}

/// The 503 for a limit.
pub(super) fn busy(detail: &'static str) -> Problem {
    Problem::new(Code::Busy, detail).retry_after(Duration::from_millis(retry_ms(Reason::Limit)))
}

/// The refusal of a request that is not a stream. Only for a limit: during a drain such requests
/// are still answered.
pub(super) fn problem(admission: Admission) -> Option<Problem> {
    match admission {
        Admission::OverLimit => {
            let detail = "too many connections are open; nothing is wrong with the request, send it again later";
            Some(busy(detail))
        }
        Admission::Admitted | Admission::Draining => None,
    }
}
