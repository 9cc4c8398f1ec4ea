//! The organiser's calls: events, lists, erasing, announcements and the audit.

use warp::http::Method;

use super::{Call, EVENT, JSON, NOTHING, ORGANISER};
use crate::problem::Code;

pub(super) const ALL: &[Call] = &[
    Call {
        method: Method::POST,
        path: "/api/v1/events",
        id: "createEvent",
        summary: "Create an event",
        body: Some(("NewEvent", false)),
        answers: &[(
            201,
            "Created; `Location` is the event, `ETag` its position",
            EVENT,
        )],
        refusals: &[Code::SlugTaken],
        ..ORGANISER
    },
    Call {
        method: Method::PATCH,
        path: "/api/v1/events/{slug}",
        id: "editEvent",
        summary: "Change an event's settings",
        body: Some(("EventEdit", false)),
        answers: &[(200, "The event as it is then", EVENT)],
        refusals: &[Code::EventNotFound],
        ..ORGANISER
    },
    Call {
        method: Method::DELETE,
        path: "/api/v1/events/{slug}",
        id: "deleteEvent",
        summary: "Delete an event",
        takes: &["confirm"],
        answers: &[(204, "Deleted; its streams end", NOTHING)],
        refusals: &[Code::EventNotFound, Code::NotEmpty],
        ..ORGANISER
    },
    Call {
        method: Method::POST,
        path: "/api/v1/events/{slug}/duplicate",
        id: "duplicateEvent",
        summary: "Create an event with the settings and questions of this one",
        body: Some(("Duplicate", false)),
        answers: &[(
            201,
            "Created; `Location` is the new event, `ETag` its position",
            EVENT,
        )],
        notes: "Nobody's registration is copied.",
        refusals: &[Code::EventNotFound, Code::SlugTaken],
        ..ORGANISER
    },
    Call {
        method: Method::POST,
        path: "/api/v1/events/{slug}/reset",
        id: "resetEvent",
        summary: "Archive this round and open the next at zero",
        body: Some(("Reset", false)),
        answers: &[(200, "The event in its new round", EVENT)],
        refusals: &[Code::EventNotFound],
        ..ORGANISER
    },
    Call {
        method: Method::POST,
        path: "/api/v1/events/{slug}/reset/undo",
        id: "undoReset",
        summary: "Bring the archived round back",
        answers: &[(200, "The event in its former round", EVENT)],
        refusals: &[Code::EventNotFound, Code::NotEmpty],
        ..ORGANISER
    },
    Call {
        path: "/api/v1/events/{slug}/registrations",
        id: "listRegistrations",
        summary: "Who has registered",
        takes: &["status", "q", "round", "sort", "after", "limit"],
        answers: &[(200, "A page in that order", &[(JSON, "Rows")])],
        refusals: &[Code::EventNotFound, Code::BadRequest],
        ..ORGANISER
    },
    Call {
        path: "/api/v1/events/{slug}/registrations.csv",
        id: "exportRegistrations",
        summary: "Who has registered, as CSV",
        notes: "UTF-8 with a byte order mark; a cell that begins like a formula is made a text by \
            an apostrophe.",
        takes: &["status", "q", "round", "sort", "after"],
        answers: &[(200, "All of them", &[("text/csv", "Csv")])],
        refusals: &[Code::EventNotFound, Code::BadRequest],
        ..ORGANISER
    },
    Call {
        method: Method::POST,
        path: "/api/v1/events/{slug}/registrations/{id}/erase",
        id: "eraseForVisitor",
        summary: "Erase a person's name, address and answers for good",
        notes: "Number, status, party and count stay. A second time changes nothing.",
        answers: &[(200, "Erased", &[(JSON, "Row")])],
        refusals: &[Code::EventNotFound, Code::RegistrationNotFound],
        ..ORGANISER
    },
    Call {
        method: Method::POST,
        path: "/api/v1/events/{slug}/announcements",
        id: "announce",
        summary: "Announce something to everybody who looks at the event",
        notes: "Pushed at once, and shown to those who come later until `ends_at`. A newer one \
            takes its place.",
        body: Some(("Announcement", false)),
        answers: &[(201, "Announced", &[(JSON, "Notice")])],
        refusals: &[Code::EventNotFound],
        ..ORGANISER
    },
    Call {
        method: Method::DELETE,
        path: "/api/v1/events/{slug}/announcements",
        id: "withdrawAnnouncement",
        summary: "Take the announcement back",
        notes: "A second time changes nothing.",
        answers: &[(204, "No announcement is shown", NOTHING)],
        refusals: &[Code::EventNotFound],
        ..ORGANISER
    },
    Call {
        path: "/api/v1/events/{slug}/series",
        id: "getSeries",
        summary: "How the counts and the watchers developed",
        notes: "At most 2,000 steps. Days are days of UTC. Public if the event has `public_chart`.",
        takes: &["from", "to", "step", "If-None-Match"],
        answers: &[
            (200, "Every step of the range", &[(JSON, "Series")]),
            (304, "Unchanged", NOTHING),
        ],
        refusals: &[Code::EventNotFound, Code::BadRequest],
        ..ORGANISER
    },
    Call {
        path: "/api/v1/events/{slug}/series.csv",
        id: "exportSeries",
        summary: "How the counts and the watchers developed, as CSV",
        notes: "An empty cell: nobody counted the watchers. Public if the event has `public_chart`.",
        takes: &["from", "to", "step", "If-None-Match"],
        answers: &[
            (200, "Every step of the range", &[("text/csv", "Csv")]),
            (304, "Unchanged", NOTHING),
        ],
        refusals: &[Code::EventNotFound, Code::BadRequest],
        ..ORGANISER
    },
    Call {
        path: "/api/v1/events/{slug}/audit",
        id: "listAudit",
        summary: "Who did what when, before and after",
        takes: &["after", "limit"],
        answers: &[(200, "A page, newest first", &[(JSON, "Audit")])],
        refusals: &[Code::EventNotFound, Code::BadRequest],
        ..ORGANISER
    },
];
