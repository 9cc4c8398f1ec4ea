//! Notifications of other nodes' commits, on a connection of its own.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool};
use sqlx::query;

use super::super::StoreError;
use crate::domain::event::EventId;
use crate::domain::position::Revision;

/// The channel of all notifications.
pub(super) const CHANNEL: &str = "headcount";
/// After this much silence the connection is tested: a lost one looks just like one on which
/// nothing happens.
const SILENCE: Duration = Duration::from_secs(2);
/// How long that test may take.
const TRIAL: Duration = Duration::from_secs(1);

/// What a [`Listener`] receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notification {
    /// A node committed this revision; it may be this node itself.
    Committed(EventId, Revision),
    /// Something other than the count changed: the event was deleted, or its organiser announced
    /// something.
    Invalidated(EventId),
    /// The connection is gone, and notifications with it: listen again, then read everything again.
    Lost,
}

/// A connection that receives notifications. It never reconnects by itself, because it would hide
/// the notifications that it missed.
#[derive(Debug)]
pub struct Listener {
    inner: PgListener,
    lost: bool,
}

impl Listener {
    pub(super) async fn open(pool: &PgPool) -> Result<Self, StoreError> {
        let mut inner = PgListener::connect_with(pool).await?;
        inner.eager_reconnect(false);
        inner.listen(CHANNEL).await?;
        Ok(Self { inner, lost: false })
    }

    /// Waits for the next commit. Once lost, it stays lost. Nothing is missed when the future is
    /// dropped before it is ready.
    pub async fn next(&mut self) -> Notification {
        while !self.lost {
            match tokio::time::timeout(SILENCE, self.inner.try_recv()).await {
                // Other programs may use a channel of this name: skip what is not our payload.
                Ok(Ok(Some(notification))) => {
                    if let Some(notification) = parse(notification.payload()) {
                        return notification;
                    }
                }
                Ok(Ok(None) | Err(_)) => self.lost = true,
                Err(_) => self.lost = !self.is_alive().await,
            }
        }
        Notification::Lost
    }

    async fn is_alive(&mut self) -> bool {
        let trial = tokio::time::timeout(TRIAL, query("SELECT 1").execute(&mut self.inner)).await;
        matches!(trial, Ok(Ok(_)))
    }
}

/// The payload of a notification. It has no personal data: listeners read the row anyway.
pub(super) fn payload(event: EventId, revision: Option<Revision>) -> String {
    revision.map_or_else(
        || event.to_string(),
        |revision| format!("{event}:{revision}"),
    )
}

/// `<event>:<revision>`, or `<event>` alone.
fn parse(payload: &str) -> Option<Notification> {
    match payload.split_once(':') {
        Some((event, revision)) => Some(Notification::Committed(
            event.parse().ok()?,
            revision.parse().ok()?,
        )),
        None => Some(Notification::Invalidated(payload.parse().ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_its_own_payload_and_no_other() {
        assert_eq!(
            parse(&payload(7, Some(128))),
            Some(Notification::Committed(7, 128))
        );
        assert_eq!(parse(&payload(7, None)), Some(Notification::Invalidated(7)));
        for foreign in ["", ":", "x", "7:", "7:x", "seven:1", "7:1:2"] {
            assert_eq!(parse(foreign), None, "{foreign:?}");
        }
    }
}
