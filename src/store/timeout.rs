//! Timeouts that allow for a busy process.
//!
//! A process with more work than its cores can do sees everything late: the database's answer, and
//! its own timer. Then a timeout says nothing about the database, and a busy node must not report
//! that its database is away.

use std::time::Duration;

use tokio::time::{Instant, timeout};

/// A wait consists of timers of this length. A timer that fires late counts as if it were on time.
const SLICE: Duration = Duration::from_millis(100);

/// The outcome of `work`, or `None` after `limit`. Late timers extend the limit by their delay.
// Boxed, and not an `async fn`, which would hold a large future twice.
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

/// Like [`within`], for one of several steps that share a deadline.
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

    /// Blocks the only thread for a while, `times` times.
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
    async fn a_busy_process_does_not_blame_the_database() {
        let busy = tokio::spawn(hog(10));
        let begun = Instant::now();
        assert_eq!(within(10 * SLICE, answer()).await, Some(42));
        assert!(begun.elapsed() > 10 * SLICE, "a plain timeout has passed");
        busy.await.unwrap();
    }

    #[tokio::test]
    async fn work_that_never_ends_times_out_in_a_busy_process() {
        let busy = tokio::spawn(hog(10));
        assert_eq!(within(10 * SLICE, pending::<u32>()).await, None);
        busy.await.unwrap();
        let begun = Instant::now();
        assert_eq!(within(SLICE, pending::<u32>()).await, None);
        assert!(begun.elapsed() < 3 * SLICE, "{:?}", begun.elapsed());
    }
}
