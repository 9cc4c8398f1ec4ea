//! The people of a file, checked cell by cell.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use csv::{ByteRecord, ReaderBuilder};

use super::columns::{Column, columns, count_known, shown};
use super::lines::Lines;
use super::{ERRORS_MAX, LineError, ROWS_MAX};
use crate::domain::command::Applicant;
use crate::domain::event::PartySize;
use crate::domain::invalid::Invalid;
use crate::domain::person::{Email, Name};
use crate::domain::questions::{Kind, Question, Questions, Unanswered, of_form};
use crate::domain::registration::Secret;
use crate::problem::Code;

/// What separates cells: the standard's comma, the semicolon of countries with a decimal comma, and
/// the tab of a copied table.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];
/// Spreadsheets begin a file in UTF-8 with it.
const BOM: &[u8] = b"\xEF\xBB\xBF";
/// Separates several options in a cell, as in the export.
const OPTIONS: char = '|';

/// More than a file can need: 20 questions and the fields of a person.
const COLUMNS_MAX: usize = 100;
/// The reason code of an address that an earlier line has as well.
const REPEATED: &str = "repeated";

/// A file that was read.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// Lines with people, right or wrong.
    pub(super) rows: usize,
    /// The line of each person.
    pub(super) lines: Vec<u64>,
    /// The people on lines without a mistake.
    pub(super) people: Vec<Applicant>,
    /// The heading of each field in the file.
    pub(super) headings: HashMap<String, String>,
    /// All mistakes.
    pub(super) errors: Vec<LineError>,
}

impl Sheet {
    /// Reads a file for an event with these questions and this largest party.
    pub(super) fn read(file: &[u8], questions: &Questions, most: PartySize) -> Self {
        let file = file.strip_prefix(BOM).unwrap_or(file);
        let mut sheet = Self::default();
        let mut records = Records::new(file, delimiter(file, questions));
        let Some((line, header)) = records.next() else {
            let mistake = Invalid::new("", "empty-file", "the file is empty");
            sheet.errors.push(LineError::invalid(1, mistake));
            return sheet;
        };
        let too_many = || Invalid::new("", "too-many-columns", too_many_columns());
        if header.len() > COLUMNS_MAX {
            sheet.errors.push(LineError::invalid(line, too_many()));
            return sheet;
        }
        if let Some(line) = open_quote(file, delimiter(file, questions)) {
            let message = "a quotation mark on this line or below is never closed";
            let mistake = Invalid::new("", "open-quote", message);
            sheet.errors.push(LineError::invalid(line, mistake));
            return sheet;
        }
        let columns = match columns(&header, questions) {
            Ok(columns) => columns,
            Err(wrong) => {
                let wrong = wrong.into_iter();
                sheet
                    .errors
                    .extend(wrong.map(|wrong| LineError::invalid(line, wrong)));
                return sheet;
            }
        };
        let fields: Vec<_> = columns.iter().map(|column| column.field()).collect();
        sheet.headings = fields
            .iter()
            .cloned()
            .zip(header.iter().map(shown))
            .collect();
        sheet.headings.remove("");
        let mut addresses = HashMap::new();
        for (line, record) in records {
            if sheet.rows == ROWS_MAX {
                let message = format!("a file may have up to {ROWS_MAX} people; split it");
                let mistake = Invalid::new("", "too-many-rows", message);
                sheet.errors.push(LineError::invalid(line, mistake));
                break;
            }
            sheet.rows += 1;
            let mut repeated = |email: &Email| match addresses.entry(email.key().to_owned()) {
                Entry::Vacant(place) => {
                    place.insert(line);
                    None
                }
                Entry::Occupied(earlier) => {
                    let message = format!("line {} has the same email address", earlier.get());
                    Some(Invalid::new("email", REPEATED, message))
                }
            };
            let read = if record.len() > COLUMNS_MAX {
                Err(vec![too_many()])
            } else {
                person(&columns, &record, (questions, most), &mut repeated)
            };
            match read {
                Ok(person) => {
                    sheet.lines.push(line);
                    sheet.people.push(person);
                }
                Err(mistakes) => {
                    let mistakes = mistakes.into_iter().map(|mistake| {
                        let is_its = |field: &String| !field.is_empty() && *field == mistake.field;
                        let place = fields.iter().position(is_its);
                        let cell = place.and_then(|place| record.get(place)).map(shown);
                        LineError {
                            cell,
                            ..LineError::invalid(line, mistake)
                        }
                    });
                    let room = ERRORS_MAX.saturating_sub(sheet.errors.len());
                    sheet.errors.extend(mistakes.take(room));
                }
            }
        }
        sheet
    }
}

impl LineError {
    /// A mistake of the whole line has no field.
    fn invalid(line: u64, mistake: Invalid) -> Self {
        let code = if mistake.reason == REPEATED {
            Code::AlreadyRegistered
        } else {
            Code::ValidationFailed
        };
        Self {
            line,
            field: Some(mistake.field.to_string()).filter(|field| !field.is_empty()),
            code: code.as_str(),
            message: mistake.message.clone(),
            invalid: Some(mistake),
            heading: None,
            cell: None,
        }
    }
}

/// The delimiter that makes most of the header known. A label may contain another one.
fn delimiter(file: &[u8], questions: &Questions) -> u8 {
    let known = |delimiter: &u8| {
        let header = Records::new(file, *delimiter).next();
        header.map_or(0, |(_, header)| count_known(&header, questions))
    };
    // Of several that are equally good, the first one.
    let best = DELIMITERS.into_iter().rev().max_by_key(known);
    best.unwrap_or(DELIMITERS[0])
}

fn too_many_columns() -> String {
    format!("a file may have up to {COLUMNS_MAX} columns")
}

/// The line of the record in which a quotation mark is open at the end of the file. A line behind the
/// file's end becomes a record of its own only if none is.
fn open_quote(file: &[u8], delimiter: u8) -> Option<u64> {
    const BEHIND: &str = "behind";
    let file = [file, b"\n", BEHIND.as_bytes()].concat();
    let (line, last) = Records::new(&file, delimiter).last()?;
    (last.iter().ne([BEHIND.as_bytes()])).then_some(line)
}

/// Records that have anything in them, each with its line.
struct Records<'a> {
    reader: csv::Reader<&'a [u8]>,
    lines: Lines<'a>,
}

impl<'a> Records<'a> {
    fn new(file: &'a [u8], delimiter: u8) -> Self {
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true);
        Self {
            reader: builder.delimiter(delimiter).from_reader(file),
            lines: Lines::new(file),
        }
    }
}

impl Iterator for Records<'_> {
    type Item = (u64, ByteRecord);

    fn next(&mut self) -> Option<Self::Item> {
        let mut record = ByteRecord::new();
        loop {
            // Reading bytes from memory into records of any length cannot fail.
            if !self.reader.read_byte_record(&mut record).unwrap_or(false) {
                return None;
            }
            // Spreadsheets write rows that were emptied.
            if record.iter().any(|cell| !cell.trim_ascii().is_empty()) {
                let byte = record.position().map_or(0, csv::Position::byte);
                let line = self
                    .lines
                    .of_record(usize::try_from(byte).unwrap_or(usize::MAX));
                return Some((line, record));
            }
        }
    }
}

/// The person of a record, or every mistake in it. `repeated` says whether an earlier line has the
/// address. A mistake of the whole line has no field.
fn person(
    columns: &[Column<'_>],
    record: &ByteRecord,
    (questions, most): (&Questions, PartySize),
    repeated: &mut impl FnMut(&Email) -> Option<Invalid>,
) -> Result<Applicant, Vec<Invalid>> {
    let mut mistakes = Vec::new();
    let (mut name, mut email, mut party_size) = (None, None, PartySize::ONE);
    let mut answers: Vec<(&str, Cow<'_, str>)> = Vec::new();
    let mut note = |mistake| mistakes.push(mistake);
    for (place, cell) in record.iter().enumerate() {
        let column = columns.get(place).copied().unwrap_or(Column::Empty);
        let Ok(cell) = std::str::from_utf8(cell) else {
            note(wrong(
                column,
                "not-utf-8",
                "is not UTF-8; save the file as CSV UTF-8",
            ));
            continue;
        };
        match column {
            Column::Name => match Name::parse(cell) {
                Ok(parsed) => name = Some(parsed),
                Err(mistake) => note(mistake),
            },
            Column::Email | Column::PartySize | Column::Empty if cell.trim().is_empty() => {}
            Column::Email => match Email::parse(cell) {
                Ok(parsed) => {
                    repeated(&parsed).into_iter().for_each(&mut note);
                    email = Some(parsed);
                }
                Err(mistake) => note(mistake),
            },
            Column::PartySize => match parse_party_size(cell.trim(), most) {
                Ok(parsed) => party_size = parsed,
                Err(mistake) => note(mistake),
            },
            Column::Answer(question) => answer(question, cell.trim(), &mut answers),
            Column::Empty => note(Invalid::new(
                "",
                "too-many-cells",
                "this line has a cell in a column without a header",
            )),
        }
    }
    let sent = answers.iter().map(|(key, value)| (*key, value.as_ref()));
    let answered = questions.answered(&of_form(questions, sent), Unanswered::Allowed);
    let answers = match answered {
        Ok(answers) => Some(answers),
        Err(wrong) => {
            mistakes.extend(wrong);
            None
        }
    };
    match (name, answers) {
        (Some(name), Some(answers)) if mistakes.is_empty() => Ok(Applicant {
            party_size,
            answers,
            ..Applicant::new(name, email, None, Secret::draw())
        }),
        (None, _) if mistakes.is_empty() => Err(vec![Invalid::empty("name")]),
        _ => Err(mistakes),
    }
}

/// The limit is also enforced when the party is decided: it may change until then.
fn parse_party_size(cell: &str, most: PartySize) -> Result<PartySize, Invalid> {
    let digits = cell.bytes().all(|byte| byte.is_ascii_digit());
    let people = cell.parse().ok().filter(|_| digits).unwrap_or_default();
    PartySize::parse("party_size", people)
        .ok()
        .filter(|people| *people <= most)
        .ok_or_else(|| PartySize::out_of_range("party_size", most.get()))
}

/// Writes a cell as a form would send it.
fn answer<'c>(question: &'c Question, cell: &'c str, answers: &mut Vec<(&'c str, Cow<'c, str>)>) {
    let key = question.key.as_str();
    match question.kind {
        // An option may contain the character that separates options.
        Kind::Choices if !question.options.iter().any(|option| option == cell) => {
            let options = cell.split(OPTIONS).map(str::trim);
            answers.extend(options.map(|option| (key, option.into())));
        }
        Kind::Checkbox => answers.push((key, flag(cell).into())),
        Kind::Choices | Kind::Text | Kind::LongText | Kind::Choice | Kind::Number => {
            answers.push((key, cell.into()));
        }
    }
}

/// Spreadsheets write TRUE and FALSE; people write words.
fn flag(cell: &str) -> &str {
    let is = |words: &[&str]| words.iter().any(|word| cell.eq_ignore_ascii_case(word));
    if is(&["true", "yes", "x"]) {
        "true"
    } else if is(&["false", "no"]) {
        "false"
    } else {
        cell
    }
}

fn wrong(column: Column<'_>, reason: &'static str, what: &str) -> Invalid {
    let field = column.field();
    let message = format!(
        "{} {what}",
        if field.is_empty() { "a cell" } else { &field }
    );
    Invalid::new(field, reason, message)
}

#[cfg(test)]
mod tests;
