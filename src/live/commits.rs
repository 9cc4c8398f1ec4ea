//! Counts the batches that are being committed, so that a fan-out can yield to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many of this process's writers have a batch at the database. Cheap to clone; clones share
/// the count.
#[derive(Debug, Clone, Default)]
pub struct Commits(Arc<AtomicUsize>);

/// One batch. It counts until this is dropped.
#[derive(Debug)]
#[must_use = "a commit is underway for as long as this lives"]
pub struct Underway(Commits);

impl Commits {
    /// Counts a batch until the guard is dropped.
    pub fn begin(&self) -> Underway {
        self.0.fetch_add(1, Ordering::Relaxed);
        Underway(self.clone())
    }

    /// Whether any batch is being committed.
    pub fn are_underway(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_underway_until_the_last_one_has_ended() {
        let commits = Commits::default();
        let seen_by_a_fanout = commits.clone();
        assert!(!seen_by_a_fanout.are_underway());
        let (one, another) = (commits.begin(), commits.begin());
        assert!(seen_by_a_fanout.are_underway());
        drop(one);
        assert!(seen_by_a_fanout.are_underway());
        drop(another);
        assert!(!seen_by_a_fanout.are_underway());
    }
}
