//! Answers to an event's questions, as a request gives them: the member `answers` in JSON, or form
//! fields `answer.<key>`.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::domain::invalid::Invalid;
use crate::domain::questions::{Questions, Sent, of_form};
use crate::http::body::{Content, Media};
use crate::problem::Problem;

/// The names of form fields with answers begin with this.
pub const PREFIX: &str = "answer.";

/// The member `answers`. Any value is read, so that all mistakes are reported together.
#[derive(Debug, Default)]
pub enum AnswersField {
    /// Absent, or `null`.
    #[default]
    Absent,
    /// An object.
    Given(Sent<'static>),
    /// Anything else.
    Other,
}

impl AnswersField {
    /// The answers in it, which may be none.
    pub(super) fn sent(self) -> Result<Sent<'static>, Invalid> {
        match self {
            Self::Absent => Ok(Sent::new()),
            Self::Given(sent) => Ok(sent),
            Self::Other => Err(Invalid::new(
                "answers",
                "not-an-object",
                "answers must be an object: the answer to each question by its key",
            )),
        }
    }
}

/// All answers of a request; `field` is the member, if the request is JSON.
pub(super) fn of_request(
    content: &Content,
    field: AnswersField,
    questions: &Questions,
) -> Result<Result<Sent<'static>, Invalid>, Problem> {
    match content.media {
        Media::Json => Ok(field.sent()),
        Media::Form => {
            let fields: Vec<(Cow<'_, str>, Cow<'_, str>)> = content.decode()?;
            let answers = fields.iter().filter_map(|(name, value)| {
                let name = name.strip_prefix(PREFIX)?;
                Some((name, value.as_ref()))
            });
            let sent = of_form(questions, answers).into_iter();
            let owned = sent.map(|(name, value)| (Cow::Owned(name.into_owned()), value));
            Ok(Ok(owned.collect()))
        }
    }
}

impl<'de> Deserialize<'de> for AnswersField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = AnswersField;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut sent = Sent::new();
        while let Some((key, raw)) = entries.next_entry::<String, &RawValue>()? {
            // Valid JSON that is no value, such as 1e400: no question takes an object either.
            let value =
                serde_json::from_str(raw.get()).unwrap_or_else(|_| Value::Object(<_>::default()));
            if sent.insert(Cow::Owned(key), value).is_some() {
                return Err(A::Error::custom("two answers to one question"));
            }
        }
        Ok(AnswersField::Given(sent))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(AnswersField::Other)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(AnswersField::Absent)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(AnswersField::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(AnswersField::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(AnswersField::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(AnswersField::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(AnswersField::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<usize, Option<&'static str>> {
        let field: AnswersField = serde_json::from_str(json).map_err(|_| None)?;
        field
            .sent()
            .map(|sent| sent.len())
            .map_err(|invalid| Some(invalid.reason))
    }

    #[test]
    fn any_value_is_read_and_only_an_object_is_taken() {
        for (json, outcome) in [
            ("null", Ok(0)),
            ("{}", Ok(0)),
            (r#"{"a":1e400,"b":[{"c":"\ud800"}]}"#, Ok(2)),
            (r#"{"a":1,"a":1}"#, Err(None)),
            ("[1]", Err(Some("not-an-object"))),
            ("\"a\"", Err(Some("not-an-object"))),
            ("7", Err(Some("not-an-object"))),
            ("-7", Err(Some("not-an-object"))),
            ("7.5", Err(Some("not-an-object"))),
            ("true", Err(Some("not-an-object"))),
        ] {
            assert_eq!(read(json), outcome, "{json}");
        }
    }
}
