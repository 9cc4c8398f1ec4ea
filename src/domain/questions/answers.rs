//! Answers, checked against the questions of an event.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Number, Value};

use super::definition::{Key, Kind, MAX, Question, Questions};
use crate::domain::invalid::{self, Invalid};

/// The longest answer of one line, in code points.
pub const TEXT_MAX: usize = 1_000;
/// The longest answer of several lines, in code points.
pub const LONG_TEXT_MAX: usize = 4_000;
/// The largest number, and without its sign the smallest. Up to 2^53 every program reads a whole
/// number as it was written (RFC 8259, section 6).
pub const NUMBER_MAX: f64 = 1e15;

/// One answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// To a text, a long text or a choice.
    Text(String),
    /// To choices: at least one, in the order of the options.
    Options(Vec<String>),
    /// To a checkbox.
    Flag(bool),
    /// To a number.
    Number(Number),
}

/// The answers of one person, by key. A question that was not answered has none.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Answers(BTreeMap<Key, Answer>);

/// Answers that replace earlier ones; `None` removes one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Correction(BTreeMap<Key, Option<Answer>>);

/// Personal data: nothing that prints a registration prints its answers.
impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answers({})", self.0.len())
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer(…)")
    }
}

/// Answers as they were sent, by the names of their questions.
pub type Sent<'a> = BTreeMap<Cow<'a, str>, Value>;

/// The reason for a required question without an answer.
const MISSING: &str = "missing";

/// Whether required questions may stay unanswered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// Not for people who register themselves.
    Refused,
    /// The organiser may add somebody without asking.
    Allowed,
}

impl Unanswered {
    /// Whether a mistake does not count: the organiser may leave a required question
    /// unanswered.
    fn excuses(self, mistake: &Invalid) -> bool {
        self == Self::Allowed && mistake.reason == MISSING
    }
}

impl Correction {
    /// Leaves out the answers for which `keep` is false.
    pub fn retain(&mut self, mut keep: impl FnMut(&Key, Option<&Answer>) -> bool) {
        self.0.retain(|key, answer| keep(key, answer.as_ref()));
    }
}

impl Answers {
    /// Whether nothing was answered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The answer to one question.
    pub fn get(&self, key: &Key) -> Option<&Answer> {
        self.0.get(key)
    }

    /// These answers after a correction.
    #[must_use]
    pub fn corrected(&self, correction: &Correction) -> Self {
        let mut answers = self.clone();
        for (key, answer) in &correction.0 {
            match answer {
                Some(answer) => answers.0.insert(key.clone(), answer.clone()),
                None => answers.0.remove(key),
            };
        }
        answers
    }

    /// The text that the database stores; `None` if nothing was answered.
    pub fn stored(&self) -> Option<String> {
        // Strings, flags and finite numbers: writing them to memory cannot fail.
        (!self.is_empty()).then(|| serde_json::to_string(self).expect("answers are plain JSON"))
    }

    /// Reads what [`Self::stored`] writes.
    pub fn of_stored(text: &str) -> Result<Self, serde_json::Error> {
        let raw: BTreeMap<Key, &RawValue> = serde_json::from_str(text)?;
        let answers = raw.into_iter().map(|(key, raw)| {
            // serde_json may miss the nearest number, and then a repeated request would differ
            // from what was stored.
            let number = raw.get().parse().ok().and_then(Number::from_f64);
            let answer = match number.and_then(|number| usual(number.as_f64()?)) {
                Some(number) => Answer::Number(number),
                None => serde_json::from_str(raw.get())?,
            };
            Ok((key, answer))
        });
        answers.collect::<Result<_, _>>().map(Self)
    }
}

/// One line for a file: options are joined by `|`.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Options(options) => f.write_str(&options.join("|")),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

impl Questions {
    /// Checks the answers of somebody who registers. Fails with every mistake, in the order of the
    /// questions.
    pub fn answered(
        &self,
        sent: &Sent<'_>,
        unanswered: Unanswered,
    ) -> Result<Answers, Vec<Invalid>> {
        let mut mistakes = Vec::new();
        let mut answers = Answers::default();
        for question in self.asked() {
            let answer = match sent.get(question.key.as_str()) {
                Some(value) => question.answer(value),
                None => Ok(None),
            };
            match answer {
                Ok(Some(answer)) => {
                    answers.0.insert(question.key.clone(), answer);
                }
                Ok(None) if question.required && unanswered == Unanswered::Refused => {
                    mistakes.push(missing(question));
                }
                Ok(None) => {}
                Err(mistake) if unanswered.excuses(&mistake) => {}
                Err(mistake) => mistakes.push(mistake),
            }
        }
        mistakes.extend(self.unknown(sent));
        if mistakes.is_empty() {
            Ok(answers)
        } else {
            Err(mistakes)
        }
    }

    /// Checks answers that replace earlier ones. A question that is not named keeps its answer; an
    /// empty answer removes it. Fails with every mistake, in the order of the questions.
    pub fn correction(
        &self,
        sent: &Sent<'_>,
        unanswered: Unanswered,
    ) -> Result<Correction, Vec<Invalid>> {
        let mut mistakes = Vec::new();
        let mut correction = Correction::default();
        for question in self.asked() {
            let Some(value) = sent.get(question.key.as_str()) else {
                continue;
            };
            match question.answer(value) {
                Ok(None) if question.required && unanswered == Unanswered::Refused => {
                    mistakes.push(missing(question));
                }
                Ok(answer) => {
                    correction.0.insert(question.key.clone(), answer);
                }
                Err(mistake) if unanswered.excuses(&mistake) => {
                    correction.0.insert(question.key.clone(), None);
                }
                Err(mistake) => mistakes.push(mistake),
            }
        }
        mistakes.extend(self.unknown(sent));
        if mistakes.is_empty() {
            Ok(correction)
        } else {
            Err(mistakes)
        }
    }

    /// The mistakes of names that no question has. A client's text is repeated in part only.
    fn unknown(&self, sent: &Sent<'_>) -> impl Iterator<Item = Invalid> {
        let is_unknown = |name: &str| {
            self.asked()
                .iter()
                .all(|question| question.key.as_str() != name)
        };
        let names = sent.keys().map(AsRef::as_ref);
        names
            .filter(move |name| is_unknown(name))
            .take(MAX)
            .map(|name| {
                let shown: String = name.chars().take(2 * Key::MAX).collect();
                let message = format!("answers.{shown} answers no question of this event");
                Invalid::new(format!("answers.{shown}"), "unknown", message)
            })
    }
}

fn field(question: &Question) -> String {
    format!("answers.{}", question.key)
}

fn missing(question: &Question) -> Invalid {
    let field = field(question);
    let message = format!("{field} is missing");
    Invalid::new(field, MISSING, message)
}

impl Question {
    /// Checks one answer; `None` if it says nothing.
    fn answer(&self, sent: &Value) -> Result<Option<Answer>, Invalid> {
        if sent.is_null() {
            return Ok(None);
        }
        match self.kind {
            Kind::Text => self.text(sent, TEXT_MAX, false),
            Kind::LongText => self.text(sent, LONG_TEXT_MAX, true),
            Kind::Choice => self.choice(sent),
            Kind::Choices => self.choices(sent),
            Kind::Checkbox => self.checkbox(sent),
            Kind::Number => self.number(sent),
        }
    }

    fn text(&self, sent: &Value, max: usize, multiline: bool) -> Result<Option<Answer>, Invalid> {
        let raw = sent
            .as_str()
            .ok_or_else(|| self.wrong("not-a-text", "a text"))?;
        let text = invalid::text(field(self), raw, 0, max, multiline)?;
        Ok((!text.is_empty()).then_some(Answer::Text(text)))
    }

    fn choice(&self, sent: &Value) -> Result<Option<Answer>, Invalid> {
        let raw = sent
            .as_str()
            .ok_or_else(|| self.wrong("not-a-text", "one of its options"))?;
        if raw.is_empty() {
            return Ok(None);
        }
        let option = self.options.iter().find(|option| *option == raw);
        let option = option.ok_or_else(|| self.unknown_option())?;
        Ok(Some(Answer::Text(option.clone())))
    }

    fn choices(&self, sent: &Value) -> Result<Option<Answer>, Invalid> {
        let wrong = || self.wrong("not-a-list", "a list of its options");
        let list = sent.as_array().ok_or_else(wrong)?;
        let mut chosen = Vec::new();
        for option in list {
            let raw = option.as_str().ok_or_else(wrong)?;
            let place = self.options.iter().position(|option| option == raw);
            chosen.push(place.ok_or_else(|| self.unknown_option())?);
        }
        // The same choice in another order is the same answer.
        chosen.sort_unstable();
        chosen.dedup();
        let options: Vec<_> = chosen
            .into_iter()
            .map(|place| self.options[place].clone())
            .collect();
        Ok((!options.is_empty()).then_some(Answer::Options(options)))
    }

    fn checkbox(&self, sent: &Value) -> Result<Option<Answer>, Invalid> {
        let ticked = sent
            .as_bool()
            .ok_or_else(|| self.wrong("not-a-flag", "true or false"))?;
        if self.required && !ticked {
            return Err(self.wrong(MISSING, "true"));
        }
        Ok(Some(Answer::Flag(ticked)))
    }

    fn number(&self, sent: &Value) -> Result<Option<Answer>, Invalid> {
        let wrong = || self.wrong("not-a-number", "a number");
        let number = sent
            .as_f64()
            .filter(|number| number.is_finite())
            .ok_or_else(wrong)?;
        if number.abs() > NUMBER_MAX {
            let message = format!(
                "{} must be between -{NUMBER_MAX} and {NUMBER_MAX}",
                field(self)
            );
            return Err(Invalid::new(field(self), "out-of-range", message));
        }
        let number = usual(number).ok_or_else(wrong)?;
        Ok(Some(Answer::Number(number)))
    }

    fn unknown_option(&self) -> Invalid {
        let message = format!("{} is not one of the options", field(self));
        Invalid::new(field(self), "unknown-option", message)
    }

    fn wrong(&self, reason: &'static str, what: &str) -> Invalid {
        Invalid::new(
            field(self),
            reason,
            format!("{} must be {what}", field(self)),
        )
    }
}

/// `3.0` and `3` are one number, and so are `-0` and `0`.
fn usual(number: f64) -> Option<Number> {
    if number.fract() == 0.0 {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole, and below NUMBER_MAX, which an i64 holds exactly"
        )]
        return Some(Number::from(number as i64));
    }
    Number::from_f64(number)
}
