//! What an organiser announces to everybody who looks at an event.

use std::time::Duration;

use super::clock::Timestamp;
use super::invalid::{self, Invalid};

/// Code points: it stands beside the count and must leave room for it.
pub const MAX: usize = 500;
/// How long it is shown unless the organiser says so: an event's eve and its day.
pub const SHOWN_FOR: Duration = Duration::from_hours(24);

/// An announcement's text: 1..=[`MAX`] code points on one line.
pub fn parse_text(raw: &str) -> Result<String, Invalid> {
    invalid::text("text", raw, 1, MAX, false)
}

/// What an organiser asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAnnouncement {
    /// See [`parse_text`]; empty: no announcement is shown from now on.
    pub text: String,
    /// When it ends; `None`: [`SHOWN_FOR`] after it is made.
    pub ends_at: Option<Timestamp>,
}

impl NewAnnouncement {
    /// An announcement for the usual time.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ends_at: None,
        }
    }

    /// Takes the newest announcement back.
    pub fn withdrawal() -> Self {
        Self::new("")
    }

    /// When it ends if it is made `now`.
    pub fn end(&self, now: Timestamp) -> Timestamp {
        if self.text.is_empty() {
            return now;
        }
        self.ends_at.unwrap_or_else(|| now.plus(SHOWN_FOR))
    }

    /// The word for it in the audit log.
    pub fn action(&self) -> &'static str {
        if self.text.is_empty() {
            "withdraw"
        } else {
            "announce"
        }
    }
}

/// An announcement that was made. A newer one takes its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Its key; grows.
    pub id: i64,
    /// One line; empty for a withdrawal.
    pub text: String,
    /// When it was made.
    pub at: Timestamp,
    /// From when on it is not shown.
    pub ends_at: Timestamp,
}

impl Announcement {
    /// Whether it only takes back the one before.
    pub fn is_withdrawal(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether somebody who comes `now` still sees it.
    pub fn is_shown(&self, now: Timestamp) -> bool {
        !self.is_withdrawal() && now < self.ends_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_is_shown_until_its_end() {
        let now = Timestamp::from_millis(1_000);
        let made = |new: &NewAnnouncement| Announcement {
            id: 1,
            text: new.text.clone(),
            at: now,
            ends_at: new.end(now),
        };
        let usual = made(&NewAnnouncement::new("Doors open at eight"));
        assert!(usual.is_shown(now) && usual.is_shown(now.plus(SHOWN_FOR / 2)));
        assert!(!usual.is_shown(now.plus(SHOWN_FOR)));
        let short = made(&NewAnnouncement {
            ends_at: Some(now.plus(Duration::from_secs(1))),
            ..NewAnnouncement::new("Soon over")
        });
        assert!(short.is_shown(now) && !short.is_shown(now.plus(Duration::from_secs(1))));
        assert!(!made(&NewAnnouncement::withdrawal()).is_shown(now));
    }

    #[test]
    fn a_text_has_one_line() {
        assert_eq!(parse_text(" Doors ").unwrap(), "Doors");
        assert!(parse_text(&"x".repeat(MAX)).is_ok());
        for bad in ["", " ", "One\ntwo", &"x".repeat(MAX + 1)] {
            assert_eq!(parse_text(bad).unwrap_err().field, "text", "{bad:?}");
        }
    }
}
