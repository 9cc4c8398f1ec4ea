//! Time zones by their names in the IANA database.
//!
//! The system's copy of the database comes first, because operators update it. The copy inside the
//! program has the zones that the system lacks; a static binary may find no other.

use std::fmt;
use std::sync::{Arc, LazyLock};

use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Serialize, Serializer};

use super::invalid::Invalid;

/// The longest name we look up. The longest in the database has 32 characters.
pub const NAME_MAX: usize = 64;

static BUNDLED: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A time zone, such as `Europe/Berlin`.
#[derive(Clone)]
pub struct Zone {
    name: Arc<str>,
    rules: TimeZone,
}

impl Zone {
    /// Parses an IANA name, in any case. Fails for unknown names, and for `Etc/Unknown`, which means
    /// that the zone is not known (CLDR).
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        let unknown = || {
            Invalid::new(
                "time_zone",
                "unknown",
                "time_zone must be an IANA name such as Europe/Berlin",
            )
        };
        let raw = raw.trim();
        if raw.len() > NAME_MAX {
            return Err(unknown());
        }
        let rules = rules(raw).ok_or_else(unknown)?;
        let name = rules.iana_name().ok_or_else(unknown)?.into();
        Ok(Self { name, rules })
    }

    /// A stored name. A zone that this node does not know keeps its name, with the rules of UTC:
    /// another node may have a newer database.
    pub(crate) fn stored(name: &str) -> Self {
        Self {
            name: name.into(),
            rules: rules(name).unwrap_or(TimeZone::UTC),
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The offsets from UTC.
    pub(super) fn rules(&self) -> &TimeZone {
        &self.rules
    }
}

/// Files of the database that name no place: they differ from one machine to the next.
const NO_PLACES: [&str; 3] = ["localtime", "posixrules", "Factory"];

fn rules(name: &str) -> Option<TimeZone> {
    if NO_PLACES.iter().any(|none| name.eq_ignore_ascii_case(none)) {
        return None;
    }
    jiff::tz::db()
        .get(name)
        .or_else(|_| BUNDLED.get(name))
        .ok()
        .filter(|rules| !rules.is_unknown())
}

impl Default for Zone {
    fn default() -> Self {
        Self {
            name: "UTC".into(),
            rules: TimeZone::UTC,
        }
    }
}

/// A zone is its name: two nodes may have different versions of its rules.
impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_an_iana_name_in_any_case() {
        for (typed, name) in [
            ("Europe/Berlin", "Europe/Berlin"),
            (" america/new_york ", "America/New_York"),
            ("utc", "UTC"),
            ("US/Eastern", "US/Eastern"),
            ("Australia/Lord_Howe", "Australia/Lord_Howe"),
        ] {
            assert_eq!(Zone::parse(typed).unwrap().name(), name, "{typed:?}");
        }
        for bad in [
            "",
            "Mars/Olympus",
            "Etc/Unknown",
            "localtime",
            "Factory",
            "+01:00",
            "CET-1CEST",
            "../etc/passwd",
            "/usr/share/zoneinfo/Europe/Berlin",
            "Europe/Berlin\0",
            &"x".repeat(NAME_MAX + 1),
        ] {
            assert_eq!(Zone::parse(bad).unwrap_err().field, "time_zone", "{bad:?}");
        }
    }

    #[test]
    fn a_stored_name_that_is_unknown_here_is_kept() {
        let zone = Zone::stored("Mars/Olympus");
        assert_eq!(
            (zone.name(), zone.rules()),
            ("Mars/Olympus", &TimeZone::UTC)
        );
    }
}
