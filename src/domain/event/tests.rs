use super::*;
use std::time::Duration;

#[test]
fn slugs_are_short_and_plain() {
    for good in ["a", "spring-gala-2026", &"x".repeat(64)] {
        let slug = Slug::parse(good).unwrap();
        assert_eq!((slug.as_str(), slug.to_string().as_str()), (good, good));
    }
    for bad in [
        "",
        &"x".repeat(65),
        "Gala",
        "gala!",
        "gäla",
        "a b",
        "a/b",
        "a.b",
        "a_b",
        "%",
    ] {
        assert_eq!(Slug::parse(bad).unwrap_err().field, "slug", "{bad:?}");
    }
}

#[test]
fn texts_are_trimmed_and_bounded() {
    type Parse = fn(&str) -> Result<String, Invalid>;
    let limits: [(&str, Parse, usize); 2] = [
        ("title", parse_title, 200),
        ("description", parse_description, 4_000),
    ];
    for (field, parse, max) in limits {
        assert_eq!(parse("  Frühlingsfest ").unwrap(), "Frühlingsfest");
        assert!(parse(&"節".repeat(max)).is_ok());
        assert_eq!(parse(&"節".repeat(max + 1)).unwrap_err().field, field);
    }
    assert_eq!(parse_description("One\r\ntwo").unwrap(), "One\ntwo");
    assert_eq!(parse_description("").unwrap(), "");
    assert!(parse_title("One\ntwo").is_err() && parse_title(" ").is_err());
}

#[test]
fn every_setting_that_a_page_shows_is_a_detail_and_the_count_is_none() {
    let event = crate::domain::lab::new().open(Epoch::draw(), Timestamp::default());
    let same = |change: fn(&mut Event)| {
        let mut other = event.clone();
        change(&mut other);
        event.has_details_of(&other)
    };
    assert!(same(|_| ()) && same(|other| other.registered = 1));
    assert!(!same(|other| other.title.push('!')));
    assert!(!same(|other| other.description.push('!')));
    assert!(!same(|other| other.opens_at = Some(Timestamp::default())));
    assert!(!same(|other| other.closes_at = Some(Timestamp::default())));
    assert!(!same(|other| other.waitlist = !other.waitlist));
    let pair = |other: &mut Event| {
        other.max_party_size = PartySize::parse("max_party_size", 2).unwrap();
    };
    assert!(!same(pair));
    assert!(!same(|other| other.proof_of_work = ProofOfWork::On));
    assert!(!same(|other| other.erase_after = EraseAfter::parse(30).ok()));
    assert!(!same(|other| other.public_chart = true));
    assert!(!same(|other| other.visibility = Visibility::Unlisted));
    assert!(!same(|other| other.archived = true));
    assert!(!same(|other| Arc::make_mut(&mut other.occasion)
        .location
        .push('!')));
    let text = serde_json::json!([{ "key": "q", "label": "Q", "kind": "text" }]);
    let asked = Questions::new(Questions::parse(&text).unwrap());
    let removed = asked.replaced(Vec::new(), false).unwrap();
    let mut other = event.clone();
    other.questions = Arc::new(removed);
    assert!(event.has_details_of(&other), "nobody is asked");
    other.questions = Arc::new(asked);
    assert!(!event.has_details_of(&other));
}

#[test]
fn a_schedule_opens_before_it_closes() {
    let at = |hour: i64| Some(Timestamp::from_millis(hour * 3_600_000));
    for (opens_at, closes_at, valid) in [
        (None, None, true),
        (at(2), None, true),
        (None, at(1), true),
        (at(1), at(2), true),
        (at(2), at(2), false),
        (at(2), at(1), false),
    ] {
        assert_eq!(
            check_schedule(opens_at, closes_at).is_ok(),
            valid,
            "{opens_at:?} {closes_at:?}"
        );
    }
}

#[test]
fn the_schedule_is_due_at_the_earliest_time_that_has_not_passed() {
    let now = Timestamp::from_millis(1_795_251_600_000);
    let later = |hours| Some(now.plus(Duration::from_hours(hours)));
    let due = |opens_at, closes_at| {
        let slug = Slug::parse("gala").unwrap();
        let new = NewEvent {
            opens_at,
            closes_at,
            ..NewEvent::new(slug, "Gala", Capacity::UNLIMITED)
        };
        new.open(Epoch::draw(), now).next_due()
    };
    assert_eq!(due(None, None), None);
    assert_eq!(due(later(1), None), later(1));
    assert_eq!(due(None, later(2)), later(2));
    assert_eq!(due(later(1), later(2)), later(1));
    // A time that has passed when the event is created is not due again.
    assert_eq!(due(Some(now), later(2)), later(2));
    assert_eq!(due(Some(now), Some(now)), None);
}
