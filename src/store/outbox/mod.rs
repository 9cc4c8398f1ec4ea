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
use crate::domain::registration::{Registration, Secret};

mod claim;
mod finish;
mod look;
mod prune;
mod write;

pub use claim::{Budget, Claimed, PerLane, Want};
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
    /// `None`: this installation has never sent mail.
    key: Option<Secret>,
    /// Whether mail is configured; without it no row of a mail is written.
    sends: bool,
    mails: Notify,
    fanouts: Notify,
    webhooks: Notify,
}

impl Outgoing {
    fn with_key(key: Secret, sends: bool) -> Self {
        Self(Arc::new(Inner {
            key: Some(key),
            sends,
            ..Inner::default()
        }))
    }

    /// Whether mail is configured.
    pub fn mails(&self) -> bool {
        self.0.sends
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

    /// The secret of the link to a registration that only mails contain. Who opens it reads the mails
    /// to the address. It follows from the private link's secret and this installation's key, so
    /// that it is stored nowhere and a registration of any version has one. `None` if this
    /// installation has never sent mail.
    pub fn mailed_secret(&self, row: &Registration) -> Option<Secret> {
        let key = self.0.key.as_ref()?;
        let digest = Sha256::new()
            .chain_update(key.reveal())
            .chain_update("mailed link ")
            .chain_update(row.token().to_string())
            .finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Some(Secret::of_number(u128::from_be_bytes(bytes)))
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
    pub async fn with_mail(self) -> Result<Self, StoreError> {
        let drawn = Secret::draw();
        let key = self.setting_or_insert(KEY, drawn.reveal()).await?;
        Ok(self.with_outgoing(Outgoing::with_key(Secret::stored(key), true)))
    }

    /// The same database, for a node that sends no mail: links that were mailed before still open.
    pub async fn with_mailed_links(self) -> Result<Self, StoreError> {
        Ok(match self.setting(KEY).await? {
            Some(key) => self.with_outgoing(Outgoing::with_key(Secret::stored(key), false)),
            None => self,
        })
    }

    fn with_outgoing(mut self, outgoing: Outgoing) -> Self {
        match &mut self {
            Self::Sqlite(store) => store.outgoing = outgoing,
            Self::Postgres(store) => store.outgoing = outgoing,
        }
        self
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
            Outgoing::with_key(Secret::draw(), true),
            Outgoing::with_key(Secret::draw(), true),
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
