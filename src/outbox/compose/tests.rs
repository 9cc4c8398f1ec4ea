//! Each kind says what it should, and nothing that a stranger typed.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::domain::clock::Timestamp;
use crate::domain::confirmation::Token;
use crate::domain::event::{Capacity, NewEvent, PartySize, Slug};
use crate::domain::mail::MailKinds;
use crate::domain::occasion::{Occasion, OnlineUrl};
use crate::domain::person::{Email, Name};
use crate::domain::position::Epoch;
use crate::domain::questions::Answers;
use crate::domain::registration::{Locator, Secret};
use crate::domain::zone::Zone;

const NAME: &str = "Buy pills at http://spam.example";

fn event() -> Event {
    let new = NewEvent::new(
        Slug::parse("gala").unwrap(),
        "Spring <Gala>",
        Capacity::UNLIMITED,
    );
    let mut event = new.open(Epoch::draw(), Timestamp::default());
    event.id = 7;
    event.occasion = Arc::new(Occasion {
        starts_at: Some("2026-12-12T18:00:00Z".parse().unwrap()),
        time_zone: Zone::parse("Europe/Berlin").unwrap(),
        location: "Town hall & garden".to_owned(),
        online_url: OnlineUrl::parse("https://meet.example.org/room").unwrap(),
        contact: "help@example.org".to_owned(),
        ..Occasion::default()
    });
    event
}

fn row(status: Status) -> Registration {
    Registration {
        locator: Locator {
            event: 7,
            round: 1,
            number: 12,
        },
        secret: Secret::draw(),
        name: Name::parse(NAME).unwrap(),
        email: Some(Email::parse("ada@example.org").unwrap()),
        party_size: PartySize::parse("party_size", 3).unwrap(),
        key: None,
        answers: Answers::default(),
        status,
        accepted_waiting: None,
        accepted_revision: 2,
        revision: 2,
        at: Timestamp::default(),
        added_by: None,
        erased_at: None,
        language: Language::English,
        email_proven_at: None,
        unsubscribed_at: None,
        renamed_at: None,
    }
}

fn payload(kind: MailKind) -> Value {
    match kind {
        MailKind::Changed => json!({ "settings": ["starts_at", "location"] }),
        MailKind::Announcement => json!({ "text": "Doors open at <eight>" }),
        _ => json!({}),
    }
}

fn status(kind: MailKind) -> Status {
    match kind {
        MailKind::Waiting => Status::Waiting,
        MailKind::Cancelled => Status::Cancelled,
        _ => Status::Confirmed,
    }
}

fn letter(kind: MailKind, event: &Event, row: &Registration, secret: &Secret) -> Option<Letter> {
    let composer = Composer {
        public_url: "https://tickets.example.org".to_owned(),
    };
    composer.compose(&Subject {
        kind,
        event: Some(event),
        registration: Some(row),
        secret: Some(secret),
        confirmation: None,
        language: "",
        payload: &payload(kind),
    })
}

#[test]
fn every_kind_has_its_words_in_both_languages() {
    let (event, secret) = (event(), Secret::draw());
    for language in Language::ALL {
        for kind in MailKinds::SWITCHES {
            let row = Registration {
                language,
                ..row(status(kind))
            };
            let letter = letter(kind, &event, &row, &secret).unwrap();
            assert!(letter.subject.contains("Spring <Gala>"), "{letter:?}");
            let html = letter.html.unwrap();
            for part in [&letter.subject, &letter.text, &html] {
                assert!(!part.contains("mail-"), "{kind:?}: {part}");
            }
            assert!(html.contains(&format!("<html lang=\"{}\">", language.tag())));
            assert!(
                !html.contains("<Gala>") && !html.contains("<eight>"),
                "escaped"
            );
            let link = format!("https://tickets.example.org/r/7-1-12-{}", secret.reveal());
            assert!(
                letter.text.contains(&link) && html.contains(&link),
                "{kind:?}"
            );
            for part in [&letter.text, &html] {
                assert!(
                    !part.contains(row.secret.reveal()),
                    "the mail has a secret of its own"
                );
            }
            let is_chinese = letter.text.contains("报名");
            assert_eq!(is_chinese, language == Language::Chinese, "{}", letter.text);
        }
    }
}

#[test]
fn nothing_from_the_form_is_in_a_mail_to_an_address_that_is_not_proven() {
    let (event, secret) = (event(), Secret::draw());
    for kind in MailKinds::SWITCHES {
        let stranger = row(status(kind));
        let mail = format!("{:?}", letter(kind, &event, &stranger, &secret).unwrap());
        assert!(
            !mail.contains("pills") && !mail.contains("spam.example"),
            "{mail}"
        );
        assert!(mail.contains("If it was not you"), "{mail}");
        let known = Registration {
            email_proven_at: Some(Timestamp::default()),
            ..stranger
        };
        let mail = letter(kind, &event, &known, &secret).unwrap();
        assert!(
            mail.text.contains(&format!("Hello {NAME},")),
            "{}",
            mail.text
        );
        assert!(!mail.text.contains("If it was not you"), "{}", mail.text);
        let renamed = Registration {
            renamed_at: Some(Timestamp::default()),
            ..known.clone()
        };
        let after = format!("{:?}", letter(kind, &event, &renamed, &secret).unwrap());
        assert!(!after.contains("pills"), "typed after the proof: {after}");
        let calendar = mail.calendar.unwrap_or_default();
        assert!(
            !calendar.contains("pills"),
            "calendars are shared: {calendar}"
        );
    }
}

#[test]
fn those_who_get_a_place_get_the_entry_for_their_calendar() {
    let (event, secret) = (event(), Secret::draw());
    for (kind, expected) in [
        (MailKind::Confirmed, Some("STATUS:CONFIRMED")),
        (MailKind::Promoted, Some("STATUS:CONFIRMED")),
        (MailKind::Changed, Some("STATUS:CONFIRMED")),
        (MailKind::Cancelled, Some("STATUS:CANCELLED")),
        (MailKind::Waiting, None),
        (MailKind::Reminder, None),
        (MailKind::Announcement, None),
        (MailKind::Link, None),
    ] {
        let mail = letter(kind, &event, &row(status(kind)), &secret).unwrap();
        let calendar = mail.calendar;
        assert_eq!(calendar.is_some(), expected.is_some(), "{kind:?}");
        if let (Some(file), Some(status)) = (calendar, expected) {
            assert!(
                file.contains(status) && file.contains("BEGIN:VTIMEZONE"),
                "{file}"
            );
            let unfolded = file.replace("\r\n ", "");
            assert!(
                unfolded.contains(&format!("/r/7-1-12-{}", secret.reveal())),
                "{file}"
            );
        }
    }
    let undated = Event {
        occasion: Arc::default(),
        ..event
    };
    let mail = letter(
        MailKind::Confirmed,
        &undated,
        &row(Status::Confirmed),
        &secret,
    )
    .unwrap();
    assert_eq!(mail.calendar, None);
}

#[test]
fn mails_to_everybody_can_be_ended_with_one_click() {
    let (event, secret) = (event(), Secret::draw());
    for kind in MailKinds::SWITCHES {
        let mail = letter(kind, &event, &row(status(kind)), &secret).unwrap();
        let link = format!(
            "https://tickets.example.org/r/7-1-12-{}/unsubscribe",
            secret.reveal()
        );
        let expected = if kind.goes_to_everybody() {
            vec![
                ("List-Unsubscribe", format!("<{link}>")),
                (
                    "List-Unsubscribe-Post",
                    "List-Unsubscribe=One-Click".to_owned(),
                ),
            ]
        } else {
            Vec::new()
        };
        assert_eq!(mail.headers, expected, "{kind:?}");
        assert_eq!(
            mail.text.contains(&link),
            kind.goes_to_everybody(),
            "{kind:?}"
        );
    }
}

#[test]
fn only_people_with_a_place_read_the_online_address() {
    let (event, secret) = (event(), Secret::draw());
    for (kind, shown) in [
        (MailKind::Confirmed, true),
        (MailKind::Waiting, false),
        (MailKind::Cancelled, false),
    ] {
        let mail = letter(kind, &event, &row(status(kind)), &secret).unwrap();
        assert_eq!(
            mail.text.contains("meet.example.org"),
            shown,
            "{}",
            mail.text
        );
        assert!(
            mail.text.contains("Sat 12 Dec 2026, 19:00 CET"),
            "{}",
            mail.text
        );
        assert!(mail.text.contains("Town hall & garden"), "{}", mail.text);
    }
    let composer = Composer {
        public_url: String::new(),
    };
    let changed = |status: Status| {
        composer.compose(&Subject {
            kind: MailKind::Changed,
            event: Some(&event),
            registration: Some(&row(status)),
            secret: Some(&secret),
            confirmation: None,
            language: "",
            payload: &json!({ "settings": ["online_url"] }),
        })
    };
    assert!(
        changed(Status::Confirmed)
            .unwrap()
            .text
            .contains("The location of the event")
    );
    assert_eq!(
        changed(Status::Waiting),
        None,
        "nothing has changed for them"
    );
}

#[test]
fn a_kind_that_is_switched_off_is_not_written() {
    let mut event = event();
    event.mail.mails = MailKinds::only(|kind| kind != MailKind::Reminder);
    let (row, secret) = (row(Status::Confirmed), Secret::draw());
    assert_eq!(letter(MailKind::Reminder, &event, &row, &secret), None);
    assert!(letter(MailKind::Confirmed, &event, &row, &secret).is_some());
}

#[test]
fn a_test_needs_no_event() {
    let composer = Composer {
        public_url: "https://tickets.example.org".to_owned(),
    };
    let mail = composer.compose(&Subject {
        kind: MailKind::Test,
        event: None,
        registration: None,
        secret: None,
        confirmation: None,
        language: "zh-CN",
        payload: &json!({}),
    });
    let mail = mail.unwrap();
    assert_eq!(mail.subject, "Headcount 测试邮件");
    assert!(mail.text.contains("https://tickets.example.org") && mail.html.is_some());
}

#[test]
fn a_link_to_register_says_what_it_is_and_nothing_that_was_typed() {
    let (event, payload) = (event(), json!({ "confirmation": 3 }));
    let token = Token {
        id: 3,
        secret: Secret::draw(),
    };
    for (language, word) in [("en", "Confirm your registration"), ("zh-CN", "请确认报名")] {
        let mail = Composer {
            public_url: "https://tickets.example.org".to_owned(),
        }
        .compose(&Subject {
            kind: MailKind::Confirm,
            event: Some(&event),
            registration: None,
            secret: None,
            confirmation: Some(&token),
            language,
            payload: &payload,
        });
        let mail = mail.unwrap();
        let link = format!("https://tickets.example.org/confirm/{token}");
        let html = mail.html.unwrap();
        assert!(mail.subject.contains(word) && mail.subject.contains("Spring <Gala>"));
        assert!(
            mail.text.contains(&link) && html.contains(&link),
            "{}",
            mail.text
        );
        assert!(mail.text.contains("Town hall & garden"), "{}", mail.text);
        assert!(!mail.text.contains("meet.example.org"), "{}", mail.text);
        for part in [&mail.subject, &mail.text, &html] {
            assert!(!part.contains("mail-"), "{part}");
        }
        assert_eq!((mail.calendar, mail.headers), (None, Vec::new()));
    }
}
