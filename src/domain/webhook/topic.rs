//! What a webhook may be about.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::domain::invalid::Invalid;

/// The type of a webhook's event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A party registered, was added or imported.
    RegistrationCreated,
    /// A party that waited has its places.
    RegistrationPromoted,
    /// A registration was cancelled.
    RegistrationCancelled,
    /// A registration's party, name or answers changed, or it has its places back.
    RegistrationChanged,
    /// Settings of the event changed, or a reset was undone.
    EventChanged,
    /// The capacity was set.
    EventCapacity,
    /// Registering began.
    EventOpened,
    /// Registering ended.
    EventClosed,
    /// A new round began.
    EventReset,
    /// The last place was taken.
    EventFull,
}

impl Topic {
    /// Every type.
    pub const ALL: [Self; 10] = [
        Self::RegistrationCreated,
        Self::RegistrationPromoted,
        Self::RegistrationCancelled,
        Self::RegistrationChanged,
        Self::EventChanged,
        Self::EventCapacity,
        Self::EventOpened,
        Self::EventClosed,
        Self::EventReset,
        Self::EventFull,
    ];

    /// The word in bodies, in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RegistrationCreated => "registration.created",
            Self::RegistrationPromoted => "registration.promoted",
            Self::RegistrationCancelled => "registration.cancelled",
            Self::RegistrationChanged => "registration.changed",
            Self::EventChanged => "event.changed",
            Self::EventCapacity => "event.capacity",
            Self::EventOpened => "event.opened",
            Self::EventClosed => "event.closed",
            Self::EventReset => "event.reset",
            Self::EventFull => "event.full",
        }
    }

    /// The type with this word; `None` if there is none.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == word)
    }
}

impl Serialize for Topic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Some types, each once, in the order of [`Topic::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Topics(Vec<Topic>);

impl Topics {
    /// The setting's name.
    pub const FIELD: &'static str = "events";

    /// Every type.
    pub fn all() -> Self {
        Self(Topic::ALL.to_vec())
    }

    /// Parses words. Fails if there is none, or one is not a type.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, Invalid> {
        let mut named = Vec::new();
        for word in words {
            named.push(Topic::parse(word).ok_or_else(Self::unknown)?);
        }
        if named.is_empty() {
            return Err(Self::unknown());
        }
        let all = Topic::ALL.into_iter();
        Ok(Self(all.filter(|topic| named.contains(topic)).collect()))
    }

    /// Fails with the words that the setting takes.
    pub fn unknown() -> Invalid {
        let words = Topic::ALL.map(Topic::as_str).join(", ");
        let message = format!("events must be a list of one or more of {words}");
        Invalid::new(Self::FIELD, "unknown", message)
    }

    /// Reads what its `Display` has written. Types of a later version are left out.
    pub(crate) fn stored(text: &str) -> Self {
        Self(text.split(' ').filter_map(Topic::parse).collect())
    }

    /// The words, in order.
    pub fn words(&self) -> Vec<&'static str> {
        self.0.iter().map(|topic| topic.as_str()).collect()
    }

    /// Whether a type is one of them.
    pub fn contains(&self, topic: Topic) -> bool {
        self.0.contains(&topic)
    }
}

/// The form in the database: words separated by spaces.
impl fmt::Display for Topics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, topic) in self.0.iter().enumerate() {
            let space = if n == 0 { "" } else { " " };
            write!(f, "{space}{}", topic.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_named_once_and_in_order() {
        let some = Topics::parse(["event.full", "registration.created", "event.full"]).unwrap();
        assert_eq!(some.to_string(), "registration.created event.full");
        assert_eq!(Topics::stored(&some.to_string()), some);
        assert!(some.contains(Topic::EventFull) && !some.contains(Topic::EventReset));
        assert_eq!(
            Topics::parse(Topic::ALL.map(Topic::as_str)),
            Ok(Topics::all())
        );
        let later = Topics::stored("event.full event.sold");
        assert_eq!(later.to_string(), "event.full");
    }

    #[test]
    fn unknown_topics_and_none_are_refused() {
        for bad in [&[][..], &[""], &["*"], &["event.full", "event.Full"]] {
            let refused = Topics::parse(bad.iter().copied()).unwrap_err();
            assert_eq!(refused.field, "events", "{bad:?}");
        }
    }
}
