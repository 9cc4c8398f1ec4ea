//! The stall deadline of HTTP/2. Each stream has a window of its own, so a client may take nothing
//! of one answer while its connection works.
//!
//! hyper runs each stream as a future of our executor. It asks an answer's body for the next frame
//! only when the client's window has room for the frame before. So a body that has given a frame
//! and is not asked again belongs to a client that takes nothing. After the deadline the future is
//! dropped, which resets the stream (RFC 9113, section 5.4.2) and frees what it holds.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use hyper::rt::Executor;
use tokio::time::{Instant, sleep};

use super::meters::{Expired, expired};

tokio::task_local! {
    static PROGRESS: Arc<Progress>;
}

/// How much of one stream's answer the client has taken.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Odd while a frame waits for the client; it grows with each step.
    steps: AtomicUsize,
}

impl Progress {
    /// Of the stream whose future is running; `None` outside HTTP/2.
    pub(super) fn of_this_stream() -> Option<Arc<Self>> {
        PROGRESS.try_with(Arc::clone).ok()
    }

    /// The client has room: hyper asks for a frame.
    pub(super) fn asked(&self) {
        if self.waits() {
            self.steps.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// hyper has a frame that waits for the client.
    pub(super) fn given(&self) {
        if !self.waits() {
            self.steps.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn waits(&self) -> bool {
        self.steps.load(Ordering::Relaxed) % 2 == 1
    }

    /// Ends when one frame has waited for `deadline`. Runs in the stream's own task, after the
    /// stream, so it is polled whenever a step was made.
    async fn stalled(&self, deadline: Duration) {
        let mut timer = pin!(sleep(deadline));
        let mut seen = 0;
        poll_fn(|cx| {
            let steps = self.steps.load(Ordering::Relaxed);
            if steps != seen {
                seen = steps;
                timer.as_mut().reset(Instant::now() + deadline);
            }
            // While nothing waits the timer may pass: the next step sets it again.
            match timer.as_mut().poll(cx) {
                Poll::Ready(()) if self.waits() => Poll::Ready(()),
                Poll::Ready(()) | Poll::Pending => Poll::Pending,
            }
        })
        .await;
    }
}

/// Runs the streams of HTTP/2 connections.
#[derive(Debug, Clone, Copy)]
pub(super) struct StreamExecutor {
    pub(super) stall: Duration,
}

impl<F> Executor<F> for StreamExecutor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let stall = self.stall;
        let progress = Arc::new(Progress::default());
        // Boxed: the task's future would hold it three times, and a client has many.
        let mut stream = Box::pin(PROGRESS.scope(Arc::clone(&progress), stream));
        tokio::spawn(async move {
            tokio::select! {
                biased;
                () = &mut stream => {}
                () = progress.stalled(stall) => expired(Expired::Stall),
            }
        });
    }
}
