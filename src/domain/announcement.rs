//! An organiser's announcement to everybody who looks at an event.

use std::time::Duration;

use super::clock::Timestamp;
use super::invalid::{self, Invalid};

/// The longest text, in code points: it must leave room for the count beside it.
pub const MAX: usize = 500;
/// How long an announcement without `ends_at` is shown: the day before an event and its day.
pub const SHOWN_FOR: Duration = Duration::from_hours(24);

/// Parses an announcement's text: 1..=[`MAX`] code points on one line. Fails with the rule it
/// breaks.
pub fn parse_text(raw: &str) -> Result<String, Invalid> {
    invalid::text("text", raw, 1, MAX, false)
}

/// An announcement that an organiser wants to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAnnouncement {
    /// One line, see [`parse_text`]. Empty: no announcement is shown from now on.
    pub text: String,
    /// When it ends. `None` means [`SHOWN_FOR`] after it is made.
    pub ends_at: Option<Timestamp>,
    /// Whether it is also mailed to everybody who has registered.
    pub mail: bool,
}

impl NewAnnouncement {
    /// An announcement that is shown for [`SHOWN_FOR`].
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ends_at: None,
            mail: false,
        }
    }

    /// Withdraws the newest announcement.
    pub fn withdrawal() -> Self {
        Self::new("")
    }

    /// When the announcement ends if it is made `now`.
    pub fn end(&self, now: Timestamp) -> Timestamp {
        if self.text.is_empty() {
            return now;
        }
        self.ends_at.unwrap_or_else(|| now.plus(SHOWN_FOR))
    }

    /// The action in the audit log: `announce` or `withdraw`.
    pub fn action(&self) -> &'static str {
        if self.text.is_empty() {
            "withdraw"
        } else {
            "announce"
        }
    }
}

/// A stored announcement. A newer one replaces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// The key in the database. Later announcements have greater keys.
    pub id: i64,
    /// One line, or empty for a withdrawal.
    pub text: String,
    /// When it was made.
    pub at: Timestamp,
    /// The first moment at which it is no longer shown.
    pub ends_at: Timestamp,
}

impl Announcement {
    /// Whether this only withdraws the announcement before it.
    pub fn is_withdrawal(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether a page that is loaded `now` shows it.
    pub fn is_shown(&self, now: Timestamp) -> bool {
        !self.is_withdrawal() && now < self.ends_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_is_shown_until_it_ends() {
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
        let withdrawn = made(&NewAnnouncement::withdrawal());
        assert!(!withdrawn.is_shown(now) && withdrawn.is_withdrawal() && !usual.is_withdrawal());
        assert_eq!(NewAnnouncement::new("Soon").action(), "announce");
        assert_eq!(NewAnnouncement::withdrawal().action(), "withdraw");
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
