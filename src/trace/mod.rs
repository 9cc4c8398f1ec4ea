//! Which request a log line, a problem document and a span belong to (docs/protocol.md, section 9).
//!
//! Every request has a trace: that of its `traceparent` (W3C Trace Context), or a new one. The task
//! that answers a request carries it, and a batch carries those of all its commands. So no function
//! has a parameter for it.
//!
//! Spans say how long each part of a request took. They leave the process through OTLP only
//! (`app::otlp`, with the cargo feature `otlp`); without that a span costs one atomic load.

mod parent;
mod span;

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use tokio::task::JoinHandle;
use tokio::task::futures::TaskLocalFuture;

use parent::Caller;
pub use span::{SPANS, is_on, of_request, status};

tokio::task_local! {
    static CURRENT: Traces;
}

/// The trace id of W3C Trace Context: 16 bytes, not all zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId([u8; 16]);

impl TraceId {
    /// The digits of an id as text.
    pub const DIGITS: usize = 32;

    fn draw() -> Self {
        Self(rand::random_range(1..=u128::MAX).to_be_bytes())
    }

    /// The bytes, in the order of the digits.
    pub fn bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The trace of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    id: TraceId,
    /// The span in the client, if it named one.
    caller: Option<Caller>,
}

impl Trace {
    /// A new trace.
    pub fn draw() -> Self {
        Self {
            id: TraceId::draw(),
            caller: None,
        }
    }

    /// The trace that a request's `traceparent` names; a new one if it names none, or not in the
    /// form of the specification.
    pub fn of_request(headers: &HeaderMap) -> Self {
        parent::read(headers).unwrap_or_else(Self::draw)
    }

    /// The id.
    pub fn id(self) -> TraceId {
        self.id
    }

    /// `future`, as part of this trace.
    pub fn scope<F: Future>(self, future: F) -> TaskLocalFuture<Traces, F> {
        Traces::One(self.id).scope(future)
    }

    /// Calls `work` as part of this trace.
    pub fn enter<T>(self, work: impl FnOnce() -> T) -> T {
        enter(Some(Traces::One(self.id)), work)
    }
}

/// What a task works for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Traces {
    /// One request.
    One(TraceId),
    /// All requests of a batch.
    Batch(Arc<[TraceId]>),
}

impl Traces {
    /// `future`, as part of these traces.
    pub fn scope<F: Future>(self, future: F) -> TaskLocalFuture<Self, F> {
        CURRENT.scope(self, future)
    }
}

/// Calls `work` as part of `traces`, if there are any.
pub fn enter<T>(traces: Option<Traces>, work: impl FnOnce() -> T) -> T {
    match traces {
        Some(traces) => CURRENT.sync_scope(traces, work),
        None => work(),
    }
}

/// The traces of the task that is running; `None` in a background task.
pub fn current() -> Option<Traces> {
    CURRENT.try_with(Clone::clone).ok()
}

/// The trace of the request that is being answered; `None` in a batch or a background task.
pub fn id() -> Option<TraceId> {
    let one = |traces: &Traces| match traces {
        Traces::One(id) => Some(*id),
        Traces::Batch(_) => None,
    };
    CURRENT.try_with(one).ok().flatten()
}

/// Spawns a task that works for the same request as the one that spawns it.
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    match current() {
        Some(traces) => tokio::spawn(traces.scope(future)),
        None => tokio::spawn(future),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_and_those_that_it_spawns_work_for_one_request() {
        assert_eq!((current(), id()), (None, None));
        let trace = Trace::draw();
        let seen = trace
            .scope(async { (id(), spawn(async { id() }).await.unwrap()) })
            .await;
        assert_eq!(seen, (Some(trace.id()), Some(trace.id())));
        let batch = Traces::Batch(Arc::new([trace.id(), Trace::draw().id()]));
        let seen = batch.clone().scope(async { (current(), id()) }).await;
        assert_eq!(seen, (Some(batch), None));
        assert_eq!(trace.enter(id), Some(trace.id()));
        assert_eq!(id(), None);
    }

    #[test]
    fn an_id_is_32_digits() {
        let id = TraceId([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        assert_eq!(id.to_string(), "000102030405060708090a0b0c0d0eff");
        assert_eq!(id.to_string().len(), TraceId::DIGITS);
        assert_ne!(Trace::draw().id(), Trace::draw().id());
    }
}
