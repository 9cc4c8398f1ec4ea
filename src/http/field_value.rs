//! A field's value as a client sent it. Any value is read, so that all mistakes are reported
//! together.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::domain::clock::Timestamp;
use crate::domain::event::{Capacity, PartySize};
use crate::domain::invalid::Invalid;
use crate::http::body::Media;
use crate::problem::Problem;

/// One field. Absent and `null` differ: a PATCH keeps an absent setting, and `null` removes one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum FieldValue<'a> {
    /// Absent.
    #[default]
    Absent,
    /// `null`.
    Null,
    /// A text. Every field of a form is a text.
    Text(Cow<'a, str>),
    /// A whole number.
    Whole(i64),
    /// `true` or `false`.
    Flag(bool),
    /// Anything else.
    Other,
}

impl FieldValue<'_> {
    /// A required text.
    pub fn text(&self, field: &'static str) -> Result<&str, Invalid> {
        self.optional_text(field)?
            .ok_or_else(|| Invalid::new(field, "missing", format!("{field} is missing")))
    }

    /// A text that may be missing or `null`.
    pub fn optional_text(&self, field: &'static str) -> Result<Option<&str>, Invalid> {
        match self {
            Self::Absent | Self::Null => Ok(None),
            Self::Text(text) => Ok(Some(text)),
            Self::Whole(_) | Self::Flag(_) | Self::Other => Err(Invalid::new(
                field,
                "not-a-text",
                format!("{field} must be a text"),
            )),
        }
    }

    /// The value that a text or `null` stands for; `None` if the field is absent.
    pub fn replacing<T>(
        &self,
        field: &'static str,
        parse: impl FnOnce(Option<&str>) -> Result<T, Invalid>,
    ) -> Result<Option<T>, Invalid> {
        match self {
            Self::Absent => Ok(None),
            given => parse(given.optional_text(field)?).map(Some),
        }
    }

    /// `true` or `false`, if it is there.
    pub fn flag(&self, field: &'static str) -> Result<Option<bool>, Invalid> {
        match self {
            Self::Absent => Ok(None),
            Self::Flag(flag) => Ok(Some(*flag)),
            _ => Err(Invalid::new(
                field,
                "not-a-flag",
                format!("{field} must be true or false"),
            )),
        }
    }

    /// A capacity, if it is there; `null` is no limit.
    pub fn capacity(&self, field: &'static str) -> Result<Option<Capacity>, Invalid> {
        match self {
            Self::Absent => Ok(None),
            Self::Null => Ok(Some(Capacity::UNLIMITED)),
            Self::Whole(places) => Capacity::limited(*places).map(Some),
            _ => Err(Invalid::new(
                field,
                "not-a-number",
                format!(
                    "{field} must be a whole number from 0 to {}, or null for no limit",
                    Capacity::MAX
                ),
            )),
        }
    }

    /// A party's size, if it is there. A form writes numbers as digits, and an empty field is absent.
    pub fn party_size(
        &self,
        field: &'static str,
        media: Media,
    ) -> Result<Option<PartySize>, Invalid> {
        let people = match (self, media) {
            (Self::Absent, _) => return Ok(None),
            (Self::Text(text), Media::Form) if text.trim().is_empty() => return Ok(None),
            (Self::Text(text), Media::Form) => digits(text.trim()),
            (Self::Whole(people), _) => Some(*people),
            (Self::Text(_) | Self::Null | Self::Flag(_) | Self::Other, _) => None,
        };
        // 0 is refused with the message that any other value gets.
        PartySize::parse(field, people.unwrap_or_default()).map(Some)
    }

    /// A moment, if it is there; `null` is none.
    pub fn moment(&self, field: &'static str) -> Result<Option<Option<Timestamp>>, Invalid> {
        match self {
            Self::Absent => Ok(None),
            Self::Null => Ok(Some(None)),
            Self::Text(text) => match text.parse() {
                Ok(moment) => Ok(Some(Some(moment))),
                Err(error) => Err(Invalid::new(
                    field,
                    "not-a-moment",
                    format!("{field} is {error}"),
                )),
            },
            _ => Err(Invalid::new(
                field,
                "not-a-moment",
                format!("{field} must be an RFC 3339 date and time, or null"),
            )),
        }
    }

    /// Whether the field has any content.
    pub fn is_filled(&self) -> bool {
        match self {
            Self::Absent | Self::Null => false,
            Self::Text(text) => !text.trim().is_empty(),
            Self::Whole(_) | Self::Flag(_) | Self::Other => true,
        }
    }
}

/// A whole number of digits only.
fn digits(text: &str) -> Option<i64> {
    text.parse()
        .ok()
        .filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A field that holds lists or objects.
#[derive(Debug, Default)]
pub struct JsonField(Option<Value>);

impl JsonField {
    /// The value, if it is there; `null` is a value.
    pub fn get(&self) -> Option<&Value> {
        self.0.as_ref()
    }
}

impl<'de> Deserialize<'de> for JsonField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(|value| Self(Some(value)))
    }
}

/// Collects the mistakes of an input, to report them together.
#[derive(Debug, Default)]
pub struct Check(Vec<Invalid>);

impl Check {
    /// Returns one field's value, or notes its mistake.
    pub fn take<T>(&mut self, outcome: Result<T, Invalid>) -> Option<T> {
        outcome.map_err(|invalid| self.0.push(invalid)).ok()
    }

    /// Returns the value of a field that may have several mistakes, or notes them.
    pub fn take_all<T>(&mut self, outcome: Result<T, Vec<Invalid>>) -> Option<T> {
        outcome.map_err(|mistakes| self.0.extend(mistakes)).ok()
    }

    /// The problem that lists every mistake.
    pub fn problem(&self) -> Problem {
        Problem::invalid(&self.0)
    }

    /// Fails if there was any mistake.
    pub fn done(&self) -> Result<(), Problem> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(self.problem())
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for FieldValue<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = FieldValue<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(FieldValue::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(FieldValue::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(FieldValue::Text(Cow::Owned(text)))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(FieldValue::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(FieldValue::Whole(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        // A number that does not fit is outside of every field's range as well.
        Ok(FieldValue::Whole(i64::try_from(number).unwrap_or(i64::MAX)))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(FieldValue::Other)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(FieldValue::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(FieldValue::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(FieldValue::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(json: &str) -> FieldValue<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn absent_null_and_values_differ() {
        assert_eq!(given("null").moment("opens_at"), Ok(Some(None)));
        assert_eq!(FieldValue::Absent.moment("opens_at"), Ok(None));
        assert_eq!(
            given("\"2026-11-21T10:00:00+01:00\"")
                .moment("opens_at")
                .unwrap()
                .flatten()
                .unwrap()
                .to_string(),
            "2026-11-21T09:00:00.000Z"
        );
        assert_eq!(
            given("\"tomorrow\"").moment("opens_at").unwrap_err().field,
            "opens_at"
        );
        assert_eq!(
            given("null").capacity("capacity"),
            Ok(Some(Capacity::UNLIMITED))
        );
        assert_eq!(FieldValue::Absent.capacity("capacity"), Ok(None));
        for bad in [
            "-1",
            "1000001",
            "1.5",
            "\"7\"",
            "true",
            "18446744073709551615",
            "[1]",
        ] {
            assert!(given(bad).capacity("capacity").is_err(), "{bad}");
        }
    }

    #[test]
    fn a_party_size_is_a_number_and_digits_in_a_form() {
        let read = |json, media| given(json).party_size("party_size", media);
        let three = PartySize::parse("party_size", 3).unwrap();
        assert_eq!(read("3", Media::Json), Ok(Some(three)));
        assert_eq!(read("\" 3 \"", Media::Form), Ok(Some(three)));
        assert_eq!(read("\"\"", Media::Form), Ok(None));
        assert_eq!(FieldValue::Absent.party_size("p", Media::Json), Ok(None));
        for bad in [
            "0", "21", "-1", "1.5", "null", "true", "\"3\"", "\"\"", "[3]",
        ] {
            let refused = read(bad, Media::Json).unwrap_err();
            assert_eq!(
                (refused.field.as_ref(), refused.reason),
                ("party_size", "out-of-range"),
                "{bad}"
            );
        }
        for bad in ["\"+3\"", "\"3 people\"", "\"0\"", "\"1e0\""] {
            assert!(read(bad, Media::Form).is_err(), "{bad}");
        }
    }

    #[test]
    fn wrong_types_are_reported_field_by_field() {
        let mut check = Check::default();
        assert_eq!(check.take(given("{\"a\":[1,2]}").text("name")), None);
        assert_eq!(check.take(FieldValue::Absent.text("email")), None);
        assert_eq!(check.take(given("0").flag("waitlist")), None);
        let fields: Vec<_> = check
            .done()
            .unwrap_err()
            .errors()
            .into_iter()
            .map(|(field, _)| field)
            .collect();
        assert_eq!(fields, ["name", "email", "waitlist"]);
    }
}
