//! TLS session tickets: a client that comes back presents one instead of costing a signature
//! (RFC 8446, section 4.6.1; RFC 5077).
//!
//! A ticket is the session, encrypted for the server itself: the key's name, a nonce, the ciphertext
//! and its tag. The keys come from outside, so that several processes can share them. Until the first
//! ones come there is one that this process has drawn.

use std::fmt;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::sync::Notify;
use tokio_rustls::rustls::server::ProducesTickets;

use crate::domain::clock::Timestamp;
use crate::domain::ticket_key::{ROTATION, TicketKey};

/// Sessions are below 300 bytes. What is longer is no ticket of ours, and is not decrypted: with long
/// ciphertexts somebody who does not know a key needs fewer attempts to learn about it
/// (<https://eprint.iacr.org/2020/1491>).
const LONGEST_TICKET: usize = 1024;
const NAME_LEN: usize = 16;

/// The keys in force, which may be replaced while the server runs. Its `Debug` does not show them.
pub struct Tickets {
    /// The first one makes tickets. Read by each handshake, for the time that one encryption takes.
    keys: RwLock<Vec<Key>>,
    random: SystemRandom,
    unknown: Notify,
}

struct Key {
    name: [u8; NAME_LEN],
    aead: LessSafeKey,
}

impl Key {
    fn new(key: &TicketKey) -> Self {
        // The only error is a key of another length.
        let unbound = UnboundKey::new(&CHACHA20_POLY1305, &key.secret).expect("32 bytes");
        Self {
            name: key.name,
            aead: LessSafeKey::new(unbound),
        }
    }
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tickets")
    }
}

impl Tickets {
    /// With one key that no other process has.
    pub(super) fn of_this_process() -> Self {
        let own = TicketKey::draw(0, Timestamp::default());
        Self {
            keys: RwLock::new(vec![Key::new(&own)]),
            random: SystemRandom::new(),
            unknown: Notify::new(),
        }
    }

    /// Replaces the keys. The first one makes tickets, all of them open those that they have made.
    /// Without any, every handshake is a full one.
    pub fn set(&self, keys: &[TicketKey]) {
        let keys = keys.iter().map(Key::new).collect();
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// Ends when a client has presented a ticket of a key that is not in force. Another process may
    /// have stored the key.
    pub async fn unknown_key(&self) {
        self.unknown.notified().await;
    }

    fn keys(&self) -> RwLockReadGuard<'_, Vec<Key>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        u32::try_from(ROTATION.as_secs()).unwrap_or(u32::MAX)
    }

    fn encrypt(&self, session: &[u8]) -> Option<Vec<u8>> {
        let keys = self.keys();
        let key = keys.first()?;
        // Random, because processes that share a key could not share a counter. Of the four billion
        // tickets that one key may make with random nonces, 12 hours have room for 99,000 a second.
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).ok()?;
        let tag_len = CHACHA20_POLY1305.tag_len();
        let mut ticket = Vec::with_capacity(NAME_LEN + NONCE_LEN + session.len() + tag_len);
        ticket.extend_from_slice(&key.name);
        ticket.extend_from_slice(&nonce);
        let sealed_from = ticket.len();
        ticket.extend_from_slice(session);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let sealed = &mut ticket[sealed_from..];
        let tag = key
            .aead
            .seal_in_place_separate_tag(nonce, Aad::from(key.name), sealed)
            .ok()?;
        ticket.extend_from_slice(tag.as_ref());
        Some(ticket)
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        if ticket.len() > LONGEST_TICKET {
            return None;
        }
        let (name, sealed) = ticket.split_first_chunk::<NAME_LEN>()?;
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let keys = self.keys();
        // The names are public: a comparison may take as long as it takes.
        let Some(key) = keys.iter().find(|key| key.name == *name) else {
            self.unknown.notify_one();
            return None;
        };
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let mut session = sealed.to_vec();
        let length = key
            .aead
            .open_in_place(nonce, Aad::from(*name), &mut session)
            .ok()?
            .len();
        session.truncate(length);
        Some(session)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    const SESSION: &[u8] = b"a session";

    fn key(number: i64) -> TicketKey {
        TicketKey::draw(number, Timestamp::default())
    }

    fn with(keys: &[TicketKey]) -> Tickets {
        let tickets = Tickets::of_this_process();
        tickets.set(keys);
        tickets
    }

    #[test]
    fn a_ticket_is_opened_by_each_process_that_has_its_key() {
        let (old, new) = (key(1), key(2));
        let here = with(&[old.clone(), new.clone()]);
        let there = with(&[new.clone(), old.clone()]);
        let ticket = here.encrypt(SESSION).unwrap();
        assert!(!ticket.windows(SESSION.len()).any(|part| part == SESSION));
        assert_ne!(ticket, here.encrypt(SESSION).unwrap());
        assert_eq!(there.decrypt(&ticket).as_deref(), Some(SESSION));
        assert_eq!(there.unknown_key().now_or_never(), None);
        // Rotated out.
        there.set(&[new]);
        assert_eq!(there.decrypt(&ticket), None);
        assert_eq!(there.unknown_key().now_or_never(), Some(()));
        there.set(&[]);
        assert_eq!(there.encrypt(SESSION), None);
    }

    #[test]
    fn what_was_changed_or_is_no_ticket_is_refused() {
        let tickets = with(&[key(1)]);
        let ticket = tickets.encrypt(SESSION).unwrap();
        for at in 0..ticket.len() {
            let mut changed = ticket.clone();
            changed[at] ^= 1;
            assert_eq!(tickets.decrypt(&changed), None, "byte {at}");
            assert_eq!(tickets.decrypt(&ticket[..at]), None, "cut at {at}");
        }
        let long = tickets.encrypt(&[0; LONGEST_TICKET]).unwrap();
        assert_eq!(tickets.decrypt(&long), None);
        assert_eq!(tickets.decrypt(&ticket).as_deref(), Some(SESSION));
    }
}
