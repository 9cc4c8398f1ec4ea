//! Which mails an event sends, and when it reminds.

use std::time::Duration;

use serde::ser::SerializeSeq as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::clock::Timestamp;
use super::invalid::Invalid;
use super::outbox::MailKind;

/// An event's settings of mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct MailSettings {
    /// How long before the start people with a place get a reminder; `None` for no reminder.
    #[serde(rename = "remind_hours_before")]
    pub remind_before: Option<RemindBefore>,
    /// The kinds that are sent.
    pub mails: MailKinds,
}

/// Hours between a reminder and the start of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct RemindBefore(u16);

impl RemindBefore {
    /// The field's name.
    pub const FIELD: &'static str = "remind_hours_before";
    /// The shortest time.
    pub const MIN: u16 = 1;
    /// The longest time: 30 days. A sent reminder is remembered as long, so that none comes twice.
    pub const MAX: u16 = 720;

    /// Parses a number of hours. Fails with the range.
    pub fn parse(hours: i64) -> Result<Self, Invalid> {
        let read = u16::try_from(hours).ok();
        let hours = read.filter(|hours| (Self::MIN..=Self::MAX).contains(hours));
        hours.map(Self).ok_or_else(Self::out_of_range)
    }

    /// What to say about anything else than a number of hours.
    pub fn out_of_range() -> Invalid {
        Invalid::new(
            Self::FIELD,
            "out-of-range",
            format!(
                "remind_hours_before must be a whole number from {} to {}, or null for no reminder",
                Self::MIN,
                Self::MAX
            ),
        )
    }

    /// The number of hours.
    pub fn hours(self) -> u16 {
        self.0
    }

    /// When to remind of an event that begins at `starts_at`. Hours are elapsed time, also when
    /// clocks change in between.
    pub fn due(self, starts_at: Timestamp) -> Timestamp {
        starts_at.minus(Duration::from_hours(u64::from(self.0)))
    }
}

/// The kinds of mail that an event sends: all, unless the organiser switches some off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MailKinds {
    /// A bit for each kind that is off. So a kind that is added later is on.
    off: u16,
}

impl MailKinds {
    /// The setting's name.
    pub const FIELD: &'static str = "mails";
    /// The kinds that have a switch, in the order in which a person meets them.
    pub const SWITCHES: [MailKind; 8] = [
        MailKind::Confirmed,
        MailKind::Waiting,
        MailKind::Promoted,
        MailKind::Cancelled,
        MailKind::Changed,
        MailKind::Reminder,
        MailKind::Announcement,
        MailKind::Link,
    ];

    /// Whether this kind is sent. A test always is: it belongs to no event. So is the link with which
    /// a person registers: the form works with it only.
    pub fn has(self, kind: MailKind) -> bool {
        self.off & bit(kind) == 0
    }

    /// Only the kinds that `is_on` names.
    pub fn only(is_on: impl Fn(MailKind) -> bool) -> Self {
        let off = Self::SWITCHES.into_iter().filter(|kind| !is_on(*kind));
        Self {
            off: off.fold(0, |off, kind| off | bit(kind)),
        }
    }

    /// The kinds that are sent.
    pub fn on(self) -> impl Iterator<Item = MailKind> {
        let all = Self::SWITCHES.into_iter();
        all.filter(move |kind| self.has(*kind))
    }

    /// Parses a list of words. Fails at the first that is no kind.
    pub fn parse(list: &Value) -> Result<Self, Invalid> {
        let malformed = |message: String| Invalid::new(Self::FIELD, "malformed", message);
        let list = list
            .as_array()
            .ok_or_else(|| malformed("mails must be a list of kinds of mail".to_owned()))?;
        let mut on = Vec::new();
        for word in list {
            let kind = word
                .as_str()
                .and_then(MailKind::parse)
                .filter(|kind| Self::SWITCHES.contains(kind));
            on.push(kind.ok_or_else(|| malformed(format!("{word} is no kind of mail")))?);
        }
        Ok(Self::only(|kind| on.contains(&kind)))
    }

    /// The form in the database: the kinds that are off.
    pub(crate) fn stored(self) -> String {
        let off = Self::SWITCHES.into_iter().filter(|kind| !self.has(*kind));
        off.map(MailKind::as_str).collect::<Vec<_>>().join(" ")
    }

    /// Reads [`Self::stored`]; a word of a later version counts for nothing here.
    pub(crate) fn of_stored(text: &str) -> Self {
        let off: Vec<_> = text.split(' ').filter_map(MailKind::parse).collect();
        Self::only(|kind| !off.contains(&kind))
    }
}

fn bit(kind: MailKind) -> u16 {
    match kind {
        MailKind::Confirmed => 1,
        MailKind::Waiting => 1 << 1,
        MailKind::Promoted => 1 << 2,
        MailKind::Cancelled => 1 << 3,
        MailKind::Changed => 1 << 4,
        MailKind::Reminder => 1 << 5,
        MailKind::Announcement => 1 << 6,
        MailKind::Link => 1 << 7,
        MailKind::Confirm | MailKind::Test => 0,
    }
}

impl Serialize for MailKinds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for kind in self.on() {
            list.serialize_element(&kind)?;
        }
        list.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reminders_come_1_to_720_hours_before_the_start() {
        for hours in [1, 24, 720] {
            let parsed = RemindBefore::parse(hours).unwrap();
            assert_eq!(i64::from(parsed.hours()), hours);
        }
        for hours in [i64::MIN, -1, 0, 721, 65_537, i64::MAX] {
            let refused = RemindBefore::parse(hours).unwrap_err();
            assert_eq!(refused.field, "remind_hours_before", "{hours}");
        }
    }

    #[test]
    fn a_day_before_is_24_hours_also_when_clocks_change() {
        let day = RemindBefore::parse(24).unwrap();
        // Berlin leaves summer time on 25 October 2026 at 03:00: the day has 25 hours.
        let starts_at: Timestamp = "2026-10-25T19:00:00+01:00".parse().unwrap();
        let due: Timestamp = "2026-10-24T20:00:00+02:00".parse().unwrap();
        assert_eq!(day.due(starts_at), due);
    }

    #[test]
    fn each_kind_has_a_switch_that_is_on_at_first() {
        let all = MailKinds::default();
        assert!(MailKind::ALL.into_iter().all(|kind| all.has(kind)));
        let two = MailKinds::parse(&json!(["waiting", "link"])).unwrap();
        for kind in MailKinds::SWITCHES {
            let on = matches!(kind, MailKind::Waiting | MailKind::Link);
            assert_eq!(two.has(kind), on, "{kind:?}");
        }
        assert!(two.has(MailKind::Test));
        assert_eq!(
            serde_json::to_value(two).unwrap(),
            json!(["waiting", "link"])
        );
        for kinds in [all, two, MailKinds::only(|_| false)] {
            assert_eq!(MailKinds::of_stored(&kinds.stored()), kinds);
        }
        assert_eq!(MailKinds::of_stored("later"), all);
        for bad in [
            json!("waiting"),
            json!([1]),
            json!(["test"]),
            json!(["Waiting"]),
            json!(null),
        ] {
            assert_eq!(MailKinds::parse(&bad).unwrap_err().field, "mails", "{bad}");
        }
    }
}
