//! Timeouts that count only when their timer fires on time.
//!
//! A process with more work than its cores can do sees everything late: the database's answer, and
//! the end of the wait for it. Such a wait says nothing about the database, and a node that is only
//! busy must not call itself cut off from it.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

/// A timer that fires later than this has waited for the process. On an idle one it is a millisecond
/// late.
const ON_TIME: Duration = Duration::from_millis(100);

/// The outcome of `work`, or `None` after `limit`. When the timer itself is late, the work gets
/// that much more time.
pub fn within<T, F: Future<Output = T>>(
    limit: Duration,
    work: F,
) -> impl Future<Output = Option<T>> {
    by(Instant::now() + limit, work)
}

/// The same for one of several steps that share a deadline.
// Boxed, and no `async fn`: that would keep a large future twice.
pub(super) fn by<T, F: Future<Output = T>>(
    deadline: Instant,
    work: F,
) -> impl Future<Output = Option<T>> {
    let mut work = Box::pin(work);
    // An earlier step may have used up more than all of it: this one is not late for that.
    let mut due = deadline.max(Instant::now());
    async move {
        loop {
            if let Ok(outcome) = timeout_at(due, work.as_mut()).await {
                return Some(outcome);
            }
            let late = due.elapsed();
            if late < ON_TIME {
                return None;
            }
            due = Instant::now() + late;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::task::yield_now;
    use tokio::time::timeout;

    use super::*;

    /// Takes the only thread for a while, again and again.
    async fn hog(times: usize) {
        for _ in 0..times {
            std::thread::sleep(3 * ON_TIME);
            yield_now().await;
        }
    }

    /// Answers in four steps, as a database does through a pool, a thread and a socket.
    async fn answer() -> u32 {
        for _ in 0..4 {
            yield_now().await;
        }
        42
    }

    #[tokio::test]
    async fn a_busy_process_does_not_blame_whom_it_waits_for() {
        let limit = ON_TIME;
        let busy = tokio::spawn(hog(8));
        assert!(
            timeout(limit, answer()).await.is_err(),
            "the process is so busy that a plain timeout passes"
        );
        assert_eq!(within(limit, answer()).await, Some(42));
        busy.await.unwrap();
    }

    #[tokio::test]
    async fn whoever_never_answers_is_given_up_once_the_process_is_on_time() {
        let busy = tokio::spawn(hog(2));
        assert_eq!(within(ON_TIME, pending::<u32>()).await, None);
        let begun = Instant::now();
        assert_eq!(within(ON_TIME, pending::<u32>()).await, None);
        assert!(begun.elapsed() < 3 * ON_TIME, "{:?}", begun.elapsed());
        busy.await.unwrap();
    }
}
