use std::fmt::Write as _;

use serde_json::{Value, json};

use super::*;

fn questions() -> Questions {
    Questions::new(
        Questions::parse(&json!([
            { "key": "diet", "label": "Diet, if any", "kind": "choice", "options": ["any", "vegan"], "required": true },
            { "key": "sides", "label": "Sides", "kind": "choices", "options": ["rice", "bread", "a|b"] },
            { "key": "rules", "label": "Rules", "kind": "checkbox", "required": true },
            { "key": "age", "label": "Age", "kind": "number" },
            { "key": "note", "label": "Note", "kind": "long-text" },
        ]))
        .unwrap(),
    )
}

fn read(file: impl AsRef<[u8]>) -> Sheet {
    let most = PartySize::parse("party_size", 4).unwrap();
    Sheet::read(file.as_ref(), &questions(), most)
}

/// Each person as name, address, party and answers, with the line.
fn people(sheet: &Sheet) -> Vec<(u64, Value)> {
    assert_eq!(sheet.errors, [], "mistakes");
    let people = sheet.people.iter().map(|person| {
        let email = person.email.as_ref().map(Email::as_str);
        json!([
            person.name.as_str(),
            email,
            person.party_size,
            person.answers
        ])
    });
    sheet.lines.iter().copied().zip(people).collect()
}

fn mistakes(sheet: &Sheet) -> Vec<(u64, &str)> {
    let errors = sheet.errors.iter();
    errors
        .map(|error| (error.line, error.field.as_deref().unwrap_or("line")))
        .collect()
}

#[test]
fn comma_semicolon_and_tab_separate_with_and_without_a_mark() {
    let expected = [
        (2, json!(["Ada", "ada@example.org", 2, { "diet": "vegan" }])),
        (3, json!(["Bob", null, 1, {}])),
    ];
    for delimiter in [",", ";", "\t"] {
        for (mark, end) in [("", "\n"), ("\u{FEFF}", "\r\n"), ("", "\r")] {
            let file = [
                "name,email,party_size,diet",
                "Ada,ada@example.org,2,vegan",
                "Bob,,,",
            ];
            let file = format!("{mark}{}", file.join(end).replace(',', delimiter));
            assert_eq!(people(&read(&file)), expected, "{file:?}");
        }
    }
    // A label may contain a delimiter.
    let quoted = "name;\"Diet, if any\"\nAda;vegan";
    assert_eq!(
        people(&read(quoted)),
        [(2, json!(["Ada", null, 1, { "diet": "vegan" }]))]
    );
    let bare = "name;Diet, if any\nAda;vegan";
    assert_eq!(people(&read(bare)), people(&read(quoted)));
}

#[test]
fn cells_are_what_the_export_writes_and_what_people_type() {
    let file = "name,sides,rules,Age,Note\n\
        Ada,rice|bread,TRUE,-3.5,\"first\nsecond\"\n\
        Bob,a|b,no, 7 ,\n\
        Cy,,x,,\n";
    let note = "first\nsecond";
    assert_eq!(
        people(&read(file)),
        [
            (
                2,
                json!(["Ada", null, 1, { "sides": ["rice", "bread"], "rules": true, "age": -3.5, "note": note }])
            ),
            // The cell above has two lines. A required box that is not ticked is no answer.
            (4, json!(["Bob", null, 1, { "sides": ["a|b"], "age": 7 }])),
            (5, json!(["Cy", null, 1, { "rules": true }])),
        ]
    );
}

#[test]
fn every_mistake_names_its_line_and_field() {
    let file = "name,email,party_size,diet,age\n\
        Ada,ada@example.org,1,any,1\n\
        \n\
        ,nobody,0,soup,many\n\
        ,,,,\n\
        Bob,ADA@example.org,5,,\n\
        Cy,Ada@Example.org,,,\n\
        Dan,,,,,extra\n\
        Eve";
    let sheet = read(file);
    assert_eq!(
        mistakes(&sheet),
        [
            (4, "name"),
            (4, "email"),
            (4, "party_size"),
            (4, "answers.diet"),
            (4, "answers.age"),
            (6, "email"),
            (6, "party_size"),
            (7, "email"),
            (8, "line"),
        ]
    );
    assert_eq!((sheet.rows, sheet.lines), (6, vec![2, 9]));
    let twice = &sheet.errors[7];
    assert_eq!(twice.code, "already-registered");
    assert!(twice.message.contains("line 2"), "{}", twice.message);
}

#[test]
fn a_header_is_refused_as_a_whole() {
    for (file, expected) in [
        ("", (1, "line")),
        ("\n\n", (1, "line")),
        ("Ada,ada@example.org", (1, "Ada")),
        ("\nemail\nada@example.org", (2, "name")),
        ("name,status\nAda,confirmed", (1, "status")),
    ] {
        let sheet = read(file);
        assert_eq!(mistakes(&sheet)[0], expected, "{file:?}");
        assert_eq!((sheet.rows, sheet.people.len()), (0, 0), "{file:?}");
    }
    let empty = read("name,email\n");
    assert_eq!((empty.rows, empty.errors.len()), (0, 0));
}

#[test]
fn bytes_that_are_no_text_are_a_mistake_of_their_cell() {
    let sheet = read(b"name,email\nJos\xE9,jose@example.org\nAda,ada@example.org");
    assert_eq!(mistakes(&sheet), [(2, "name")]);
    assert!(sheet.errors[0].message.contains("UTF-8"));
    let hostile = read("name\na\u{202E}b\n");
    assert_eq!(mistakes(&hostile), [(2, "name")]);
}

#[test]
fn a_file_has_a_bounded_number_of_people() {
    let mut file = "name\n".to_owned();
    for number in 0..=ROWS_MAX {
        writeln!(file, "P{number}").unwrap();
    }
    let sheet = read(&file);
    let line = u64::try_from(ROWS_MAX).unwrap() + 2;
    assert_eq!(
        (sheet.rows, mistakes(&sheet)),
        (ROWS_MAX, vec![(line, "line")])
    );
    let last = file.trim_end().rfind('\n').unwrap();
    assert_eq!(read(&file[..last]).people.len(), ROWS_MAX);
}

#[test]
fn a_quotation_mark_that_is_never_closed_swallows_nobody() {
    for file in [
        "name,email\n\"Ann,ann@example.org\nBob,bob@example.org\n",
        "name,email\nAnn,\"ann@example.org",
    ] {
        let sheet = read(file);
        assert_eq!(
            (mistakes(&sheet), sheet.people.len()),
            (vec![(2, "line")], 0)
        );
        assert!(sheet.errors[0].message.contains("never closed"));
    }
    let closed = read("name\n\"Ann \"\"Annie\"\" Smith\"\nBob 5\" tall");
    assert_eq!(people(&closed).len(), 2);
}

#[test]
fn a_file_of_very_many_columns_or_mistakes_has_a_short_answer() {
    let wide = format!("name{}\nAda", ",a".repeat(1_000_000));
    assert_eq!(mistakes(&read(wide)), [(1, "line")]);
    let row = format!("name\nAda{}\nBob", ",x".repeat(1_000_000));
    assert_eq!(mistakes(&read(row)), [(2, "line")]);
    let wrong = "name,party_size,age,email\n".to_owned() + &",x,x,x\n".repeat(10_000);
    assert_eq!(read(wrong).errors.len(), ERRORS_MAX);
}
