//! What to do with the time that the database takes.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// Awaits what the database does, and does something `meanwhile`, once the work is handed over.
pub(super) async fn alongside<T>(work: impl Future<Output = T>, meanwhile: impl FnOnce()) -> T {
    let mut work = pin!(work);
    // After the first poll it is as a rule with the database, or done.
    let done = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await;
    meanwhile();
    match done {
        Poll::Ready(done) => done,
        Poll::Pending => work.await,
    }
}

/// To be done first in the time that another thread takes: gives this thread's core away. Where the two threads share a core, the other one
/// would otherwise begin only when this one has nothing else left, and whoever waits for the answer would have waited for all of that. Where
/// nobody else wants the core, this costs a system call.
pub(super) fn step_aside() {
    std::thread::yield_now();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts how often the work is asked, which is done at the `n`th time, and what was done meanwhile.
    async fn done_at(n: u32) -> (u32, u32) {
        let mut asked = 0;
        let work = poll_fn(|context| {
            asked += 1;
            context.waker().wake_by_ref();
            if asked == n {
                Poll::Ready(asked)
            } else {
                Poll::Pending
            }
        });
        let mut done = 0;
        let came = alongside(work, || done += 1).await;
        (came, done)
    }

    #[tokio::test]
    async fn it_gives_what_came_of_the_work_asks_nothing_that_is_done_and_does_the_other_thing_once()
     {
        for n in 1..=5 {
            assert_eq!(done_at(n).await, (n, 1));
        }
    }
}
