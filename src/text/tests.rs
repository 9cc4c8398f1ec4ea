//! Both catalogues are whole.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::*;

#[test]
fn values_are_written_as_readers_write_them() {
    let texts = Texts::default();
    assert_eq!(texts.number(&0), "0");
    assert_eq!(texts.number(&999), "999");
    assert_eq!(texts.number(&12_500), "12,500");
    assert_eq!(texts.number(&1_000_000), "1,000,000");
    assert_eq!(texts.get1("count-remaining", "n", 1_u32), "1 place left");
    assert_eq!(
        texts.get1("count-remaining", "n", 6_796_u32),
        "6,796 places left"
    );
    // The scripts' word list asks for the singular by its name.
    assert_eq!(texts.get1("count-remaining", "n", "one"), "1 place left");
    assert_eq!(
        texts.get1("figure-of", "capacity", "<&>"),
        "/ <&>",
        "no isolation marks; escaping is the template's"
    );
}

fn catalogue(language: &str) -> String {
    fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("web/locales")
            .join(language)
            .join("main.ftl"),
    )
    .unwrap()
}

fn keys(catalogue: &str) -> BTreeSet<&str> {
    let starts = catalogue
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()));
    starts
        .filter_map(|line| line.split_once(" =").map(|(key, _)| key))
        .collect()
}

fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("web")
            .join(folder),
    )
    .unwrap()
    {
        let path = entry.unwrap().path();
        if path.to_string_lossy().ends_with(ending) {
            found.push((
                path.file_name().unwrap().to_string_lossy().into_owned(),
                fs::read_to_string(&path).unwrap(),
            ));
        }
    }
    found
}

/// What stands between `before` and the next `"`.
fn quoted<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(before)
        .skip(1)
        .filter_map(|rest| rest.split_once('"').map(|(key, _)| key))
}

#[test]
fn both_catalogues_say_the_same() {
    assert_eq!(keys(&catalogue("en")), keys(&catalogue("zh-CN")));
}

#[test]
fn every_key_that_is_asked_for_exists() {
    let english = catalogue("en");
    let known = keys(&english);
    for (name, template) in files("templates", "") {
        for key in ["t.get(\"", "t.get1(\"", "t.get2(\""]
            .into_iter()
            .flat_map(|call| quoted(&template, call))
        {
            assert!(known.contains(key), "{name} asks for {key}");
        }
    }
    for key in [
        "state-scheduled",
        "state-open",
        "state-full",
        "state-waitlist",
        "state-closed",
        "status-confirmed",
        "status-waiting",
        "status-cancelled",
    ] {
        assert!(known.contains(key), "{key}");
    }
    // The audit log's words, as `domain` and `store` write them.
    for word in [
        "by-visitor",
        "by-console",
        "by-token",
        "by-schedule",
        "did-create",
        "did-edit",
        "did-opened",
        "did-closed",
        "did-cancel",
        "did-announce",
        "did-withdraw",
        "did-reset",
        "did-undo",
        "did-delete",
    ] {
        assert!(known.contains(format!("audit-{word}").as_str()), "{word}");
    }
    for code in crate::problem::Code::ALL {
        for part in ["title", "meaning"] {
            let key = format!("problem-{}-{part}", code.as_str());
            assert!(known.contains(key.as_str()), "{key}");
        }
    }
}

#[test]
fn every_word_the_scripts_say_is_in_their_list() {
    let listed: BTreeSet<String> = files("templates", ".html")
        .iter()
        .flat_map(|(_, text)| {
            quoted(text, "data-key=\"")
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    for (name, script) in files("js", ".js") {
        for key in quoted(&script, "say(\"") {
            assert!(listed.contains(key), "{name} says {key}");
        }
    }
}

#[test]
fn english_counts_in_ordinals() {
    let english = Texts::new(Language::English);
    for (number, text) in [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (12, "12th"),
        (13, "13th"),
        (21, "21st"),
        (111, "111th"),
        (1_002, "1,002nd"),
    ] {
        assert_eq!(english.ordinal(&number), text);
    }
    assert_eq!(Texts::new(Language::Chinese).ordinal(&1_002), "1,002");
}
