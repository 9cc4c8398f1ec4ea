//! The event of a history, and the people who register for it.

use headcount::domain::clock::Timestamp;
use headcount::domain::command::Applicant;
use headcount::domain::event::{Capacity, NewEvent, PartySize, Slug};
use headcount::domain::occasion::Occasion;
use headcount::domain::person::{Email, Name};
use headcount::domain::registration::{IdempotencyKey, Registration, Secret, Token};
use headcount::domain::retention::EraseAfter;
use proptest::sample::Index;

use super::history::Key;

pub(super) fn gala(slug: Slug) -> NewEvent {
    NewEvent {
        waitlist: true,
        max_party_size: party(5),
        // Registrations are due to be erased some seconds after the histories begin.
        occasion: Occasion {
            starts_at: Some(Timestamp::from_millis(0)),
            ends_at: Some(Timestamp::from_millis(1_795_251_606_000 - 86_400_000)),
            ..Occasion::default()
        },
        erase_after: Some(EraseAfter::parse(1).expect("a day")),
        ..NewEvent::new(slug, "Gala", places(Some(3)))
    }
}

pub(super) fn places(capacity: Option<u8>) -> Capacity {
    capacity.map_or(Capacity::UNLIMITED, |places| {
        Capacity::limited(places.into()).expect("a small number")
    })
}

pub(super) fn applicant(
    person: u8,
    is_loud: bool,
    nickname: bool,
    people: u8,
    key: Option<Key>,
    secret: Secret,
) -> Applicant {
    let email = format!("person{person}@example.org");
    let email = if is_loud { email.to_uppercase() } else { email };
    let key = key.map(|key| match key {
        Key::Own => format!("key of {person}"),
        Key::Shared => format!("key of {}", person / 2),
    });
    Applicant {
        party_size: party(people),
        ..Applicant::new(
            name(person.into(), nickname),
            Email::parse(&email).expect("an address"),
            key.map(|key| IdempotencyKey::parse(&key).expect("a key")),
            secret,
        )
    }
}

/// Somebody whom the organiser adds.
pub(super) fn by_hand(
    person: u8,
    has_email: bool,
    people: u8,
    key: Option<Key>,
    secret: Secret,
) -> Applicant {
    let applicant = applicant(person, false, false, people, key, secret);
    Applicant {
        email: applicant.email.filter(|_| has_email),
        ..applicant
    }
}

pub(super) fn name(person: u32, nickname: bool) -> Name {
    let word = if nickname { "Nick" } else { "Person" };
    Name::parse(&format!("{word} {person}")).expect("a name")
}

pub(super) fn party(people: u8) -> PartySize {
    PartySize::parse("party_size", people.into()).expect("1 to 20")
}

/// A numbered secret, so that a history runs the same each time.
pub(super) fn secret(number: u32) -> Secret {
    format!("1-1-1-{number:0>22}")
        .parse::<Token>()
        .expect("a token")
        .secret
}

pub(super) fn pick(who: Option<Index>, everybody: &[Registration]) -> Option<&Registration> {
    who.filter(|_| !everybody.is_empty())
        .map(|who| who.get(everybody))
}
