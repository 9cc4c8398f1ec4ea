use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn a_question_has_defaults_and_is_tidied() {
    let [question] = parse(
        &json!([{ "key": "q", "label": "  Why?\u{200B} ", "kind": "choice",
        "options": [" Yes ", "No"], "help": null, "unknown": 1 }]),
    )
    .try_into()
    .unwrap();
    let shown = json!({ "key": "q", "label": "Why?", "kind": "choice", "required": false,
        "options": ["Yes", "No"], "help": "" });
    assert_eq!(serde_json::to_value(&question).unwrap(), shown);
    // What the API shows can be sent back.
    assert_eq!(parse(&json!([shown])), [question]);
    assert_eq!(parse(&Value::Null), []);
}

#[test]
fn a_mistake_names_its_place() {
    let many = |count: usize| {
        (0..count)
            .map(|n| text(&format!("q{n}")))
            .collect::<Value>()
    };
    let options =
        |list: Value| json!([{ "key": "q", "label": "Q", "kind": "choice", "options": list }]);
    let counted = |count: usize| options((0..count).map(|n| json!(n.to_string())).collect());
    assert_eq!(parse(&many(20)).len(), 20);
    assert_eq!(parse(&counted(50)).len(), 1);
    for (list, field, reason) in [
        (many(21), "questions", "too-many"),
        (json!({}), "questions", "malformed"),
        (json!(["q"]), "questions.0", "malformed"),
        (
            json!([text("a"), text("B")]),
            "questions.1.key",
            "malformed",
        ),
        (json!([text("a"), text("a")]), "questions.1.key", "repeated"),
        (json!([text("1a")]), "questions.0.key", "malformed"),
        (
            json!([text(&"k".repeat(33))]),
            "questions.0.key",
            "malformed",
        ),
        (
            json!([{ "label": "Q", "kind": "text" }]),
            "questions.0.key",
            "malformed",
        ),
        (
            json!([{ "key": "q", "label": "\u{3164}", "kind": "text" }]),
            "questions.0.label",
            "empty",
        ),
        (
            json!([{ "key": "q", "label": "a\nb", "kind": "text" }]),
            "questions.0.label",
            "character",
        ),
        (
            json!([{ "key": "q", "label": "節".repeat(201), "kind": "text" }]),
            "questions.0.label",
            "too-long",
        ),
        (
            json!([{ "key": "q", "label": 7, "kind": "text" }]),
            "questions.0.label",
            "malformed",
        ),
        (
            json!([{ "key": "q", "kind": "text" }]),
            "questions.0.label",
            "empty",
        ),
        (
            json!([{ "key": "q", "label": "Q", "kind": "Text" }]),
            "questions.0.kind",
            "unknown",
        ),
        (
            json!([{ "key": "q", "label": "Q" }]),
            "questions.0.kind",
            "unknown",
        ),
        (
            json!([{ "key": "q", "label": "Q", "kind": "text", "required": 1 }]),
            "questions.0.required",
            "not-a-flag",
        ),
        (
            json!([{ "key": "q", "label": "Q", "kind": "text", "help": "x".repeat(501) }]),
            "questions.0.help",
            "too-long",
        ),
        (
            json!([{ "key": "q", "label": "Q", "kind": "text", "options": ["a", "b"] }]),
            "questions.0.options",
            "not-wanted",
        ),
        (options(json!("a,b")), "questions.0.options", "malformed"),
        (counted(1), "questions.0.options", "too-few"),
        (counted(51), "questions.0.options", "too-many"),
        (
            options(json!(["a", " a "])),
            "questions.0.options",
            "repeated",
        ),
        (
            options(json!(["a", "\u{200B}"])),
            "questions.0.options",
            "empty",
        ),
        (
            options(json!(["a", "x".repeat(201)])),
            "questions.0.options",
            "too-long",
        ),
        (
            options(json!(["a", 7])),
            "questions.0.options",
            "not-a-text",
        ),
    ] {
        assert_eq!(refused(&list), [(field.to_owned(), reason)], "{list}");
    }
    let all = json!([{ "key": "", "label": "", "kind": "", "required": "", "options": [] }]);
    let mistakes = Questions::parse(&all).unwrap_err();
    let expected = [
        "questions.0.key",
        "questions.0.label",
        "questions.0.kind",
        "questions.0.required",
    ];
    assert_eq!(fields(&mistakes), expected);
}

#[test]
fn a_removed_question_is_kept_until_it_is_asked_again() {
    let before = dinner();
    let fewer: Vec<_> = before.asked()[1..].to_vec();
    let after = before.replaced(fewer.clone(), false).unwrap();
    assert_eq!(after.asked(), fewer);
    assert_eq!(after.known().last(), before.asked().first());
    assert_eq!(Questions::of_stored(&after.stored()).unwrap(), after);
    assert_eq!(
        serde_json::to_value(&after).unwrap(),
        serde_json::to_value(&fewer).unwrap()
    );
    let again = after.replaced(before.asked().to_vec(), false).unwrap();
    assert_eq!(again, before);
    // Nobody can have answered it.
    let unanswered = before.replaced(Vec::new(), true).unwrap();
    assert_eq!(
        (unanswered.stored().as_str(), unanswered),
        ("[]", Questions::default())
    );
    assert!(Questions::of_stored("[{}]").is_err());
}

#[test]
fn an_event_keeps_a_bounded_number_of_removed_questions() {
    let ask = |n: usize| parse(&json!([text(&format!("q{n}"))]));
    let mut questions = Questions::new(ask(0));
    for n in 1..=200 {
        questions = questions.replaced(ask(n), false).unwrap();
    }
    assert_eq!(
        questions.replaced(ask(201), false).unwrap_err().field,
        "questions"
    );
    assert!(questions.replaced(ask(7), false).is_ok());
}

proptest! {
    #[test]
    fn any_definition_is_refused_or_read_back(list in anything(), key in "[a-z_0-9]{0,34}", label in any::<String>()) {
        let question = json!({ "key": key, "label": label, "kind": "text", "options": list.clone() });
        for sent in [list, json!([question])] {
            if let Ok(questions) = Questions::parse(&sent) {
                let questions = Questions::new(questions);
                prop_assert_eq!(&Questions::of_stored(&questions.stored()).unwrap(), &questions);
            }
        }
    }
}
