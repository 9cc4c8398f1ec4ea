//! Parses the setting `questions`, with every mistake in it.

use serde_json::{Map, Value};

use super::{HELP_MAX, Key, Kind, LABEL_MAX, MAX, OPTION_MAX, OPTIONS, Question, Questions};
use crate::domain::invalid::{self, Invalid};

impl Questions {
    /// Parses the setting `questions`: a list of objects. Fails with every mistake.
    pub fn parse(sent: &Value) -> Result<Vec<Question>, Vec<Invalid>> {
        let empty = Vec::new();
        let sent = match sent {
            Value::Null => &empty,
            Value::Array(list) => list,
            _ => return Err(vec![not_a("questions", "list")]),
        };
        if sent.len() > MAX {
            let message = format!(
                "questions has {} entries; at most {MAX} are allowed",
                sent.len()
            );
            return Err(vec![Invalid::new("questions", "too-many", message)]);
        }
        let mut mistakes = Vec::new();
        let mut questions: Vec<Question> = Vec::with_capacity(sent.len());
        for (index, value) in sent.iter().enumerate() {
            let mut parser = Parser {
                index,
                mistakes: &mut mistakes,
            };
            let Some(question) = parser.question(value) else {
                continue;
            };
            if questions.iter().any(|other| other.key == question.key) {
                let message = format!("{} is the key of another question", question.key);
                parser.refuse("key", "repeated", &message);
            }
            questions.push(question);
        }
        if mistakes.is_empty() {
            Ok(questions)
        } else {
            Err(mistakes)
        }
    }
}

/// One entry of the list, while it is parsed.
struct Parser<'a> {
    index: usize,
    mistakes: &'a mut Vec<Invalid>,
}

impl Parser<'_> {
    fn question(&mut self, value: &Value) -> Option<Question> {
        let Some(fields) = value.as_object() else {
            self.mistakes.push(not_a(
                &format!("questions.{}", self.index),
                "question (an object)",
            ));
            return None;
        };
        let key = self.key(fields);
        let label = self.line(fields, "label", 1, LABEL_MAX);
        let kind = self.kind(fields);
        let required = self.flag(fields, "required");
        let help = self.line(fields, "help", 0, HELP_MAX);
        let options = kind.and_then(|kind| self.options(fields, kind));
        Some(Question {
            key: key?,
            label: label?,
            kind: kind?,
            required: required?,
            options: options?,
            help: help?,
        })
    }

    fn key(&mut self, fields: &Map<String, Value>) -> Option<Key> {
        let key = match fields.get("key") {
            Some(Value::String(raw)) => Key::parse(raw),
            _ => None,
        };
        if key.is_none() {
            self.refuse(
                "key",
                "malformed",
                "a key is 1 to 32 characters of a-z, 0-9 and _, and begins with a letter",
            );
        }
        key
    }

    fn kind(&mut self, fields: &Map<String, Value>) -> Option<Kind> {
        let word = fields.get("kind").and_then(Value::as_str);
        let kind = word.and_then(Kind::parse);
        if kind.is_none() {
            let words = Kind::ALL.map(Kind::as_str).join(", ");
            self.refuse("kind", "unknown", &format!("a kind is one of {words}"));
        }
        kind
    }

    fn flag(&mut self, fields: &Map<String, Value>, member: &str) -> Option<bool> {
        match fields.get(member) {
            None | Some(Value::Null) => Some(false),
            Some(Value::Bool(flag)) => Some(*flag),
            Some(_) => {
                self.refuse(
                    member,
                    "not-a-flag",
                    &format!("{member} must be true or false"),
                );
                None
            }
        }
    }

    fn line(
        &mut self,
        fields: &Map<String, Value>,
        member: &str,
        min: usize,
        max: usize,
    ) -> Option<String> {
        let field = self.field(member);
        let raw = match fields.get(member) {
            None | Some(Value::Null) => "",
            Some(Value::String(text)) => text,
            Some(_) => {
                self.mistakes.push(not_a(&field, "text"));
                return None;
            }
        };
        let parsed = invalid::text(field, raw, min, max, false);
        parsed.map_err(|mistake| self.mistakes.push(mistake)).ok()
    }

    fn options(&mut self, fields: &Map<String, Value>, kind: Kind) -> Option<Vec<String>> {
        let empty = Vec::new();
        let list = match fields.get("options") {
            None | Some(Value::Null) => &empty,
            Some(Value::Array(list)) => list,
            Some(_) => {
                self.mistakes.push(not_a(&self.field("options"), "list"));
                return None;
            }
        };
        if !kind.has_options() {
            if list.is_empty() {
                return Some(Vec::new());
            }
            let message = format!("a question of the kind {} has no options", kind.as_str());
            self.refuse("options", "not-wanted", &message);
            return None;
        }
        if !OPTIONS.contains(&list.len()) {
            let (least, most) = (OPTIONS.start(), OPTIONS.end());
            let reason = if list.len() < *least {
                "too-few"
            } else {
                "too-many"
            };
            let message = format!("{} options; {least} to {most} are needed", list.len());
            self.refuse("options", reason, &message);
            return None;
        }
        let mut options = Vec::with_capacity(list.len());
        for (index, option) in list.iter().enumerate() {
            let option = self.option(index + 1, option)?;
            if options.contains(&option) {
                let message = format!("option {} is there already", index + 1);
                self.refuse("options", "repeated", &message);
                return None;
            }
            options.push(option);
        }
        Some(options)
    }

    fn option(&mut self, number: usize, value: &Value) -> Option<String> {
        let field = self.field("options");
        let Some(raw) = value.as_str() else {
            self.refuse(
                "options",
                "not-a-text",
                &format!("option {number} must be a text"),
            );
            return None;
        };
        let parsed = invalid::text(field, raw, 1, OPTION_MAX, false);
        let option = parsed.map_err(|mistake| Invalid {
            message: format!("option {number}: {}", mistake.message),
            ..mistake
        });
        option.map_err(|mistake| self.mistakes.push(mistake)).ok()
    }

    fn field(&self, member: &str) -> String {
        format!("questions.{}.{member}", self.index)
    }

    fn refuse(&mut self, member: &str, reason: &'static str, message: &str) {
        let field = self.field(member);
        self.mistakes.push(Invalid::new(field, reason, message));
    }
}

fn not_a(field: &str, what: &str) -> Invalid {
    let message = format!("{field} must be a {what}");
    Invalid::new(field.to_owned(), "malformed", message)
}
