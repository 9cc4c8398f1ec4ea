//! The organiser's calls that add, change, restore and cancel registrations.

use warp::http::Method;

use super::{Call, JSON, ORGANISER, REGISTRATION};
use crate::problem::Code;

pub(super) const ALL: &[Call] = &[
    Call {
        method: Method::DELETE,
        path: "/api/v1/events/{slug}/registrations/{id}",
        id: "cancelForVisitor",
        summary: "Cancel a registration; the longest waiting gets the place",
        answers: &[(200, "Cancelled", &[(JSON, "Row")])],
        refusals: &[Code::EventNotFound, Code::RegistrationNotFound],
        ..ORGANISER
    },
    Call {
        method: Method::PATCH,
        path: "/api/v1/events/{slug}/registrations/{id}",
        id: "correctRegistration",
        summary: "Correct a registration",
        notes: "The same rules as `changeRegistration`, except that required questions may stay unanswered.",
        body: Some(("RegistrationChange", false)),
        answers: &[(200, "As it is then", &[(JSON, "Row")])],
        refusals: &[
            Code::EventNotFound,
            Code::RegistrationNotFound,
            Code::RegistrationCancelled,
            Code::RegistrationErased,
            Code::EventFull,
            Code::EventClosed,
            Code::EventNotOpen,
        ],
        ..ORGANISER
    },
    Call {
        method: Method::POST,
        path: "/api/v1/events/{slug}/registrations/{id}/restore",
        id: "restoreRegistration",
        summary: "Give a cancelled registration its places back",
        notes: "Only of the current round, while its places are free and nobody waits. A second \
            time changes nothing.",
        answers: &[(200, "Confirmed", &[(JSON, "Row")])],
        refusals: &[
            Code::EventNotFound,
            Code::RegistrationNotFound,
            Code::EventFull,
            Code::AlreadyRegistered,
        ],
        ..ORGANISER
    },
    Call {
        method: Method::POST,
        path: "/api/v1/events/{slug}/registrations/add",
        id: "addRegistration",
        summary: "Add a person by hand",
        notes: "Also while registration is closed or has not opened. With `over_capacity` the \
            party is confirmed past the capacity and those who wait. `Idempotency-Key` as for \
            `register`.",
        takes: &["Idempotency-Key"],
        body: Some(("AddedRegistration", false)),
        answers: &[(
            201,
            "Registered, `confirmed` or `waiting`; `Location` is the registration",
            REGISTRATION,
        )],
        refusals: &[
            Code::BadRequest,
            Code::EventNotFound,
            Code::EventFull,
            Code::AlreadyRegistered,
            Code::IdempotencyMismatch,
        ],
        ..ORGANISER
    },
    Call {
        method: Method::POST,
        path: "/api/v1/events/{slug}/registrations/import",
        id: "importRegistrations",
        summary: "Add everybody of a file, or nobody",
        notes: "A header line with `name`, `email`, `party_size`, and keys or labels of questions; \
            separated by commas, semicolons or tabs. One mistake, and nobody is stored: the answer \
            is 200 with all of them.",
        takes: &["dry_run"],
        body: Some(("Csv", false)),
        answers: &[(200, "What was done, or would be", &[(JSON, "ImportReport")])],
        refusals: &[Code::EventNotFound, Code::BadRequest],
        ..ORGANISER
    },
];
