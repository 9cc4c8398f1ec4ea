//! What is wrong with one field of an input.

/// A field that was refused, in words for the person who filled it in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("{field}: {message}")]
pub struct Invalid {
    /// The field as the API spells it, e.g. `email`.
    pub field: &'static str,
    /// A stable key of the reason, e.g. `too-long`; the pages translate it.
    #[serde(skip)]
    pub reason: &'static str,
    /// A plain English sentence.
    pub message: String,
}

impl Invalid {
    /// A refusal of `field` for `reason`, explained by `message`.
    pub fn new(field: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            field,
            reason,
            message: message.into(),
        }
    }
}

/// Characters that no text may have, as ranges without gaps between first and last. Control characters other than line breaks are
/// never wanted; bidirectional marks and overrides let a name rewrite the line it stands in (Unicode TR 36, section 2.10.5).
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
/// Those of them that a text of several lines may have.
pub const OF_SEVERAL_LINES: [char; 3] = ['\t', '\n', '\r'];

/// Whether a character is never wanted, see [`HOSTILE`].
pub(super) fn is_hostile(c: char) -> bool {
    // Most text is printable ASCII, which is in none of the ranges.
    !(' '..='~').contains(&c)
        && HOSTILE
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&c))
}

/// Trims `raw` and demands 1..=`max` code points, none of them hostile (`multiline` allows line feeds and tabs).
pub(super) fn text(
    field: &'static str,
    raw: &str,
    min: usize,
    max: usize,
    multiline: bool,
) -> Result<String, Invalid> {
    let trimmed = raw.trim();
    let normalised;
    let text = if multiline && trimmed.contains('\r') {
        normalised = trimmed.replace("\r\n", "\n").replace('\r', "\n");
        normalised.as_str()
    } else {
        trimmed
    };
    let length = text.chars().count();
    if length < min {
        return Err(Invalid::new(
            field,
            "empty",
            format!("{field} must not be empty"),
        ));
    }
    if length > max {
        return Err(Invalid::new(
            field,
            "too-long",
            format!("{field} has {length} characters; at most {max} are allowed"),
        ));
    }
    if text
        .chars()
        .any(|c| is_hostile(c) && !(multiline && OF_SEVERAL_LINES.contains(&c)))
    {
        return Err(Invalid::new(
            field,
            "control-character",
            format!("{field} contains a control or direction-changing character"),
        ));
    }
    Ok(text.to_owned())
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
}
