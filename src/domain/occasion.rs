//! When and where an event takes place.

use serde::Serialize;
use url::Url;

use super::clock::Timestamp;
use super::invalid::{self, Invalid};
use super::zone::Zone;

/// The longest location, in code points: one line of an address.
pub const LOCATION_MAX: usize = 200;
/// The longest contact, in code points: an address or a telephone number, and whose it is.
pub const CONTACT_MAX: usize = 200;
/// The longest address of an online meeting, in code points: they carry a meeting's secret.
pub const ONLINE_URL_MAX: usize = 500;

/// Time and place of an event. Every part may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Occasion {
    /// When it begins.
    pub starts_at: Option<Timestamp>,
    /// When it ends, after it begins.
    pub ends_at: Option<Timestamp>,
    /// The zone in which pages show and take all times of the event.
    pub time_zone: Zone,
    /// One line; empty for none.
    pub location: String,
    /// Where it takes place online. Only people who have a place see it.
    pub online_url: Option<OnlineUrl>,
    /// Whom to ask, one line; empty for nobody.
    pub contact: String,
}

impl Occasion {
    /// Fails unless `ends_at` comes with `starts_at`, and later.
    pub fn check(&self) -> Result<(), Invalid> {
        match (self.starts_at, self.ends_at) {
            (None, Some(_)) => Err(Invalid::new(
                "ends_at",
                "without-start",
                "ends_at needs starts_at",
            )),
            (Some(starts), Some(ends)) if ends <= starts => Err(Invalid::new(
                "ends_at",
                "before-start",
                "ends_at must be later than starts_at",
            )),
            _ => Ok(()),
        }
    }
}

/// Parses a location: at most [`LOCATION_MAX`] code points on one line. Fails with the rule it
/// breaks.
pub fn parse_location(raw: &str) -> Result<String, Invalid> {
    invalid::text("location", raw, 0, LOCATION_MAX, false)
}

/// Parses a contact: at most [`CONTACT_MAX`] code points on one line. Fails with the rule it
/// breaks.
pub fn parse_contact(raw: &str) -> Result<String, Invalid> {
    invalid::text("contact", raw, 0, CONTACT_MAX, false)
}

/// The address of an online meeting as it was typed: `http` or `https`, without user name and
/// password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct OnlineUrl(String);

impl OnlineUrl {
    /// Parses an address; an empty one is none. Fails with the rule it breaks.
    pub fn parse(raw: &str) -> Result<Option<Self>, Invalid> {
        const FIELD: &str = "online_url";
        let text = invalid::text(FIELD, raw, 0, ONLINE_URL_MAX, false)?;
        if text.is_empty() {
            return Ok(None);
        }
        let refused = || {
            Invalid::new(
                FIELD,
                "not-an-address",
                "online_url must be an http or https address without user name and password",
            )
        };
        let url = Url::parse(&text).map_err(|_| refused())?;
        // A user name before the host can make an address look like another site's.
        let is_plain = matches!(url.scheme(), "http" | "https")
            && text[url.scheme().len()..].starts_with("://")
            // Browsers and other programs disagree on where the host of these ends.
            && !text.contains('\\')
            && !text[url.scheme().len()..].starts_with(":///")
            && url.username().is_empty()
            && url.password().is_none();
        is_plain.then_some(Some(Self(text))).ok_or_else(refused)
    }

    /// An address that was parsed before it was stored.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Changes of an [`Occasion`]. `None` keeps a setting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OccasionEdit {
    /// `Some(None)` removes the time.
    pub starts_at: Option<Option<Timestamp>>,
    /// `Some(None)` removes the time.
    pub ends_at: Option<Option<Timestamp>>,
    /// See [`Occasion`].
    pub time_zone: Option<Zone>,
    /// See [`parse_location`].
    pub location: Option<String>,
    /// `Some(None)` removes the address.
    pub online_url: Option<Option<OnlineUrl>>,
    /// See [`parse_contact`].
    pub contact: Option<String>,
}

impl OccasionEdit {
    /// Whether no setting is given.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The occasion after this edit of `before`. Fails if its times contradict each other and the
    /// edit gives one of them.
    pub fn applied_to(&self, before: &Occasion) -> Result<Occasion, Invalid> {
        let edit = self.clone();
        let after = Occasion {
            starts_at: edit.starts_at.unwrap_or(before.starts_at),
            ends_at: edit.ends_at.unwrap_or(before.ends_at),
            time_zone: edit.time_zone.unwrap_or_else(|| before.time_zone.clone()),
            location: edit.location.unwrap_or_else(|| before.location.clone()),
            online_url: edit.online_url.unwrap_or_else(|| before.online_url.clone()),
            contact: edit.contact.unwrap_or_else(|| before.contact.clone()),
        };
        if self.starts_at.is_some() || self.ends_at.is_some() {
            after.check()?;
        }
        Ok(after)
    }

    /// The names of the settings that somebody else has changed from what `was` says to a third
    /// value.
    pub(super) fn conflicts(&self, was: &Self, now: &Occasion) -> Vec<&'static str> {
        use super::edit::clash;
        let (new, is) = (self, now);
        let clashes = [
            (
                "starts_at",
                clash(
                    new.starts_at.as_ref(),
                    was.starts_at.as_ref(),
                    &is.starts_at,
                ),
            ),
            (
                "ends_at",
                clash(new.ends_at.as_ref(), was.ends_at.as_ref(), &is.ends_at),
            ),
            (
                "time_zone",
                clash(
                    new.time_zone.as_ref(),
                    was.time_zone.as_ref(),
                    &is.time_zone,
                ),
            ),
            (
                "location",
                clash(new.location.as_ref(), was.location.as_ref(), &is.location),
            ),
            (
                "online_url",
                clash(
                    new.online_url.as_ref(),
                    was.online_url.as_ref(),
                    &is.online_url,
                ),
            ),
            (
                "contact",
                clash(new.contact.as_ref(), was.contact.as_ref(), &is.contact),
            ),
        ];
        let found = clashes.into_iter().filter(|(_, clashes)| *clashes);
        found.map(|(name, _)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_needs_an_earlier_start() {
        let at = |ms: i64| Some(Timestamp::from_millis(ms));
        for (starts_at, ends_at, refused) in [
            (None, None, false),
            (at(1), None, false),
            (at(1), at(2), false),
            (at(2), at(2), true),
            (at(2), at(1), true),
            (None, at(1), true),
        ] {
            let edit = OccasionEdit {
                starts_at: Some(starts_at),
                ends_at: Some(ends_at),
                ..OccasionEdit::default()
            };
            let outcome = edit.applied_to(&Occasion::default());
            let field = outcome.as_ref().err().map(|invalid| &*invalid.field);
            assert_eq!(field, refused.then_some("ends_at"), "{edit:?}");
        }
        // Removing the start of an event that has an end.
        let both = Occasion {
            starts_at: at(1),
            ends_at: at(2),
            ..Occasion::default()
        };
        let edit = OccasionEdit {
            starts_at: Some(None),
            ..OccasionEdit::default()
        };
        assert_eq!(edit.applied_to(&both).unwrap_err().field, "ends_at");
    }

    #[test]
    fn an_online_address_is_a_web_page_without_a_user() {
        for good in [
            "https://meet.example.org/room?pwd=a%20b#x",
            "http://127.0.0.1:8080",
        ] {
            assert_eq!(OnlineUrl::parse(good).unwrap().unwrap().as_str(), good);
        }
        assert_eq!(OnlineUrl::parse("  ").unwrap(), None);
        let long = format!("https://example.org/{}", "x".repeat(ONLINE_URL_MAX));
        for bad in [
            "javascript:alert(1)",
            "https://a\\@example.org/",
            "http:///path",
            "data:text/html,x",
            "ftp://example.org/",
            "//example.org/",
            "example.org",
            "https://",
            "https://bank.example@evil.example/",
            "https://a:b@example.org/",
            "https://example.org/\nx",
            "https:example.org",
            "https:\\\\example.org",
            &long,
        ] {
            let refused = OnlineUrl::parse(bad).unwrap_err();
            assert_eq!(refused.field, "online_url", "{bad:?}");
        }
    }

    #[test]
    fn location_and_contact_are_one_line() {
        type Parse = fn(&str) -> Result<String, Invalid>;
        let limits: [(&str, Parse, usize); 2] = [
            ("location", parse_location, LOCATION_MAX),
            ("contact", parse_contact, CONTACT_MAX),
        ];
        for (field, parse, max) in limits {
            assert_eq!(parse(" Town hall ").unwrap(), "Town hall");
            assert_eq!(parse("").unwrap(), "");
            assert!(parse(&"厅".repeat(max)).is_ok());
            for bad in ["One\ntwo", "a\u{202E}b", &"厅".repeat(max + 1)] {
                assert_eq!(parse(bad).unwrap_err().field, field, "{bad:?}");
            }
        }
    }
}
