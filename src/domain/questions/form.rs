//! Answers as a form writes them: every value is a text.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Number, Value};

use super::answers::Sent;
use super::definition::{Kind, Questions};

/// The answers among a form's fields, given by the part of their names after `answer.`. What is
/// not what its question takes becomes a value that the check refuses.
pub fn of_form<'a>(
    questions: &Questions,
    fields: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Sent<'a> {
    let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in fields {
        values.entry(name).or_default().push(value);
    }
    let kind = |name: &str| {
        let mut asked = questions.asked().iter();
        asked
            .find(|question| question.key.as_str() == name)
            .map(|question| question.kind)
    };
    let sent = values.into_iter();
    sent.map(|(name, values)| (Cow::Borrowed(name), value(kind(name), &values)))
        .collect()
}

fn value(kind: Option<Kind>, values: &[&str]) -> Value {
    let filled: Vec<&str> = values
        .iter()
        .copied()
        .filter(|text| !text.is_empty())
        .collect();
    // A page's form sends an empty value beside each box, because browsers leave out empty boxes.
    let values = if filled.is_empty() { &[""] } else { &*filled };
    match (kind, values) {
        (Some(Kind::Choices), _) => filled.into_iter().map(Value::from).collect(),
        (Some(Kind::Checkbox), [text]) => match *text {
            "" => Value::Null,
            // What a browser sends for a checkbox without a value, and what people write.
            "true" | "on" | "1" => Value::Bool(true),
            "false" | "off" | "0" => Value::Bool(false),
            other => Value::from(other),
        },
        (Some(Kind::Number), [text]) => match text.trim() {
            "" => Value::Null,
            text => number(text).map_or_else(|| Value::from(text), Value::Number),
        },
        (_, [text]) => Value::from(*text),
        // Only choices have several values.
        (_, values) => values.iter().copied().collect(),
    }
}

/// Digits with a point; not the words that also mean a number in Rust, such as `inf`.
fn number(text: &str) -> Option<Number> {
    let digits = |b: u8| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E');
    let number: f64 = text
        .bytes()
        .all(digits)
        .then(|| text.parse().ok())
        .flatten()?;
    Number::from_f64(number)
}
