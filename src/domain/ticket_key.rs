//! The keys of TLS session tickets: who may use which, and when the next one is due.
//!
//! A key makes tickets for [`ROTATION`]. It opens them for twice as long, so a ticket can be used for
//! at least as long as its key was in use. Then the key is deleted: somebody who gets hold of the
//! keys later can do nothing with older connections.

use std::fmt;
use std::time::Duration;

use super::clock::Timestamp;

/// How long a key makes tickets, and how long a ticket is good for.
pub const ROTATION: Duration = Duration::from_hours(12);
/// How long a key opens tickets, from its first use on.
const LIFETIME: Duration = Duration::from_hours(24);
/// A key is stored this long before its first use, so that every node has read it by then.
const LEAD: Duration = Duration::from_mins(5);

/// A key, which all nodes share. Its `Debug` does not show the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketKey {
    /// Which one it is in the database.
    pub number: i64,
    /// What a ticket begins with; public.
    pub name: [u8; 16],
    /// The key itself.
    pub secret: [u8; 32],
    /// From when on it makes tickets.
    pub used_from: Timestamp,
}

impl fmt::Debug for TicketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketKey")
            .field("number", &self.number)
            .field("used_from", &self.used_from)
            .finish_non_exhaustive()
    }
}

impl TicketKey {
    /// A new random key.
    pub fn draw(number: i64, used_from: Timestamp) -> Self {
        Self {
            number,
            name: rand::random(),
            secret: rand::random(),
            used_from,
        }
    }

    /// Whether it makes or opens tickets at `now`, or soon will. One of a far future was stored by a
    /// clock that was wrong.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.used_from.plus(LIFETIME) && self.used_from <= now.plus(ROTATION)
    }
}

/// The keys that are live at `now`: first the one that makes tickets, if there is one, then the
/// others.
pub fn in_order_of_use(keys: &[TicketKey], now: Timestamp) -> Vec<TicketKey> {
    let mut live: Vec<TicketKey> = keys
        .iter()
        .filter(|key| key.is_live(now))
        .cloned()
        .collect();
    live.sort_by_key(|key| (key.used_from > now, std::cmp::Reverse(key.used_from)));
    live
}

/// When the next key is to be used first, if one must be drawn at `now`.
pub fn due(keys: &[TicketKey], now: Timestamp) -> Option<Timestamp> {
    let live = || keys.iter().filter(|key| key.is_live(now));
    if !live().any(|key| key.used_from <= now) {
        return Some(now);
    }
    let newest = live().map(|key| key.used_from).max()?;
    let next = newest.plus(ROTATION);
    (next.minus(LEAD) <= now).then(|| next.max(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Timestamp {
        Timestamp::from_millis(1_795_251_600_000)
    }

    fn hours(hours: u64) -> Duration {
        Duration::from_hours(hours)
    }

    #[test]
    fn a_key_is_drawn_at_once_and_the_next_one_a_little_before_its_first_use() {
        assert_eq!(due(&[], noon()), Some(noon()));
        let first = TicketKey::draw(1, noon());
        let before = noon().plus(hours(12)).minus(LEAD);
        let keys = [first.clone()];
        assert_eq!(due(&keys, before.minus(Duration::from_millis(1))), None);
        assert_eq!(due(&keys, before), Some(noon().plus(hours(12))));
        // Nobody ran at that moment.
        let late = noon().plus(hours(20));
        assert_eq!(due(&keys, late), Some(late));
        let much_later = noon().plus(hours(24));
        assert_eq!(due(&keys, much_later), Some(much_later));

        let keys = [first.clone(), TicketKey::draw(2, noon().plus(hours(12)))];
        assert_eq!(due(&keys, before), None);
        let numbers = |now: Timestamp| -> Vec<i64> {
            let order = in_order_of_use(&keys, now);
            order.iter().map(|key| key.number).collect()
        };
        assert_eq!(numbers(before), [1, 2]);
        assert_eq!(numbers(noon().plus(hours(12))), [2, 1]);
        assert_eq!(numbers(noon().plus(hours(24))), [2]);
        assert_eq!(numbers(noon().plus(hours(36))), [0; 0]);
    }

    #[test]
    fn a_key_of_a_far_future_is_of_no_use() {
        let wrong = TicketKey::draw(1, noon().plus(hours(13)));
        assert!(!wrong.is_live(noon()));
        assert_eq!(due(&[wrong], noon()), Some(noon()));
        // A clock that is a little ahead has drawn it.
        let ahead = TicketKey::draw(2, noon().plus(hours(1)));
        assert_eq!(due(std::slice::from_ref(&ahead), noon()), Some(noon()));
        let own = TicketKey::draw(3, noon());
        assert_eq!(due(&[ahead, own], noon()), None);
    }

    #[test]
    fn its_secret_is_in_no_log() {
        let key = TicketKey::draw(7, noon());
        let shown = format!("{key:?}");
        assert!(
            shown.contains("number: 7") && !shown.contains("secret"),
            "{shown}"
        );
    }
}
