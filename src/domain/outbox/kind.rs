//! The kinds of mail.

use serde::Serialize;

/// Why a mail is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MailKind {
    /// The registration has its places.
    Confirmed,
    /// The registration waits for places.
    Waiting,
    /// It waited, and has its places now.
    Promoted,
    /// The organiser cancelled it.
    Cancelled,
    /// The event's time or place changed.
    Changed,
    /// The event begins soon.
    Reminder,
    /// The organiser writes to everybody.
    Announcement,
    /// The private link, for a person who lost it.
    Link,
    /// The link with which a person without scripts registers.
    Confirm,
    /// The organiser tests the mail server.
    Test,
}

impl MailKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Confirmed,
        Self::Waiting,
        Self::Promoted,
        Self::Cancelled,
        Self::Changed,
        Self::Reminder,
        Self::Announcement,
        Self::Link,
        Self::Confirm,
        Self::Test,
    ];

    /// The word in the database and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Waiting => "waiting",
            Self::Promoted => "promoted",
            Self::Cancelled => "cancelled",
            Self::Changed => "changed",
            Self::Reminder => "reminder",
            Self::Announcement => "announcement",
            Self::Link => "link",
            Self::Confirm => "confirm",
            Self::Test => "test",
        }
    }

    /// The kind with this word; `None` if there is none.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether an address that has not proven itself gets one mail of these kinds a day and event.
    pub fn is_limited(self) -> bool {
        match self {
            Self::Confirmed
            | Self::Waiting
            | Self::Cancelled
            | Self::Changed
            | Self::Reminder
            | Self::Announcement
            | Self::Confirm => true,
            // A place that is not taken up is lost, and a lost link has a limit of its own.
            Self::Promoted | Self::Link | Self::Test => false,
        }
    }

    /// Whether it goes to everybody who has registered, and a person can ask for no more of it.
    pub fn goes_to_everybody(self) -> bool {
        match self {
            Self::Changed | Self::Reminder | Self::Announcement => true,
            Self::Confirmed
            | Self::Waiting
            | Self::Promoted
            | Self::Cancelled
            | Self::Link
            | Self::Confirm
            | Self::Test => false,
        }
    }

    /// Whether it makes no sense any more once the registration is cancelled.
    pub fn needs_registration(self) -> bool {
        match self {
            Self::Confirmed
            | Self::Waiting
            | Self::Promoted
            | Self::Changed
            | Self::Reminder
            | Self::Announcement => true,
            Self::Cancelled | Self::Link | Self::Confirm | Self::Test => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_one_word_in_json_and_in_the_database() {
        for kind in MailKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(MailKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(MailKind::parse("Confirmed"), None);
    }
}
