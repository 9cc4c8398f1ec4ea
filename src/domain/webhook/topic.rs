//! What a webhook may be about.

use std::fmt;

use serde::Serialize;

use crate::domain::invalid::Invalid;
use crate::domain::words::words;

words! {
    /// The type of a webhook's event.
    pub enum Topic {
        /// A party registered, was added or imported.
        RegistrationCreated = "registration.created",
        /// A party that waited has its places.
        RegistrationPromoted = "registration.promoted",
        /// A registration was cancelled.
        RegistrationCancelled = "registration.cancelled",
        /// A registration's party, name or answers changed, or it has its places back.
        RegistrationChanged = "registration.changed",
        /// Settings of the event changed, or a reset was undone.
        EventChanged = "event.changed",
        /// The capacity was set.
        EventCapacity = "event.capacity",
        /// Registering began.
        EventOpened = "event.opened",
        /// Registering ended.
        EventClosed = "event.closed",
        /// A new round began.
        EventReset = "event.reset",
        /// The last place was taken.
        EventFull = "event.full",
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
