//! The questions of an event.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::domain::invalid::Invalid;
use crate::domain::words::words;

/// The most questions of an event. People give up on longer forms.
pub const MAX: usize = 20;
/// The longest label, in code points.
pub const LABEL_MAX: usize = 200;
/// The longest help text, in code points: a paragraph.
pub const HELP_MAX: usize = 500;
/// How many options a question offers. A choice needs two; a longer list needs a search.
pub const OPTIONS: RangeInclusive<usize> = 2..=50;
/// The longest option, in code points.
pub const OPTION_MAX: usize = 200;
/// The most removed questions that an event keeps. Each may be a column of every export.
const REMOVED_MAX: usize = 200;

/// The name of a question in the API: `[a-z][a-z0-9_]{0,31}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Key(String);

impl Key {
    /// The longest key.
    pub const MAX: usize = 32;

    /// Parses a key; `None` unless it matches the pattern above.
    pub fn parse(raw: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let ok = (1..=Self::MAX).contains(&raw.len())
            && raw.starts_with(|c: char| c.is_ascii_lowercase())
            && raw.bytes().all(plain);
        ok.then(|| Self(raw.to_owned()))
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Key {
    type Error = &'static str;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        Self::parse(&raw).ok_or("not a question's key")
    }
}

words! {
    /// What a question takes as an answer.
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Kind {
        /// One line.
        Text = "text",
        /// Several lines.
        LongText = "long-text",
        /// One of the options.
        Choice = "choice",
        /// Any of the options.
        Choices = "choices",
        /// Yes or no. A required one must be ticked.
        Checkbox = "checkbox",
        /// A number.
        Number = "number",
    }
}

impl Kind {
    /// Whether the question offers options.
    pub fn has_options(self) -> bool {
        match self {
            Self::Choice | Self::Choices => true,
            Self::Text | Self::LongText | Self::Checkbox | Self::Number => false,
        }
    }
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Its name in the API, unique in the event.
    pub key: Key,
    /// What people read: 1..=[`LABEL_MAX`] code points on one line.
    pub label: String,
    /// What it takes.
    pub kind: Kind,
    /// Whether nobody registers without an answer.
    pub required: bool,
    /// The options of a choice, in the organiser's order; else empty.
    pub options: Vec<String>,
    /// More about the question: up to [`HELP_MAX`] code points on one line.
    pub help: String,
}

/// The questions of an event, in order. Questions that were removed are kept, because people may
/// have answered them: lists and exports need their labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Questions {
    asked: Vec<Question>,
    /// The one that was removed last comes last.
    removed: Vec<Question>,
}

/// A question as the database has it.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    #[serde(flatten)]
    question: Cow<'a, Question>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    removed: bool,
}

impl Questions {
    /// The questions of a new event.
    pub fn new(asked: Vec<Question>) -> Self {
        Self {
            asked,
            removed: Vec::new(),
        }
    }

    /// These questions from now on. Earlier ones are kept as removed unless `unanswered`, that is
    /// if nobody can have answered them.
    pub fn replaced(&self, asked: Vec<Question>, unanswered: bool) -> Result<Self, Invalid> {
        if unanswered {
            return Ok(Self::new(asked));
        }
        let earlier = self.removed.iter().chain(&self.asked);
        let gone = earlier.filter(|one| asked.iter().all(|other| other.key != one.key));
        let removed: Vec<_> = gone.cloned().collect();
        if removed.len() > REMOVED_MAX {
            return Err(Invalid::new(
                "questions",
                "too-many-removed",
                format!(
                    "this event keeps {REMOVED_MAX} removed questions with their answers; use a \
                    removed key again"
                ),
            ));
        }
        Ok(Self { asked, removed })
    }

    /// What is asked now.
    pub fn asked(&self) -> &[Question] {
        &self.asked
    }

    /// All that people may have answered: what is asked now, then what was removed.
    pub fn known(&self) -> impl Iterator<Item = &Question> {
        self.asked.iter().chain(&self.removed)
    }

    /// Whether nothing is asked now.
    pub fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// The text that the database stores.
    pub fn stored(&self) -> String {
        let stored = |question, removed| Stored {
            question: Cow::Borrowed(question),
            removed,
        };
        let asked = self.asked.iter().map(|question| stored(question, false));
        let removed = self.removed.iter().map(|question| stored(question, true));
        // Strings, flags and lists of strings: writing them to memory cannot fail.
        serde_json::to_string(&asked.chain(removed).collect::<Vec<_>>())
            .expect("questions are plain JSON")
    }

    /// Reads what [`Self::stored`] writes.
    pub fn of_stored(text: &str) -> Result<Self, serde_json::Error> {
        if text == "[]" {
            return Ok(Self::default());
        }
        let stored: Vec<Stored<'static>> = serde_json::from_str(text)?;
        let (removed, asked): (Vec<_>, Vec<_>) = stored.into_iter().partition(|one| one.removed);
        let questions = |list: Vec<Stored<'static>>| {
            let owned = list.into_iter().map(|one| one.question.into_owned());
            owned.collect()
        };
        Ok(Self {
            asked: questions(asked),
            removed: questions(removed),
        })
    }
}

/// The API shows what is asked now.
impl Serialize for Questions {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.asked.serialize(serializer)
    }
}
