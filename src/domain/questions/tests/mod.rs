mod answers;
mod definition;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::invalid::Invalid;

fn parse(list: &Value) -> Vec<Question> {
    Questions::parse(list).unwrap()
}

fn fields(mistakes: &[Invalid]) -> Vec<&str> {
    mistakes
        .iter()
        .map(|mistake| mistake.field.as_ref())
        .collect()
}

fn refused(list: &Value) -> Vec<(String, &'static str)> {
    let mistakes = Questions::parse(list).unwrap_err().into_iter();
    mistakes
        .map(|mistake| (mistake.field.into_owned(), mistake.reason))
        .collect()
}

fn text(key: &str) -> Value {
    json!({ "key": key, "label": "Which?", "kind": "text" })
}

/// One question of each kind; the first three are required.
fn dinner() -> Questions {
    Questions::new(parse(&json!([
        { "key": "dish", "label": "Which dish?", "kind": "choice", "required": true, "options": ["Fish", "Leek | potato"] },
        { "key": "rules", "label": "I keep quiet", "kind": "checkbox", "required": true },
        { "key": "seat", "label": "Seat", "kind": "text", "required": true },
        { "key": "sides", "label": "Sides", "kind": "choices", "options": ["Rice", "Salad", "Bread"] },
        { "key": "note", "label": "Note", "kind": "long-text" },
        { "key": "age", "label": "Age", "kind": "number", "help": "In years" },
        { "key": "vegan", "label": "Vegan", "kind": "checkbox" },
    ])))
}

fn sent(answers: &Value) -> Sent<'static> {
    let members = answers.as_object().unwrap().clone();
    members
        .into_iter()
        .map(|(key, value)| (key.into(), value))
        .collect()
}

/// What is stored for `change` beside the three that are required.
fn answered(change: &Value) -> Result<Value, Vec<(String, &'static str)>> {
    let mut all = json!({ "dish": "Fish", "rules": true, "seat": "A1" });
    let members = change.as_object().unwrap().clone();
    all.as_object_mut().unwrap().extend(members);
    match dinner().answered(&sent(&all), Unanswered::Refused) {
        Ok(answers) => Ok(serde_json::to_value(answers).unwrap()),
        Err(mistakes) => Err(mistakes
            .into_iter()
            .map(|mistake| (mistake.field.into_owned(), mistake.reason))
            .collect()),
    }
}

/// Any JSON, among it what a question takes.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!("Rice")),
        Just(json!("Fish")),
    ];
    leaf.prop_recursive(2, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}
