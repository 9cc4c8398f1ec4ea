use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn an_answer_is_tidied_or_refused() {
    let long = "節".repeat(1_000);
    for (change, kept) in [
        (json!({}), json!({})),
        (json!({ "seat": "  A1 \u{200B}" }), json!({ "seat": "A1" })),
        (json!({ "seat": long }), json!({ "seat": long })),
        (
            json!({ "note": "One\r\ntwo" }),
            json!({ "note": "One\ntwo" }),
        ),
        (
            json!({ "note": "x".repeat(4_000) }),
            json!({ "note": "x".repeat(4_000) }),
        ),
        (
            json!({ "note": "\u{3164}\n", "sides": [], "age": null, "vegan": null }),
            json!({}),
        ),
        (
            json!({ "dish": "Leek | potato" }),
            json!({ "dish": "Leek | potato" }),
        ),
        (
            json!({ "sides": ["Bread", "Rice", "Bread"] }),
            json!({ "sides": ["Rice", "Bread"] }),
        ),
        (json!({ "vegan": false }), json!({ "vegan": false })),
        (json!({ "age": -0.0 }), json!({ "age": 0 })),
        (json!({ "age": 3.0 }), json!({ "age": 3 })),
        (json!({ "age": 3.5 }), json!({ "age": 3.5 })),
        (
            json!({ "age": 1_000_000_000_000_000_i64 }),
            json!({ "age": 1_000_000_000_000_000_i64 }),
        ),
    ] {
        let mut expected = json!({ "dish": "Fish", "rules": true, "seat": "A1" });
        expected
            .as_object_mut()
            .unwrap()
            .extend(kept.as_object().unwrap().clone());
        assert_eq!(answered(&change), Ok(expected), "{change}");
    }
    for (change, field, reason) in [
        (json!({ "seat": null }), "answers.seat", "missing"),
        (json!({ "seat": " " }), "answers.seat", "missing"),
        (json!({ "seat": 7 }), "answers.seat", "not-a-text"),
        (json!({ "seat": ["A1"] }), "answers.seat", "not-a-text"),
        (
            json!({ "seat": "x".repeat(1_001) }),
            "answers.seat",
            "too-long",
        ),
        (json!({ "seat": "a\nb" }), "answers.seat", "character"),
        (
            json!({ "note": "x".repeat(4_001) }),
            "answers.note",
            "too-long",
        ),
        (json!({ "note": "a\u{202E}b" }), "answers.note", "character"),
        (json!({ "dish": "" }), "answers.dish", "missing"),
        (json!({ "dish": "fish" }), "answers.dish", "unknown-option"),
        (json!({ "dish": ["Fish"] }), "answers.dish", "not-a-text"),
        (json!({ "sides": "Rice" }), "answers.sides", "not-a-list"),
        (
            json!({ "sides": ["Rice", "Soup"] }),
            "answers.sides",
            "unknown-option",
        ),
        (json!({ "sides": [true] }), "answers.sides", "not-a-list"),
        (json!({ "rules": false }), "answers.rules", "missing"),
        (json!({ "rules": null }), "answers.rules", "missing"),
        (json!({ "rules": "true" }), "answers.rules", "not-a-flag"),
        (json!({ "age": "3" }), "answers.age", "not-a-number"),
        (json!({ "age": true }), "answers.age", "not-a-number"),
        (json!({ "age": 1e16 }), "answers.age", "out-of-range"),
        (json!({ "age": u64::MAX }), "answers.age", "out-of-range"),
        (json!({ "why": "x" }), "answers.why", "unknown"),
        (json!({ "Dish": "Fish" }), "answers.Dish", "unknown"),
    ] {
        assert_eq!(
            answered(&change),
            Err(vec![(field.to_owned(), reason)]),
            "{change}"
        );
    }
}

#[test]
fn all_mistakes_are_reported_together_and_in_order() {
    let nothing = dinner()
        .answered(&Sent::new(), Unanswered::Refused)
        .unwrap_err();
    assert_eq!(
        fields(&nothing),
        ["answers.dish", "answers.rules", "answers.seat"]
    );
    let wrong = sent(&json!({ "age": "x", "zoo": 1, "seat": 7 }));
    let wrong = dinner().answered(&wrong, Unanswered::Refused).unwrap_err();
    let expected = [
        "answers.dish",
        "answers.rules",
        "answers.seat",
        "answers.age",
        "answers.zoo",
    ];
    assert_eq!(fields(&wrong), expected);
    // A client's text is not repeated without limit.
    let hostile = (0..1_000).map(|n| ("x".repeat(90) + &n.to_string(), json!(1)));
    let hostile = hostile.map(|(key, value)| (key.into(), value)).collect();
    let hostile = Questions::default()
        .answered(&hostile, Unanswered::Refused)
        .unwrap_err();
    assert_eq!(hostile.len(), MAX);
    assert!(
        hostile
            .iter()
            .all(|mistake| mistake.field.len() == "answers.".len() + 64)
    );
    let allowed = dinner()
        .answered(&Sent::new(), Unanswered::Allowed)
        .unwrap();
    assert!(allowed.is_empty() && allowed.stored().is_none());
    let unticked = sent(&json!({ "rules": false }));
    let unticked = dinner().answered(&unticked, Unanswered::Allowed).unwrap();
    assert!(
        unticked.is_empty(),
        "a required box is ticked or not answered"
    );
}

#[test]
fn a_correction_replaces_what_it_names() {
    let questions = dinner();
    let before = sent(&json!({ "dish": "Fish", "rules": true, "seat": "A1", "age": 7 }));
    let before = questions.answered(&before, Unanswered::Refused).unwrap();
    let change = |change: Value| {
        let correction = questions.correction(&sent(&change), Unanswered::Refused)?;
        Ok::<_, Vec<Invalid>>(serde_json::to_value(before.corrected(&correction)).unwrap())
    };
    let kept = json!({ "dish": "Fish", "rules": true, "seat": "B2" });
    assert_eq!(change(json!({ "seat": "B2", "age": null })).unwrap(), kept);
    let mistakes = change(json!({ "seat": "", "zoo": 1 })).unwrap_err();
    assert_eq!(fields(&mistakes), ["answers.seat", "answers.zoo"]);
    // A removed question keeps its answer, and takes no other.
    let fewer = questions
        .replaced(questions.asked()[1..].to_vec(), false)
        .unwrap();
    let correction = fewer.correction(&sent(&json!({ "age": 8 })), Unanswered::Refused);
    let correction = correction.unwrap();
    let corrected = before.corrected(&correction);
    assert!(corrected.get(&Key::parse("dish").unwrap()).is_some());
    let removed = sent(&json!({ "dish": "Fish" }));
    assert!(fewer.correction(&removed, Unanswered::Refused).is_err());
    // The organiser may leave out what a visitor must answer.
    let emptied = sent(&json!({ "seat": "", "rules": false }));
    let emptied = questions.correction(&emptied, Unanswered::Allowed).unwrap();
    let left = serde_json::to_value(before.corrected(&emptied)).unwrap();
    assert_eq!(left, json!({ "dish": "Fish", "age": 7 }));
}

#[test]
fn a_form_writes_every_answer_as_text() {
    for (fields, stored) in [
        (
            vec![("sides", "Bread"), ("sides", ""), ("sides", "Rice")],
            json!({ "sides": ["Rice", "Bread"] }),
        ),
        (
            vec![("sides", ""), ("vegan", ""), ("age", " "), ("dish", "")],
            json!({}),
        ),
        (
            vec![("vegan", "on"), ("age", " -3.50 ")],
            json!({ "vegan": true, "age": -3.5 }),
        ),
        (
            vec![
                ("vegan", ""),
                ("vegan", "true"),
                ("sides", ""),
                ("sides", "Rice"),
            ],
            json!({ "vegan": true, "sides": ["Rice"] }),
        ),
        (vec![("vegan", ""), ("sides", "")], json!({})),
        (
            vec![("vegan", "false"), ("age", "1e3")],
            json!({ "vegan": false, "age": 1000 }),
        ),
        (
            vec![("note", "a\r\nb"), ("seat", "7")],
            json!({ "note": "a\nb", "seat": "7" }),
        ),
    ] {
        let questions = dinner();
        let answers = questions.answered(&of_form(&questions, fields.clone()), Unanswered::Allowed);
        assert_eq!(
            serde_json::to_value(answers.unwrap()).unwrap(),
            stored,
            "{fields:?}"
        );
    }
    for (name, values) in [
        ("age", vec!["inf"]),
        ("age", vec!["NaN"]),
        ("age", vec!["1e999"]),
        ("age", vec!["3,5"]),
        ("age", vec!["1", "2"]),
        ("vegan", vec!["maybe"]),
        ("vegan", vec!["true", "false"]),
        ("seat", vec!["A1", "B2"]),
        ("dish", vec!["Fish", "Fish"]),
        ("sides", vec!["Soup"]),
        ("zoo", vec!["x"]),
    ] {
        let questions = dinner();
        let sent = of_form(&questions, values.iter().map(|value| (name, *value)));
        let mistakes = questions.answered(&sent, Unanswered::Allowed).unwrap_err();
        assert_eq!(fields(&mistakes), [format!("answers.{name}")], "{values:?}");
    }
}

#[test]
fn an_answer_in_a_file_is_one_text_and_is_never_printed() {
    let all = sent(
        &json!({ "dish": "Fish", "rules": true, "seat": "A1", "sides": ["Rice", "Salad"], "age": -3.5 }),
    );
    let answers = dinner().answered(&all, Unanswered::Refused).unwrap();
    let cell = |key: &str| answers.get(&Key::parse(key).unwrap()).unwrap().to_string();
    let cells = ["dish", "rules", "seat", "sides", "age"].map(cell);
    assert_eq!(cells, ["Fish", "true", "A1", "Rice|Salad", "-3.5"]);
    assert_eq!(format!("{answers:?}"), "Answers(5)");
    assert_eq!(
        Answers::of_stored(&answers.stored().unwrap()).unwrap(),
        answers
    );
}

proptest! {
    /// What is taken is read back from the database as it was, and sent again it is the same.
    #[test]
    fn whatever_is_sent_is_refused_or_kept(values in vec(anything(), 7)) {
        let questions = dinner();
        let names = questions.asked().iter().map(|question| question.key.as_str());
        let sent: Sent<'_> = names.zip(values).map(|(name, value)| (name.into(), value)).collect();
        match questions.answered(&sent, Unanswered::Refused) {
            Err(mistakes) => prop_assert!(!mistakes.is_empty()),
            Ok(answers) => {
                let stored = answers.stored().unwrap();
                prop_assert_eq!(&Answers::of_stored(&stored).unwrap(), &answers);
                let again = self::sent(&serde_json::to_value(&answers).unwrap());
                prop_assert_eq!(questions.answered(&again, Unanswered::Refused), Ok(answers));
            }
        }
    }
}
