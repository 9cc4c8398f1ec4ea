use super::*;
use crate::domain::clock::Timestamp;
use crate::domain::event::Capacity;
use crate::domain::position::Epoch;

fn fields(json: &str) -> Fields<'_> {
    serde_json::from_str(json).unwrap()
}

fn gala() -> Event {
    created(r#"{"slug":"gala","title":"Gala","capacity":10}"#)
        .unwrap()
        .open(Epoch::draw(), Timestamp::default())
}

fn created(json: &str) -> Result<NewEvent, Problem> {
    new_event(&fields(json), &Zone::default())
}

fn edited(json: &str) -> Result<Edit, Problem> {
    edit(&fields(json), &gala(), &Zone::default())
}

fn refused(problem: &Problem) -> Vec<String> {
    problem
        .errors()
        .into_iter()
        .map(|(field, _)| field)
        .collect()
}

#[test]
fn a_new_event_says_all_that_is_wrong() {
    let wrong = created(
        r#"{"slug":"Gala!","title":"","capacity":-1,"waitlist":"yes","description":7,"opens_at":"soon"}"#,
    );
    assert_eq!(
        refused(&wrong.unwrap_err()),
        [
            "slug",
            "title",
            "description",
            "capacity",
            "waitlist",
            "opens_at"
        ]
    );
    assert_eq!(
        refused(&created("{}").unwrap_err()),
        ["slug", "title", "capacity"]
    );
    let backwards = created(
        r#"{"slug":"g","title":"G","capacity":1,
            "opens_at":"2026-11-21T09:00:00Z","closes_at":"2026-11-21T09:00:00Z"}"#,
    );
    assert_eq!(refused(&backwards.unwrap_err()), ["closes_at"]);
}

#[test]
fn null_capacity_is_no_limit_and_the_rest_has_defaults() {
    let new = created(
        r#"{"slug":"gala","title":" Gala ","capacity":null,
            "description":null,"opens_at":null}"#,
    )
    .unwrap();
    assert_eq!(
        (new.capacity, new.title.as_str(), new.waitlist, new.opens_at),
        (Capacity::UNLIMITED, "Gala", false, None)
    );
}

#[test]
fn a_change_tells_absent_from_null() {
    assert_eq!(edited("{}").unwrap(), Edit::default());
    let removed = edited(r#"{"capacity":null,"opens_at":null,"description":null}"#).unwrap();
    let expected = Edit {
        capacity: Some(Capacity::UNLIMITED),
        opens_at: Some(None),
        description: Some(String::new()),
        ..Edit::default()
    };
    assert_eq!(removed, expected);
    assert_eq!(
        edited(r#"{"closed":true,"slug":"gala"}"#).unwrap(),
        Edit {
            closed: Some(true),
            ..Edit::default()
        }
    );
    assert_eq!(
        refused(&edited(r#"{"slug":"ball","title":null,"closed":null}"#).unwrap_err()),
        ["slug", "title", "closed"]
    );
}

#[test]
fn when_and_where_are_read_together() {
    let new = created(
        r#"{"slug":"g","title":"G","capacity":1,
            "starts_at":"2026-12-12T19:00:00+01:00","time_zone":"europe/berlin",
            "location":" Town hall ","online_url":"https://meet.example.org/x","contact":null}"#,
    );
    let occasion = new.unwrap().occasion;
    assert_eq!(
        occasion.starts_at,
        Some("2026-12-12T18:00:00Z".parse().unwrap())
    );
    assert_eq!(
        (
            occasion.time_zone.name(),
            occasion.location.as_str(),
            occasion.contact.as_str()
        ),
        ("Europe/Berlin", "Town hall", "")
    );
    let wrong = created(
        r#"{"slug":"g","title":"G","capacity":1,
            "starts_at":"soon","ends_at":"2026-12-12T19:00:00Z","time_zone":"Mars",
            "location":"a\nb","online_url":"javascript:1","contact":7}"#,
    );
    assert_eq!(
        refused(&wrong.unwrap_err()),
        [
            "starts_at",
            "time_zone",
            "location",
            "online_url",
            "contact"
        ]
    );
    let endless =
        created(r#"{"slug":"g","title":"G","capacity":1,"ends_at":"2026-12-12T19:00:00Z"}"#);
    assert_eq!(refused(&endless.unwrap_err()), ["ends_at"]);
    let removed =
        edited(r#"{"starts_at":null,"time_zone":null,"location":null,"online_url":null}"#);
    let expected = OccasionEdit {
        starts_at: Some(None),
        time_zone: Some(Zone::default()),
        location: Some(String::new()),
        online_url: Some(None),
        ..OccasionEdit::default()
    };
    assert_eq!(*removed.unwrap().occasion, expected);
}
