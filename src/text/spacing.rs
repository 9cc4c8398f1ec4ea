//! Spaces around values in Chinese. The catalogue has one between Han and a value, which is right for
//! figures and Latin letters. A value that is Chinese itself takes none: `管理后台修改了设置`.

use std::borrow::Cow;
use std::collections::HashMap;

use fluent_templates::fluent_bundle::FluentValue;

use super::Values;

/// Noncharacters, which no text has, at the ends of a value that begins or ends with Chinese.
const BEGIN: char = '\u{fdd0}';
const END: char = '\u{fdd1}';

fn is_chinese(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{303f}' | '\u{3400}'..='\u{9fff}' | '\u{ff00}'..='\u{ff60}' | '\u{20000}'..='\u{3ffff}')
}

/// The values with marks at the ends that are Chinese.
pub(super) fn mark<'a>(values: &'a Values) -> Values<'a> {
    let marked = |value: &'a FluentValue| match value {
        FluentValue::String(text) => {
            let begins = text.starts_with(is_chinese).then_some(BEGIN);
            let ends = text.ends_with(is_chinese).then_some(END);
            if begins.is_none() && ends.is_none() {
                return value.clone();
            }
            let whole = begins.into_iter().chain(text.chars()).chain(ends);
            FluentValue::String(Cow::Owned(whole.collect()))
        }
        other => other.clone(),
    };
    let values = values.iter();
    values
        .map(|(name, value)| (name.clone(), marked(value)))
        .collect::<HashMap<_, _>>()
}

/// Removes the marks, and the space between a marked end and the Chinese beside it.
pub(super) fn close_up(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            BEGIN => {
                let before = out.strip_suffix(' ');
                if before.is_some_and(|before| before.ends_with(is_chinese)) {
                    out.pop();
                }
            }
            END => {
                let mut ahead = rest.clone();
                let follows = |c: char| c == BEGIN || is_chinese(c);
                if ahead.next() == Some(' ') && ahead.next().is_some_and(follows) {
                    rest.next();
                }
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::language::Language;
    use crate::text::Texts;

    /// `web/js/words.js` reads the same table (`tests/web/words.test.mjs`).
    #[test]
    fn a_page_and_its_scripts_close_up_alike() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/web/spacing.json");
        let table: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let rows = table.as_array().unwrap();
        assert!(rows.len() > 9);
        for row in rows {
            let mut text = row["text"].as_str().unwrap().to_owned();
            let given = row["values"].as_object().unwrap().iter();
            let values: Values = given
                .map(|(name, value)| (name.clone().into(), value.as_str().unwrap().into()))
                .collect();
            for (name, value) in mark(&values) {
                let FluentValue::String(value) = value else {
                    panic!("{name} is no text");
                };
                text = text.replace(&format!("%{name}"), &value);
            }
            assert_eq!(close_up(&text), row["said"].as_str().unwrap());
        }
    }

    #[test]
    fn chinese_beside_chinese_has_no_space_and_latin_letters_keep_theirs() {
        let texts = Texts::new(Language::Chinese);
        for (who, expected) in [
            ("管理后台", "管理后台修改了设置"),
            ("mia", "mia 修改了设置"),
            ("王 芳", "王 芳修改了设置"),
        ] {
            assert_eq!(texts.get1("feed-act-edit", "who", who), expected);
        }
        for (subject, expected) in [
            ("王芳", "mia 取消了王芳的报名"),
            ("Ada", "mia 取消了 Ada 的报名"),
        ] {
            let read = texts.get2("feed-act-cancel", "who", "mia", "subject", subject);
            assert_eq!(read, expected);
        }
        let english = Texts::new(Language::English);
        let read = english.get1("feed-act-edit", "who", "管理后台");
        assert_eq!(read, "管理后台 changed the settings");
    }
}
