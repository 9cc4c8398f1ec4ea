//! Tables with aligned columns, for terminals.

use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

/// The space between two columns.
const GAP: usize = 2;

/// A table; its last column is as wide as it is.
pub(in crate::cli) fn table(rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.width()).max().unwrap_or(0)
    };
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.width() + GAP));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A member as a cell: text without quotes, nothing for `null`. A control character would move the
/// terminal's cursor.
pub(in crate::cli) fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(list) => {
            let shown: Vec<_> = list.iter().map(label).collect();
            shown.join("; ")
        }
        other => other.to_string(),
    };
    text.replace(char::is_control, " ")
}

/// An element of a list: a question by what it asks.
fn label(value: &Value) -> String {
    match value["label"].as_str() {
        Some(label) => label.to_owned(),
        None => cell(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = [["a", "bb", "c"], ["王小明", "b", ""], ["aaa", "b", ""]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), "a       bb  c\n王小明  b\naaa     b\n");
        assert_eq!(table(&[]), "");
    }

    #[test]
    fn a_cell_is_one_harmless_line() {
        for (value, expected) in [
            (Value::Null, ""),
            (json!("a\nb\u{1b}[2J"), "a b [2J"),
            (json!(7), "7"),
            (json!(true), "yes"),
            (json!([{"key": "diet", "label": "Diet?"}, "x"]), "Diet?; x"),
        ] {
            assert_eq!(cell(&value), expected);
        }
    }
}
