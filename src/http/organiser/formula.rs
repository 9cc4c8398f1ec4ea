//! Turns each cell that a spreadsheet would run as a formula into text (OWASP, CSV Injection).

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

use crate::domain::characters;

/// Puts an apostrophe before each formula of a cell: a spreadsheet then shows it as a text.
///
/// A spreadsheet with another separator begins a new cell within ours: after a semicolon in most of
/// Europe, and after each line break.
pub(super) fn guarded(cell: &str) -> Cow<'_, str> {
    let begins = cell
        .char_indices()
        .filter(|(_, c)| is_separator(*c))
        .map(|(at, separator)| at + separator.len_utf8());
    // Some programs drop a tab or a line break at the very beginning.
    let first = (cell.starts_with(['\t', '\r', '\n']) || begins_formula(cell)).then_some(0);
    let further = begins.filter(|at| begins_formula(&cell[*at..]));
    let formulas: Vec<_> = first.into_iter().chain(further).collect();
    if formulas.is_empty() {
        return Cow::Borrowed(cell);
    }
    let mut text = String::with_capacity(cell.len() + formulas.len());
    let mut done = 0;
    for at in formulas {
        text.push_str(&cell[done..at]);
        text.push('\'');
        done = at;
    }
    text.push_str(&cell[done..]);
    Cow::Owned(text)
}

/// What separates cells or lines in some program or country.
fn is_separator(c: char) -> bool {
    matches!(
        usual(c),
        ',' | ';'
            | ':'
            | '|'
            | '^'
            | '،'
            | '؛'
            | '、'
            | '\t'
            | '\n'
            | '\r'
            | '\u{B}'
            | '\u{C}'
            | '\u{85}'
            | '\u{2028}'
            | '\u{2029}'
    )
}

fn begins_formula(cell: &str) -> bool {
    cell.trim_start_matches(is_skipped).starts_with(is_formula)
}

/// Spreadsheets drop spaces, quotation marks and invisible characters before they look at a cell.
fn is_skipped(c: char) -> bool {
    let is_space = (c.is_whitespace() || c.is_control()) && !is_separator(c);
    is_space || usual(c) == '"' || characters::is_invisible(c) || characters::is_blank(c)
}

/// What a formula begins with.
fn is_formula(c: char) -> bool {
    matches!(usual(c), '=' | '+' | '-' | '@' | '\u{2212}')
}

/// Some programs read full-width and small characters as the usual ones.
fn usual(c: char) -> char {
    if c.is_ascii() {
        return c;
    }
    std::iter::once(c).nfkc().next().unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cases;

    #[test]
    fn formulas_become_texts_wherever_a_cell_could_begin() {
        for [cell, written] in cases::read(include_str!("../../../tests/cases/csv-cells.tsv")) {
            assert_eq!(
                guarded(&cases::text(&cell)),
                cases::text(&written),
                "{cell}"
            );
        }
    }

    #[test]
    fn every_separator_and_invisible_character_is_seen_through() {
        for separator in "\t\r\n,;:|^；，：｜＾،؛、\u{2028}\u{85}".chars() {
            for hidden in [
                "", " ", "\"", "\u{200B}", "\u{FEFF}", "\u{200E}", "\u{A0}", "\u{3000}", "\u{2800}",
            ] {
                for sign in "=+-@＝＋－＠﹦﹢﹣﹫\u{2212}".chars() {
                    assert_eq!(
                        guarded(&format!("Ada{separator}{hidden}{sign}1")),
                        format!("Ada{separator}'{hidden}{sign}1"),
                    );
                }
            }
        }
    }
}
