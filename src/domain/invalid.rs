//! Errors in one field of an input, and the rules for plain text.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use super::characters;

/// The error in one field, in words for the person who filled it in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{field}: {message}")]
pub struct Invalid {
    /// The name of the field in the API, for example `email` or `questions.0.label`.
    pub field: Cow<'static, str>,
    /// The kind of error, which the pages translate: `empty`, `too-long`, `character` and others.
    #[serde(skip)]
    pub reason: &'static str,
    /// A plain English sentence.
    pub message: String,
    /// The character that the field cannot contain, if that is the error. In JSON it has a name:
    /// `U+202E RIGHT-TO-LEFT OVERRIDE`.
    #[serde(serialize_with = "described", skip_serializing_if = "Option::is_none")]
    pub character: Option<char>,
}

#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference to the field"
)]
fn described<S: Serializer>(character: &Option<char>, serializer: S) -> Result<S::Ok, S::Error> {
    character.map(characters::described).serialize(serializer)
}

impl Invalid {
    /// An error of the kind `reason`. The message is a plain English sentence.
    pub fn new(
        field: impl Into<Cow<'static, str>>,
        reason: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            field: field.into(),
            reason,
            message: message.into(),
            character: None,
        }
    }

    /// The error for a word that is not one of `words`.
    pub fn not_one_of(field: &'static str, words: &[&str]) -> Self {
        let message = match words {
            [first @ .., last] if !first.is_empty() => {
                format!("{field} must be {} or {last}", first.join(", "))
            }
            _ => format!("{field} must be {}", words.join("")),
        };
        Self::new(field, "unknown", message)
    }

    /// The error for a `character` that the field cannot contain.
    pub fn character(field: impl Into<Cow<'static, str>>, character: char) -> Self {
        let field = field.into();
        let name = characters::described(character);
        let message = format!("{field} contains {name}, which cannot be used");
        let character = Some(character);
        Self {
            field,
            reason: "character",
            message,
            character,
        }
    }

    /// The error for a field that shows nothing.
    pub fn empty(field: impl Into<Cow<'static, str>>) -> Self {
        let field = field.into();
        let message = format!("{field} must not be empty");
        Self::new(field, "empty", message)
    }

    /// The error for a field of `length` code points where `max` are allowed.
    pub fn too_long(field: impl Into<Cow<'static, str>>, length: usize, max: usize) -> Self {
        let field = field.into();
        let message = format!("{field} has {length} characters; at most {max} are allowed");
        Self::new(field, "too-long", message)
    }
}

/// Characters that no text may contain, as inclusive ranges: control characters, and bidirectional
/// marks and overrides. The latter can make a whole line read as another one (Unicode TR 36,
/// section 2.10.5).
pub const HOSTILE: [(char, char); 8] = [
    ('\u{0}', '\u{1F}'),
    ('\u{7F}', '\u{9F}'),
    ('\u{61C}', '\u{61C}'),
    ('\u{200E}', '\u{200F}'),
    ('\u{2028}', '\u{2029}'),
    ('\u{202A}', '\u{202E}'),
    ('\u{2066}', '\u{2069}'),
    ('\u{FEFF}', '\u{FEFF}'),
];
/// Exceptions from [`HOSTILE`] for a text of several lines.
pub const OF_SEVERAL_LINES: [char; 3] = ['\t', '\n', '\r'];

/// Whether no text may contain a character, see [`HOSTILE`].
pub(super) fn is_hostile(c: char) -> bool {
    // A fast path: most text is printable ASCII, which is in none of the ranges.
    !(' '..='~').contains(&c)
        && HOSTILE
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&c))
}

/// Trims `raw` and checks that it has `min`..=`max` code points, none of them [`HOSTILE`].
/// `multiline` allows line breaks and tabs, and turns every line break into a line feed. A text
/// that shows nothing has length 0.
pub(super) fn text(
    field: impl Into<Cow<'static, str>>,
    raw: &str,
    min: usize,
    max: usize,
    multiline: bool,
) -> Result<String, Invalid> {
    let trimmed = characters::trim(raw);
    let normalised;
    let mut text = if multiline && trimmed.contains('\r') {
        normalised = trimmed.replace("\r\n", "\n").replace('\r', "\n");
        normalised.as_str()
    } else {
        trimmed
    };
    let allowed = |c: char| multiline && OF_SEVERAL_LINES.contains(&c);
    let refused = text.chars().find(|c| is_hostile(*c) && !allowed(*c));
    if !characters::shows_something(text) && refused.is_none() {
        text = "";
    }
    let length = text.chars().count();
    if length < min {
        return Err(Invalid::empty(field));
    }
    if length > max {
        return Err(Invalid::too_long(field, length, max));
    }
    match refused {
        Some(c) => Err(Invalid::character(field, c)),
        None => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_control_character_is_hostile() {
        assert!(
            ('\0'..=char::MAX)
                .filter(|c| c.is_control())
                .all(is_hostile)
        );
        assert!(!['a', ' ', '名', '\u{200D}'].into_iter().any(is_hostile));
    }

    #[test]
    fn a_refused_character_is_named_in_the_message_and_in_json() {
        let invalid = text("title", "a\u{202E}b", 1, 9, false).unwrap_err();
        let document = serde_json::to_value(&invalid).unwrap();
        assert_eq!(document["character"], "U+202E RIGHT-TO-LEFT OVERRIDE");
        assert!(
            invalid.message.contains("U+202E RIGHT-TO-LEFT OVERRIDE"),
            "{invalid}"
        );
        let broken = text("title", "a\rb", 1, 9, false).unwrap_err();
        assert_eq!(broken.character, Some('\r'));
        let empty = text("title", "\u{3164}", 1, 9, false).unwrap_err();
        assert_eq!(empty.reason, "empty");
        assert_eq!(serde_json::to_value(&empty).unwrap().get("character"), None);
        assert_eq!(text("description", " \u{2800}\n", 0, 9, true).unwrap(), "");
    }
}
