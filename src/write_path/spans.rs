//! The spans and traces of commands on their way through the writer: `queue`, then `batch` with
//! `commit` and `publish` inside.
//!
//! A batch has commands of many requests. Each request's trace gets spans of its own, so that one
//! trace shows the whole way of one registration.

use tracing::Span;

use crate::trace::{self, SPANS, TraceId, Traces};

/// A command that waits in the queue. The span `queue` ends when it is dropped.
#[derive(Debug)]
pub(super) struct Queued {
    id: Option<TraceId>,
    request: Span,
    _queue: Span,
}

impl Queued {
    /// A command of the current request begins to wait.
    pub(super) fn begin() -> Self {
        let (request, queue) = if trace::is_on() {
            spans(Span::current())
        } else {
            (Span::none(), Span::none())
        };
        Self {
            id: trace::id(),
            request,
            _queue: queue,
        }
    }
}

/// The span of a request, and that of its command's wait. Commands of background tasks have none.
fn spans(request: Span) -> (Span, Span) {
    if request.is_disabled() {
        return (request, Span::none());
    }
    let queue = tracing::info_span!(target: SPANS, parent: &request, "queue");
    (request, queue)
}

/// The commands that one transaction commits.
pub(super) struct Batch {
    spans: Vec<Span>,
    traces: Option<Traces>,
}

impl Batch {
    /// The commands leave the queue.
    pub(super) fn begin(queued: Vec<Queued>) -> Self {
        let commands = queued.len();
        let ids: Vec<_> = queued.iter().filter_map(|queued| queued.id).collect();
        let span = |queued: Queued| {
            (!queued.request.is_disabled()).then(
                || tracing::info_span!(target: SPANS, parent: &queued.request, "batch", commands),
            )
        };
        Self {
            spans: queued.into_iter().filter_map(span).collect(),
            traces: (!ids.is_empty()).then(|| Traces::Batch(ids.into())),
        }
    }

    /// `commit` begins; it ends when the spans are dropped.
    pub(super) fn commit(&self) -> Vec<Span> {
        let span = |batch| tracing::info_span!(target: SPANS, parent: batch, "commit");
        self.spans.iter().map(span).collect()
    }

    /// `publish` begins; it ends when the spans are dropped.
    pub(super) fn publish(&self) -> Vec<Span> {
        let span = |batch| tracing::info_span!(target: SPANS, parent: batch, "publish");
        self.spans.iter().map(span).collect()
    }

    /// `work`, as part of the traces of all commands.
    pub(super) async fn scope<F: Future>(&self, work: F) -> F::Output {
        match &self.traces {
            Some(traces) => traces.clone().scope(work).await,
            None => work.await,
        }
    }
}
