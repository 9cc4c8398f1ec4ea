//! Tasks that run as long as the server does.
//!
//! None of them should end. If one ends or panics, the server works only in part: a node without
//! its follower would show an old number for ever and report that it is ready. So the program then
//! stops with [`FAILED`](super::FAILED), and its supervisor starts it again.

use std::collections::HashMap;
use std::future::{Future, pending};

use tokio::task::{Id, JoinSet};

/// The tasks, each with the name that the log gives it.
#[derive(Debug, Default)]
pub(super) struct Background {
    tasks: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

/// A task that ended before the shutdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) task: &'static str,
    pub(super) panicked: bool,
}

impl Background {
    /// Starts a task.
    pub(super) fn spawn(
        &mut self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let id = self.tasks.spawn(task).id();
        self.names.insert(id, name);
    }

    /// Waits until a task ends, which none should.
    pub(super) async fn ended(&mut self) -> Ended {
        let (id, panicked) = match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => (id, false),
            Some(Err(error)) => (error.id(), error.is_panic()),
            None => pending().await,
        };
        let task = self.names.remove(&id).unwrap_or("unknown");
        Ended { task, panicked }
    }

    /// Waits until all tasks have ended by themselves.
    pub(super) async fn finish(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }

    /// Ends all tasks.
    pub(super) async fn shutdown(&mut self) {
        self.tasks.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_ends_or_panics_is_named() {
        let mut background = Background::default();
        background.spawn("steady", pending());
        background.spawn("faulty", async { panic!("a defect") });
        let ended = background.ended().await;
        assert_eq!((ended.task, ended.panicked), ("faulty", true));
        background.spawn("short", async {});
        let ended = background.ended().await;
        assert_eq!((ended.task, ended.panicked), ("short", false));
        background.shutdown().await;
    }
}
