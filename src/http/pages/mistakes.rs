//! What is wrong with a refused form, as a list of links to its fields: above the form, so that it is
//! read first, with and without scripts.

use super::questions::QuestionField;
use crate::text::Texts;

/// One mistake.
#[derive(Debug)]
pub(super) struct Mistake {
    /// The id of the field.
    pub(super) id: String,
    /// The field's label, and the same words as at the field.
    pub(super) text: String,
}

impl Mistake {
    /// The mistake at a field, if there is one.
    pub(super) fn new(
        texts: Texts,
        id: impl Into<String>,
        label: &str,
        error: Option<&str>,
    ) -> Option<Self> {
        Some(Self {
            text: texts.get2("mistake-at", "label", label, "message", error?),
            id: id.into(),
        })
    }
}

/// The mistakes of a form in the order of its fields: those of `fields`, by id and label, then those
/// of the questions.
pub(super) fn list<'a>(
    texts: Texts,
    fields: impl IntoIterator<Item = (&'static str, String, &'a Option<String>)>,
    questions: &[QuestionField],
) -> Vec<Mistake> {
    let own = fields
        .into_iter()
        .filter_map(|(id, label, error)| Mistake::new(texts, id, &label, error.as_deref()));
    let asked = questions.iter().filter_map(|question| {
        Mistake::new(
            texts,
            question.id(),
            &question.label,
            question.error.as_deref(),
        )
    });
    own.chain(asked).collect()
}
