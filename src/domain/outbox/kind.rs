//! The kinds of mail.

use crate::domain::words::words;

words! {
    /// Why a mail is sent.
    pub enum MailKind {
        /// The registration has its places.
        Confirmed = "confirmed",
        /// The registration waits for places.
        Waiting = "waiting",
        /// It waited, and has its places now.
        Promoted = "promoted",
        /// The organiser cancelled it.
        Cancelled = "cancelled",
        /// The event's time or place changed.
        Changed = "changed",
        /// The event begins soon.
        Reminder = "reminder",
        /// The organiser writes to everybody.
        Announcement = "announcement",
        /// The private link, for a person who lost it.
        Link = "link",
        /// The link with which a person without scripts registers.
        Confirm = "confirm",
        /// The organiser tests the mail server.
        Test = "test",
    }
}

impl MailKind {
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
