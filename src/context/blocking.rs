//! Work that keeps a thread busy, away from the threads that serve requests.

use tokio::task::spawn_blocking;

/// Runs `work` on a thread of its own; `None` if it panics or the process ends.
///
/// `permit` is what limits such work. It is dropped when the work ends, and not when the caller
/// leaves: a thread cannot be cancelled. A client that sends requests and cancels them would
/// otherwise start one thread after another, as many as the runtime has.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where work gets its permit"
)]
pub async fn run<P, T>(permit: P, work: impl FnOnce() -> T + Send + 'static) -> Option<T>
where
    P: Send + 'static,
    T: Send + 'static,
{
    let running = spawn_blocking(move || {
        let outcome = work();
        drop(permit);
        outcome
    });
    running.await.ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn cancelled_callers_leave_no_more_work_than_there_are_permits() {
        const AT_ONCE: usize = 2;
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        for _ in 0..20 {
            let permit = Arc::clone(&permits).acquire_owned();
            let permit = permit.await.expect("never closed");
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            let caller = tokio::spawn(run(permit, move || {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                // The work, which keeps its thread busy.
                std::thread::sleep(Duration::from_millis(10));
                running.fetch_sub(1, Ordering::SeqCst);
            }));
            // The work has been handed over, and its caller leaves.
            tokio::task::yield_now().await;
            caller.abort();
        }
        let _all = permits.acquire_many(2).await.expect("never closed");
        assert_eq!(running.load(Ordering::SeqCst), 0);
        assert!(most.load(Ordering::SeqCst) <= AT_ONCE);
    }

    #[tokio::test]
    async fn work_that_panics_gives_its_permit_back() {
        let permits = Arc::new(Semaphore::new(1));
        let permit = Arc::clone(&permits).acquire_owned().await.unwrap();
        let outcome: Option<()> = run(permit, || panic!("a defect")).await;
        assert!(outcome.is_none());
        assert_eq!(permits.available_permits(), 1);
    }
}
