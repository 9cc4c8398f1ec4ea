//! What is wrong with a refused form, as a list of links to its fields: above the form, so that it is
//! read first, with and without scripts.

use super::questions::QuestionField;

/// One mistake.
#[derive(Debug)]
pub(super) struct Mistake {
    /// The id of the field.
    pub(super) id: String,
    /// The same words as at the field.
    pub(super) text: String,
}

impl Mistake {
    /// The mistake at a field, if there is one.
    pub(super) fn new(id: impl Into<String>, error: Option<&str>) -> Option<Self> {
        Some(Self {
            text: error?.to_owned(),
            id: id.into(),
        })
    }
}

/// The mistakes of a form in the order of its fields: those of `fields`, by id, then those of the
/// questions.
pub(super) fn list<'a>(
    fields: impl IntoIterator<Item = (&'static str, &'a Option<String>)>,
    questions: &[QuestionField],
) -> Vec<Mistake> {
    let own = fields
        .into_iter()
        .filter_map(|(id, error)| Mistake::new(id, error.as_deref()));
    let asked = questions
        .iter()
        .filter_map(|question| Mistake::new(question.id(), question.error.as_deref()));
    own.chain(asked).collect()
}
