//! What the columns of a file are, by its header.

use std::borrow::Cow;

use crate::domain::invalid::Invalid;
use crate::domain::questions::{Question, Questions};

/// How many characters of a header or a cell a message repeats.
const SHOWN: usize = 64;

/// One column of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column<'q> {
    Name,
    Email,
    PartySize,
    Answer(&'q Question),
    /// Without a header: its cells must be empty.
    Empty,
}

impl Column<'_> {
    /// The field in the API; empty for a column without a header.
    pub(super) fn field(self) -> String {
        match self {
            Self::Name => "name".to_owned(),
            Self::Email => "email".to_owned(),
            Self::PartySize => "party_size".to_owned(),
            Self::Answer(question) => format!("answers.{}", question.key),
            Self::Empty => String::new(),
        }
    }
}

/// The column of each header.
pub(super) fn columns<'q>(
    header: &csv::ByteRecord,
    questions: &'q Questions,
) -> Result<Vec<Column<'q>>, Vec<Invalid>> {
    let mut columns = Vec::new();
    let mut wrong = Vec::new();
    for cell in header {
        match column(&String::from_utf8_lossy(cell), questions) {
            Ok(column) if column != Column::Empty && columns.contains(&column) => {
                wrong.push(refuse(cell, "repeated-column", "is there twice"));
            }
            Ok(column) => columns.push(column),
            Err((reason, why)) => wrong.push(refuse(cell, reason, why)),
        }
    }
    if wrong.is_empty() && !columns.contains(&Column::Name) {
        let message = "the first line must name the columns, and one of them is name";
        wrong.push(Invalid::new("name", "no-name", message));
    }
    if wrong.is_empty() {
        Ok(columns)
    } else {
        Err(wrong)
    }
}

/// How many headers of a file are known.
pub(super) fn count_known(header: &csv::ByteRecord, questions: &Questions) -> usize {
    let cells = header.iter().map(String::from_utf8_lossy);
    cells
        .filter(|cell| !matches!(column(cell, questions), Ok(Column::Empty) | Err(_)))
        .count()
}

/// A header is a field's name, a question's key, its label, or `label (key)` as in the export. Other
/// words for a field come last, so that a question may have them as its label.
fn column<'q>(
    header: &str,
    questions: &'q Questions,
) -> Result<Column<'q>, (&'static str, &'static str)> {
    let header = header.trim();
    let folded = header.to_lowercase();
    match folded.as_str() {
        "" => return Ok(Column::Empty),
        "name" => return Ok(Column::Name),
        "email" => return Ok(Column::Email),
        "party_size" => return Ok(Column::PartySize),
        _ => {}
    }
    let asked = || questions.asked().iter();
    if let Some(question) = asked().find(|question| question.key.as_str() == header) {
        return Ok(Column::Answer(question));
    }
    let mut labelled = asked().filter(|question| {
        question.label.to_lowercase() == folded
            || header == format!("{} ({})", question.label, question.key)
    });
    match (labelled.next(), labelled.next()) {
        (Some(question), None) => Ok(Column::Answer(question)),
        (Some(_), Some(_)) => Err((
            "doubtful-column",
            "is the label of two questions; use their keys",
        )),
        (None, _) => synonym(&folded).ok_or((
            "unknown-column",
            "is neither a column that can be imported nor a question of this event",
        )),
    }
}

/// The field that spreadsheets call by another word, in the languages of the pages.
fn synonym(folded: &str) -> Option<Column<'static>> {
    Some(match folded {
        "姓名" => Column::Name,
        "e-mail" | "mail" | "email address" | "e-mail address" | "邮箱" | "电子邮箱"
        | "电子邮件" => Column::Email,
        "people" | "party size" | "人数" => Column::PartySize,
        _ => return None,
    })
}

/// A header or another cell as a message repeats it.
pub(super) fn shown(cell: &[u8]) -> String {
    let text = String::from_utf8_lossy(cell);
    let mut rest = text.trim().chars();
    let mut shown: String = rest.by_ref().take(SHOWN).collect();
    if rest.next().is_some() {
        shown.push('…');
    }
    shown
}

fn refuse(cell: &[u8], reason: &'static str, why: &str) -> Invalid {
    let header: Cow<'_, str> = String::from_utf8_lossy(cell);
    let field: String = header.trim().chars().take(SHOWN).collect();
    let message = format!("the column {field:?} {why}");
    Invalid::new(field, reason, message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn questions() -> Questions {
        Questions::new(
            Questions::parse(&json!([
                { "key": "diet", "label": "Diet", "kind": "text" },
                { "key": "note", "label": "Note", "kind": "text" },
                { "key": "memo", "label": "Note", "kind": "text" },
            ]))
            .unwrap(),
        )
    }

    fn of(header: &[&str]) -> Result<Vec<String>, Vec<String>> {
        let questions = questions();
        let columns = columns(&csv::ByteRecord::from(header.to_vec()), &questions);
        let name = |column: &Column<'_>| match column {
            Column::Answer(question) => question.key.to_string(),
            other => format!("{other:?}"),
        };
        columns
            .map(|columns| columns.iter().map(name).collect())
            .map_err(|wrong| {
                wrong
                    .into_iter()
                    .map(|wrong| wrong.field.into_owned())
                    .collect()
            })
    }

    #[test]
    fn a_header_is_a_field_a_key_or_a_label() {
        let found = of(&[
            " Name",
            "EMAIL",
            "Party_Size",
            "",
            "DIET",
            "memo",
            "Note (note)",
        ]);
        let expected = [
            "Name",
            "Email",
            "PartySize",
            "Empty",
            "diet",
            "memo",
            "note",
        ];
        assert_eq!(found.unwrap(), expected);
    }

    #[test]
    fn a_field_has_the_words_of_spreadsheets_too() {
        let found = of(&["姓名", "E-Mail", "人数"]).unwrap();
        assert_eq!(found, ["Name", "Email", "PartySize"]);
        for email in ["Mail", "e-mail address", "邮箱", "电子邮箱", "电子邮件"] {
            assert_eq!(of(&["name", email]).unwrap(), ["Name", "Email"], "{email}");
        }
        assert_eq!(of(&["email", "name", "mail"]).unwrap_err(), ["mail"]);
        let questions = json!([{ "key": "post", "label": "Mail", "kind": "text" }]);
        let questions = Questions::new(Questions::parse(&questions).unwrap());
        let found = column("mail", &questions).unwrap();
        assert_eq!(
            found.field(),
            "answers.post",
            "a question's label comes first"
        );
    }

    #[test]
    fn an_unknown_doubtful_or_repeated_header_is_refused() {
        for (header, wrong) in [
            (&["name", "status"][..], "status"),
            (&["name", "Note"], "Note"),
            (&["name", "Name"], "Name"),
            (&["name", "diet", "Diet"], "Diet"),
            (&["email"], "name"),
        ] {
            assert_eq!(of(header).unwrap_err(), [wrong], "{header:?}");
        }
    }
}
