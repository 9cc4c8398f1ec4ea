//! The list of questions while it is edited: it lives in the form's fields, numbered from 0.

use std::collections::HashSet;

use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization as _;

use crate::domain::questions::{Key, Kind, MAX, Question, Questions};
use crate::http::pages::form::Form;

/// The questions as they were typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Draft(pub(super) Vec<Row>);

/// One question as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::http::pages) struct Row {
    /// Empty for a new one.
    pub(in crate::http::pages) key: String,
    pub(in crate::http::pages) label: String,
    pub(super) kind: String,
    pub(in crate::http::pages) required: bool,
    /// One on each line.
    pub(in crate::http::pages) options: String,
    pub(in crate::http::pages) help: String,
}

/// What a button of the editor does. Places are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Save,
    Add,
    Up(usize),
    Down(usize),
    Remove(usize),
}

/// The part of the page that gets the focus after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Focus {
    Label(usize),
    Up(usize),
    Down(usize),
    Add,
}

impl Step {
    /// The button that sent the form. A form without one is saved.
    pub(super) fn of(form: &Form) -> Self {
        let (verb, place) = form
            .get("do")
            .split_once('.')
            .unwrap_or((form.get("do"), ""));
        match (verb, place.parse()) {
            ("add", _) => Self::Add,
            ("up", Ok(place)) => Self::Up(place),
            ("down", Ok(place)) => Self::Down(place),
            ("remove", Ok(place)) => Self::Remove(place),
            _ => Self::Save,
        }
    }
}

impl Row {
    /// Whether it is of the kind with this word.
    pub(in crate::http::pages) fn is(&self, kind: &str) -> bool {
        self.kind == kind
    }
}

impl From<&Question> for Row {
    fn from(question: &Question) -> Self {
        Self {
            key: question.key.to_string(),
            label: question.label.clone(),
            kind: question.kind.as_str().to_owned(),
            required: question.required,
            options: question.options.join("\n"),
            help: question.help.clone(),
        }
    }
}

impl Draft {
    /// What is asked now.
    pub(super) fn of(questions: &Questions) -> Self {
        Self(questions.asked().iter().map(Row::from).collect())
    }

    /// What was typed. One more than is allowed, so that too many are refused.
    pub(super) fn read(form: &Form) -> Self {
        let rows = (0..=MAX).map_while(|place| {
            let field = |name: &str| format!("{name}.{place}");
            let text = |name: &str| form.get(&field(name)).replace("\r\n", "\n");
            form.sent(&field("label"))?;
            Some(Row {
                key: text("key"),
                label: text("label"),
                kind: text("kind"),
                required: form.is_ticked(&field("required")),
                options: text("options"),
                help: text("help"),
            })
        });
        Self(rows.collect())
    }

    /// Carries out a step; returns what gets the focus. A place that is not there changes nothing.
    pub(super) fn apply(&mut self, step: Step) -> Option<Focus> {
        let rows = &mut self.0;
        match step {
            Step::Add if rows.len() < MAX => {
                rows.push(Row {
                    kind: Kind::Text.as_str().to_owned(),
                    ..Row::default()
                });
                Some(Focus::Label(rows.len() - 1))
            }
            Step::Add => Some(Focus::Label(rows.len() - 1)),
            Step::Up(place) if (1..rows.len()).contains(&place) => {
                rows.swap(place, place - 1);
                // The first one has no button to move it further.
                Some(if place == 1 {
                    Focus::Down(0)
                } else {
                    Focus::Up(place - 1)
                })
            }
            Step::Down(place) if place + 1 < rows.len() => {
                rows.swap(place, place + 1);
                let is_last = place + 2 == rows.len();
                Some(if is_last {
                    Focus::Up(place + 1)
                } else {
                    Focus::Down(place + 1)
                })
            }
            Step::Remove(place) if place < rows.len() => {
                rows.remove(place);
                let next = place.min(rows.len().saturating_sub(1));
                Some(if rows.is_empty() {
                    Focus::Add
                } else {
                    Focus::Label(next)
                })
            }
            Step::Save | Step::Up(_) | Step::Down(_) | Step::Remove(_) => None,
        }
    }

    /// Gives every new question a key that no other question of the event has or had.
    pub(super) fn name(&mut self, known: &Questions) {
        let typed = self.0.iter().map(|row| row.key.clone());
        let mut taken: HashSet<String> = typed.collect();
        taken.extend(known.known().map(|question| question.key.to_string()));
        for row in self.0.iter_mut().filter(|row| row.key.is_empty()) {
            row.key = unused(&row.label, &taken);
            taken.insert(row.key.clone());
        }
    }

    /// The setting as the API takes it. Options belong to choices only; the field of another kind
    /// is not in sight.
    pub(super) fn setting(&self) -> Value {
        let questions = self.0.iter().map(|row| {
            let has_options = Kind::parse(&row.kind).is_some_and(Kind::has_options);
            let lines = row
                .options
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty());
            let options: Vec<_> = lines.filter(|_| has_options).collect();
            json!({ "key": row.key, "label": row.label, "kind": row.kind, "required": row.required,
                "options": options, "help": row.help })
        });
        questions.collect()
    }
}

/// A key made of a label's letters and digits, with a number if another question has it.
fn unused(label: &str, taken: &HashSet<String>) -> String {
    let letters = label
        .nfkd()
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c));
    let mut word = String::new();
    for c in letters.take(4 * Key::MAX) {
        if c.is_ascii_alphanumeric() {
            word.push(c.to_ascii_lowercase());
        } else if !word.is_empty() && !word.ends_with('_') {
            word.push('_');
        }
    }
    // Room for a number.
    word.truncate(Key::MAX - "_999".len());
    let word = word.trim_matches('_');
    let word = if word.starts_with(|c: char| c.is_ascii_lowercase()) {
        word
    } else {
        "question"
    };
    let numbered = (2..).map(|n| format!("{word}_{n}"));
    let mut candidates = std::iter::once(word.to_owned()).chain(numbered);
    // One of them is not taken: there are more numbers than questions.
    candidates
        .find(|key| !taken.contains(key))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &str) -> Form {
        serde_urlencoded::from_str(fields).unwrap()
    }

    fn labels(draft: &Draft) -> Vec<&str> {
        draft.0.iter().map(|row| row.label.as_str()).collect()
    }

    fn draft(labels: &[&str]) -> Draft {
        let row = |label: &&str| Row {
            label: (*label).to_owned(),
            kind: "text".to_owned(),
            ..Row::default()
        };
        Draft(labels.iter().map(row).collect())
    }

    #[test]
    fn a_form_is_read_row_by_row() {
        let sent = form(
            "label.0=Diet&key.0=diet&kind.0=choices&required.0=true&options.0=Fish%0D%0A+Leek+%0D%0A&help.0=&label.1=&kind.1=text&label.3=x&do=up.1",
        );
        let read = Draft::read(&sent);
        assert_eq!(labels(&read), ["Diet", ""]);
        assert_eq!(Step::of(&sent), Step::Up(1));
        let setting = read.setting();
        assert_eq!(setting[0]["options"], json!(["Fish", "Leek"]));
        assert_eq!(
            (&setting[0]["required"], &setting[1]["required"]),
            (&json!(true), &json!(false))
        );
        let questions = Questions::parse(&json!([setting[0]])).unwrap();
        let again = Draft::of(&Questions::new(questions));
        assert_eq!(again.setting()[0], setting[0]);
        let typed = form("label.0=Age&kind.0=number&options.0=left+over");
        assert_eq!(Draft::read(&typed).setting()[0]["options"], json!([]));
        for (word, step) in [
            ("", Step::Save),
            ("save", Step::Save),
            ("up.x", Step::Save),
            ("add", Step::Add),
            ("down.0", Step::Down(0)),
            ("remove.19", Step::Remove(19)),
        ] {
            assert_eq!(Step::of(&form(&format!("do={word}"))), step, "{word}");
        }
    }

    #[test]
    fn a_step_changes_the_list_and_says_where_to_go_on() {
        for (step, after, focus) in [
            (Step::Up(2), vec!["a", "c", "b"], Some(Focus::Up(1))),
            (Step::Up(1), vec!["b", "a", "c"], Some(Focus::Down(0))),
            (Step::Up(0), vec!["a", "b", "c"], None),
            (Step::Up(9), vec!["a", "b", "c"], None),
            (Step::Down(0), vec!["b", "a", "c"], Some(Focus::Down(1))),
            (Step::Down(1), vec!["a", "c", "b"], Some(Focus::Up(2))),
            (Step::Down(2), vec!["a", "b", "c"], None),
            (Step::Remove(0), vec!["b", "c"], Some(Focus::Label(0))),
            (Step::Remove(2), vec!["a", "b"], Some(Focus::Label(1))),
            (Step::Remove(3), vec!["a", "b", "c"], None),
            (Step::Add, vec!["a", "b", "c", ""], Some(Focus::Label(3))),
            (Step::Save, vec!["a", "b", "c"], None),
        ] {
            let mut list = draft(&["a", "b", "c"]);
            assert_eq!(list.apply(step), focus, "{step:?}");
            assert_eq!(labels(&list), after, "{step:?}");
        }
        let mut one = draft(&["a"]);
        assert_eq!(
            (one.apply(Step::Remove(0)), one),
            (Some(Focus::Add), Draft::default())
        );
        let mut full = draft(&["x"; MAX]);
        full.apply(Step::Add);
        assert_eq!(full.0.len(), MAX);
    }

    #[test]
    fn a_new_question_gets_a_key_of_its_own() {
        let before = Questions::parse(&json!([
            { "key": "diet", "label": "Diet", "kind": "text" },
            { "key": "gone", "label": "Gone", "kind": "text" },
        ]));
        let before = Questions::new(before.unwrap());
        let known = before
            .replaced(before.asked()[..1].to_vec(), false)
            .unwrap();
        let long = "What would you like to eat on the second evening?";
        let mut list = draft(&["Diet?", "Gone", "Größe", "饮食", "饮食", "7 days", long]);
        list.0[0].key = "diet".to_owned();
        list.name(&known);
        let keys: Vec<_> = list.0.iter().map(|row| row.key.as_str()).collect();
        let cut = "what_would_you_like_to_eat_o";
        assert_eq!(
            keys,
            [
                "diet",
                "gone_2",
                "gro_e",
                "question",
                "question_2",
                "question_3",
                cut
            ]
        );
        assert!(keys.iter().all(|key| Key::parse(key).is_some()));
        assert!(Questions::parse(&list.setting()).is_ok());
    }
}
