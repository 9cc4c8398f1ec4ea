//! An event's questions in its form, and answers on pages.

use std::collections::HashMap;

use super::form::Form;
use crate::domain::characters::described;
use crate::domain::event::Event;
use crate::domain::invalid::Invalid;
use crate::domain::questions::{
    Answer, Answers, Correction, Kind, LONG_TEXT_MAX, Question, Questions, Sent, TEXT_MAX,
    Unanswered, of_form,
};
use crate::http::registration::PREFIX;
use crate::http::reply;
use crate::text::Texts;

/// A choice with more options than this is a list to open; fewer are all in sight.
const IN_SIGHT: usize = 7;

/// A question of the form, with what was typed.
#[derive(Debug)]
pub(super) struct QuestionField {
    /// In the API.
    pub(super) key: String,
    pub(super) label: String,
    /// In the API's words.
    pub(super) kind: &'static str,
    pub(super) required: bool,
    pub(super) help: String,
    /// Of a text or a number.
    pub(super) value: String,
    /// The longest text, in code points.
    pub(super) max: u32,
    pub(super) ticked: bool,
    pub(super) options: Vec<OptionField>,
    /// Whether the options are a list to open.
    pub(super) folded: bool,
    pub(super) error: Option<String>,
}

/// An option of a choice.
#[derive(Debug)]
pub(super) struct OptionField {
    pub(super) text: String,
    pub(super) chosen: bool,
}

impl QuestionField {
    /// The id of its first input.
    pub(super) fn id(&self) -> String {
        format!("answer-{}", self.key)
    }

    /// Whether it is a group of inputs.
    pub(super) fn is_group(&self) -> bool {
        !self.options.is_empty() && !self.folded
    }

    /// What describes its inputs.
    pub(super) fn described_by(&self) -> String {
        let id = self.id();
        if self.help.is_empty() {
            format!("{id}-error")
        } else {
            format!("{id}-help {id}-error")
        }
    }
}

/// The questions of a form, with what was typed and what is wrong with it.
pub(super) fn fields(
    texts: Texts,
    event: &Event,
    form: &Form,
    mistakes: &[Invalid],
) -> Vec<QuestionField> {
    let asked = event.questions.asked().iter();
    asked
        .map(|question| field(texts, question, form, mistakes))
        .collect()
}

/// The questions as scripts notice that they change: as the API shows them.
pub(super) fn as_json(event: &Event) -> String {
    // Lists of plain texts and flags.
    serde_json::to_string(&event.questions).unwrap_or_default()
}

/// What is wrong with the answers of a new registration.
pub(super) fn mistakes(event: &Event, form: &Form, unanswered: Unanswered) -> Vec<Invalid> {
    let checked = event.questions.answered(&sent(event, form), unanswered);
    checked.err().unwrap_or_default()
}

/// What is wrong with answers that replace earlier ones.
pub(super) fn mistakes_of_change(event: &Event, form: &Form) -> Vec<Invalid> {
    let checked = event
        .questions
        .correction(&sent(event, form), Unanswered::Refused);
    checked.err().unwrap_or_default()
}

fn sent<'a>(event: &Event, form: &'a Form) -> Sent<'a> {
    let answers = form
        .fields()
        .filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?, value)));
    of_form(&event.questions, answers)
}

/// The answers of somebody, as a browser sends them.
pub(super) fn as_form(questions: &Questions, answers: &Answers) -> Form {
    let fields = questions.asked().iter().flat_map(|question| {
        let texts = match answers.get(&question.key) {
            None => Vec::new(),
            Some(Answer::Options(options)) => options.clone(),
            Some(answer) => vec![answer.to_string()],
        };
        let name = format!("{PREFIX}{}", question.key);
        texts.into_iter().map(move |text| (name.clone(), text))
    });
    fields.collect()
}

/// What somebody answered when a page was shown: `key:digest`, separated by spaces. A question that
/// was not answered has no digest.
pub(super) fn fingerprints(questions: &Questions, answers: &Answers) -> String {
    let all = questions.asked().iter();
    let all = all.map(|question| {
        let print = fingerprint(answers.get(&question.key));
        format!("{}:{print}", question.key)
    });
    all.collect::<Vec<_>>().join(" ")
}

/// Keeps the answers that `shown`, of [`fingerprints`], has already: somebody may have changed them
/// elsewhere since.
pub(super) fn keep_untouched(correction: &mut Correction, shown: &str) {
    let shown: HashMap<&str, &str> = shown
        .split_whitespace()
        .filter_map(|part| part.split_once(':'))
        .collect();
    correction.retain(|key, answer| {
        let before = shown.get(key.as_str());
        before.is_none_or(|before| *before != fingerprint(answer))
    });
}

fn fingerprint(answer: Option<&Answer>) -> String {
    // Strings, flags and finite numbers.
    let text = answer.and_then(|answer| serde_json::to_string(answer).ok());
    text.map_or_else(String::new, |text| reply::digest(text.as_bytes()))
}

fn field(texts: Texts, question: &Question, form: &Form, mistakes: &[Invalid]) -> QuestionField {
    let name = format!("{PREFIX}{}", question.key);
    let typed: Vec<_> = form
        .fields()
        .filter(|(other, _)| *other == name)
        .map(|(_, text)| text)
        .collect();
    let first = typed.iter().copied().find(|text| !text.is_empty());
    let first = first.unwrap_or_default();
    let api_name = format!("answers.{}", question.key);
    let mistake = mistakes.iter().find(|mistake| mistake.field == api_name);
    QuestionField {
        key: question.key.to_string(),
        label: question.label.clone(),
        kind: question.kind.as_str(),
        required: question.required,
        help: question.help.clone(),
        value: first.to_owned(),
        max: longest(question.kind),
        ticked: matches!(first, "true" | "on" | "1"),
        options: question
            .options
            .iter()
            .map(|text| OptionField {
                chosen: typed.contains(&text.as_str()),
                text: text.clone(),
            })
            .collect(),
        folded: question.kind == Kind::Choice && question.options.len() > IN_SIGHT,
        error: mistake.map(|mistake| message(texts, question, mistake)),
    }
}

/// The longest text that a question takes.
fn longest(kind: Kind) -> u32 {
    let max = if kind == Kind::LongText {
        LONG_TEXT_MAX
    } else {
        TEXT_MAX
    };
    u32::try_from(max).unwrap_or(u32::MAX)
}

/// The message about one answer; the scripts show the same ones.
pub(super) fn message(texts: Texts, question: &Question, mistake: &Invalid) -> String {
    if let Some(c) = mistake.character {
        return texts.get1("error-character", "character", described(c));
    }
    match (mistake.reason, question.kind) {
        ("missing", Kind::Checkbox) => texts.get("error-answer-tick"),
        ("missing", _) => texts.get("error-answer-missing"),
        ("too-long", kind) => texts.get1("error-answer-long", "max", longest(kind)),
        (_, Kind::Number) => texts.get("error-answer-number"),
        _ => texts.get("error-answer-invalid"),
    }
}

/// An answer on a page.
#[derive(Debug)]
pub(super) struct AnswerView {
    pub(super) label: String,
    pub(super) text: String,
}

/// What somebody answered, in the order of the questions; those that were removed come last.
pub(super) fn shown(texts: Texts, questions: &Questions, answers: &Answers) -> Vec<AnswerView> {
    let answered = questions.known().filter_map(|question| {
        let answer = answers.get(&question.key)?;
        Some(AnswerView {
            label: question.label.clone(),
            text: match answer {
                Answer::Text(text) => text.clone(),
                Answer::Options(options) => options.join(" · "),
                Answer::Flag(true) => texts.get("audit-yes"),
                Answer::Flag(false) => texts.get("audit-no"),
                Answer::Number(number) => number.to_string(),
            },
        })
    });
    answered.collect()
}
