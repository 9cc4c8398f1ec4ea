//! Timeouts in the time of a process that is on time.
//!
//! A process with more work than its cores can do sees everything late: the database's answer, and
//! the end of the wait for it. Such a wait says nothing about the database, and a node that is only
//! busy must not call itself cut off from it.

use std::time::Duration;

use tokio::time::{Instant, timeout};

/// A wait is a row of timers of this length. One that fires late counts as if it were on time.
const SLICE: Duration = Duration::from_millis(100);

/// The outcome of `work`, or `None` after `limit`. While timers are late, the work gets that much
/// more time.
// Boxed, and no `async fn`: that would keep a large future twice.
pub fn within<T, F: Future<Output = T>>(
    limit: Duration,
    work: F,
) -> impl Future<Output = Option<T>> {
    let mut work = Box::pin(work);
    async move {
        let mut left = limit;
        loop {
            let slice = left.min(SLICE);
            if let Ok(outcome) = timeout(slice, work.as_mut()).await {
                return Some(outcome);
            }
            left -= slice;
            if left.is_zero() {
                return None;
            }
        }
    }
}

/// The same for one of several steps that share a deadline.
pub(super) fn by<T, F: Future<Output = T>>(
    deadline: Instant,
    work: F,
) -> impl Future<Output = Option<T>> {
    within(deadline.saturating_duration_since(Instant::now()), work)
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::task::yield_now;

    use super::*;

    /// Takes the only thread for a while, again and again.
    async fn hog(times: usize) {
        for _ in 0..times {
            std::thread::sleep(3 * SLICE);
            yield_now().await;
        }
    }

    /// Answers after eight turns of the scheduler, as a database does through a pool, a thread and a
    /// socket.
    async fn answer() -> u32 {
        for _ in 0..8 {
            yield_now().await;
        }
        42
    }

    #[tokio::test]
    async fn a_busy_process_does_not_blame_whom_it_waits_for() {
        let busy = tokio::spawn(hog(10));
        let begun = Instant::now();
        assert_eq!(within(10 * SLICE, answer()).await, Some(42));
        assert!(begun.elapsed() > 10 * SLICE, "a plain timeout has passed");
        busy.await.unwrap();
    }

    #[tokio::test]
    async fn work_that_never_ends_is_given_up_although_the_process_is_busy() {
        let busy = tokio::spawn(hog(10));
        assert_eq!(within(10 * SLICE, pending::<u32>()).await, None);
        busy.await.unwrap();
        let begun = Instant::now();
        assert_eq!(within(SLICE, pending::<u32>()).await, None);
        assert!(begun.elapsed() < 3 * SLICE, "{:?}", begun.elapsed());
    }
}
