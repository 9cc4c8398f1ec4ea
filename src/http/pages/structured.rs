//! An event as search engines read it: schema.org's `Event`, as JSON-LD.

use serde_json::{Value, json};

use crate::domain::clock::Timestamp;
use crate::domain::event::Event;
use crate::domain::local_time::LocalTime;

/// The event at `page_url`. The meeting's own address is for people with a place, so the page stands
/// for it.
pub(super) fn event(event: &Event, page_url: &str) -> Value {
    let occasion = &event.occasion;
    let local = |at: Timestamp| LocalTime::of(at, &occasion.time_zone).rfc3339();
    let place = (!occasion.location.is_empty()).then(
        || json!({ "@type": "Place", "name": occasion.location, "address": occasion.location }),
    );
    let online = occasion
        .online_url
        .as_ref()
        .map(|_| json!({ "@type": "VirtualLocation", "url": page_url }));
    let mode = match (&place, &online) {
        (Some(_), Some(_)) => Some("https://schema.org/MixedEventAttendanceMode"),
        (Some(_), None) => Some("https://schema.org/OfflineEventAttendanceMode"),
        (None, Some(_)) => Some("https://schema.org/OnlineEventAttendanceMode"),
        (None, None) => None,
    };
    let places: Vec<Value> = place.into_iter().chain(online).collect();
    let count = event.headcount();
    let mut document = json!({
        "@context": "https://schema.org",
        "@type": "Event",
        "name": event.title,
        "url": page_url,
        "eventStatus": "https://schema.org/EventScheduled",
    });
    let optional = [
        (
            "description",
            (!event.description.is_empty()).then(|| json!(event.description)),
        ),
        ("startDate", occasion.starts_at.map(|at| json!(local(at)))),
        ("endDate", occasion.ends_at.map(|at| json!(local(at)))),
        ("eventAttendanceMode", mode.map(Value::from)),
        ("location", (!places.is_empty()).then(|| json!(places))),
        (
            "maximumAttendeeCapacity",
            count.capacity.get().map(Value::from),
        ),
        (
            "remainingAttendeeCapacity",
            count.remaining.map(Value::from),
        ),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            document[name] = value;
        }
    }
    document
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::occasion::{Occasion, OnlineUrl};
    use crate::domain::zone::Zone;
    use crate::http::pages::samples;

    #[test]
    fn search_engines_learn_when_and_where_and_what_is_free_but_not_the_meetings_address() {
        let sample = Event {
            occasion: Arc::new(Occasion {
                starts_at: Some("2026-12-12T18:00:00Z".parse().unwrap()),
                time_zone: Zone::parse("Europe/Berlin").unwrap(),
                location: "Town hall".to_owned(),
                online_url: OnlineUrl::parse("https://meet.example.org/s3cret").unwrap(),
                ..Occasion::default()
            }),
            ..samples::event()
        };
        let document = event(&sample, "https://events.example.org/e/spring-gala");
        assert_eq!(document["startDate"], "2026-12-12T19:00:00+01:00");
        assert_eq!(document["remainingAttendeeCapacity"], 3);
        assert_eq!(document["location"][0]["name"], "Town hall");
        assert_eq!(document["location"][1]["@type"], "VirtualLocation");
        assert!(!document.to_string().contains("s3cret"));
        let bare = event(&samples::event(), "/e/spring-gala");
        assert_eq!((bare.get("startDate"), bare.get("location")), (None, None));
    }
}
