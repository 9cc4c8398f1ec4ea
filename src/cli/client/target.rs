//! The event that a client follows, and its options.

use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::ClientConfig;

use super::address::Base;
use crate::domain::event::Slug;

/// An event at a server, with the options that all its watchers share.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Target {
    pub(in crate::cli) base: Base,
    pub(in crate::cli) slug: Slug,
    /// The time between two requests of an interval poll.
    pub(in crate::cli) interval: Duration,
    pub(in crate::cli) tls: Arc<ClientConfig>,
}

impl Target {
    /// How long a long poll stays open: less than the minute after which many proxies cut an idle
    /// response.
    pub(super) const LONG_POLL_WAIT: Duration = Duration::from_secs(25);

    /// The request target of the event's API, e.g. `/api/v1/events/welcome/stream`.
    pub(super) fn path(&self, rest: &str) -> String {
        format!("{}api/v1/events/{}{rest}", self.base.path, self.slug)
    }
}

/// A target for the tests of this folder.
#[cfg(test)]
pub(super) fn example() -> Target {
    let (base, slug) = super::address::event("http://127.0.0.1:1/e/a").unwrap();
    Target {
        base,
        slug,
        interval: Duration::from_secs(1),
        tls: super::tls::config(true).unwrap(),
    }
}
