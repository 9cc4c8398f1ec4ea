//! The outbox: rows that a transaction leaves for mail servers and webhooks, and what workers do
//! with them.
//!
//! A row is written in the transaction that causes it (`write.rs`), claimed under a lease
//! (`claim.rs`), and finished or scheduled again (`finish.rs`). A worker that dies keeps its lease
//! until it expires, then any node claims the row. Nothing here knows what a row says.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;

use super::{Store, StoreError};
use crate::domain::outbox::{Channel, Recipient};
use crate::domain::registration::Secret;

mod claim;
mod finish;
mod look;
mod prune;
mod write;

pub use claim::{Budget, Claimed, Want};
pub use finish::Finish;
pub use look::{Backlog, History, OutboxFilter};
pub(super) use write::insert;

/// The setting that keys the digests of addresses.
const KEY: &str = "outbox_key";
/// Bytes of a digest that are stored: nobody finds a second address for 128 bits.
const DIGEST_BYTES: usize = 16;

/// What a store needs to know about outgoing messages. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Outgoing(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// `None`: no mail is configured, and no row of a mail is written.
    key: Option<Secret>,
    mails: Notify,
    fanouts: Notify,
    webhooks: Notify,
}

impl Outgoing {
    fn with_key(key: Secret) -> Self {
        Self(Arc::new(Inner {
            key: Some(key),
            ..Inner::default()
        }))
    }

    /// Whether mail is configured.
    pub fn mails(&self) -> bool {
        self.0.key.is_some()
    }

    /// Waits until this node has committed rows of a channel. A row may be there already.
    pub async fn written(&self, channel: Channel) {
        self.notify(channel).notified().await;
    }

    /// Wakes this node's workers. Those of other nodes see the rows when they look next.
    pub fn wake(&self) {
        for channel in Channel::ALL {
            self.notify(channel).notify_one();
        }
    }

    /// Each channel has one worker.
    fn notify(&self, channel: Channel) -> &Notify {
        match channel {
            Channel::Mail => &self.0.mails,
            Channel::Fanout => &self.0.fanouts,
            Channel::Webhook => &self.0.webhooks,
        }
    }

    /// The stored form of a recipient. Without the key of this installation nobody can try out
    /// addresses.
    pub(super) fn stored(&self, recipient: &Recipient) -> String {
        match (recipient, &self.0.key) {
            (Recipient::Address(address), Some(key)) => digest(key, address),
            // Only mails have addresses.
            (Recipient::Address(_), None) => String::new(),
            (Recipient::Key(key), _) => key.clone(),
        }
    }
}

fn digest(key: &Secret, address: &str) -> String {
    let digest = Sha256::new()
        .chain_update(key.reveal())
        .chain_update(address)
        .finalize();
    let mut text = String::with_capacity(2 * DIGEST_BYTES);
    for byte in digest.iter().take(DIGEST_BYTES) {
        for half in [byte >> 4, byte & 15] {
            // A half byte is a digit of base 16.
            text.push(char::from_digit(u32::from(half), 16).expect("below 16"));
        }
    }
    text
}

impl Store {
    /// The same database, for a node that sends mail: batches write mails as well.
    pub async fn with_mail(mut self) -> Result<Self, StoreError> {
        let drawn = Secret::draw();
        let key = self.setting_or_insert(KEY, drawn.reveal()).await?;
        let outgoing = Outgoing::with_key(Secret::stored(key));
        match &mut self {
            Self::Sqlite(store) => store.outgoing = outgoing,
            Self::Postgres(store) => store.outgoing = outgoing,
        }
        Ok(self)
    }

    /// What this node knows about outgoing messages.
    pub fn outgoing(&self) -> &Outgoing {
        match self {
            Self::Sqlite(store) => &store.outgoing,
            Self::Postgres(store) => &store.outgoing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_stored_as_a_digest_that_needs_the_key() {
        let (one, other) = (
            Outgoing::with_key(Secret::draw()),
            Outgoing::with_key(Secret::draw()),
        );
        let ada = Recipient::Address("ada@example.org".to_owned());
        let stored = one.stored(&ada);
        assert_eq!(stored.len(), 32);
        assert_eq!(stored, one.stored(&ada));
        assert_ne!(stored, other.stored(&ada));
        assert_eq!(Outgoing::default().stored(&ada), "");
        assert!(!format!("{ada:?}").contains("ada@"));
    }
}
