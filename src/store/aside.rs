//! Makes room for a thread that was just given something to do.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// Awaits what another thread does, and gives this thread's core away once, when the work is handed over. Where the two threads share a core,
/// the other one would otherwise begin only when this one has nothing else left, and whoever waits for the answer would have waited for all of
/// that. Where nobody else wants the core, this costs a system call.
pub(super) async fn step_aside<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    // What is not done after the first poll is with the other thread.
    if let Poll::Ready(done) = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await {
        return done;
    }
    std::thread::yield_now();
    work.await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts how often it is asked; done at the `n`th time.
    async fn done_at(n: u32) -> u32 {
        let mut asked = 0;
        step_aside(poll_fn(|context| {
            asked += 1;
            context.waker().wake_by_ref();
            if asked == n { Poll::Ready(asked) } else { Poll::Pending }
        }))
        .await
    }

    #[tokio::test]
    async fn it_gives_what_came_of_the_work_and_asks_nothing_that_is_done() {
        for n in 1..=5 {
            assert_eq!(done_at(n).await, n);
        }
    }
}
