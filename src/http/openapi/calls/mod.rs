//! Every call: its purpose, parameters, body and answers.

use warp::http::Method;

use crate::problem::{self, Code};

mod by_hand;
mod organiser;
mod owner;
mod webhooks;

/// One method of one address.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    /// Further explanation; may be empty.
    pub(super) notes: &'static str,
    /// Needs the organiser's credentials.
    pub(super) organiser: bool,
    /// Names of [`super::PARAMETERS`], beside the path's own.
    pub(super) takes: &'static [&'static str],
    /// The body's schema, and whether a form will do.
    pub(super) body: Option<(&'static str, bool)>,
    /// Status, description, and content: a media type with the schema of JSON.
    pub(super) answers: &'static [(u16, &'static str, Content)],
    /// Problem codes, besides those of every call.
    pub(super) refusals: &'static [Code],
}

/// Media types with their schemas.
pub(super) type Content = &'static [(&'static str, &'static str)];

const NOTHING: Content = &[];
const JSON: &str = "application/json";
const SSE: &str = "text/event-stream";
const NDJSON: &str = "application/x-ndjson";
const PROBLEM: Content = &[(problem::CONTENT_TYPE, "Problem")];
const EVENT: Content = &[(JSON, "Event")];
const COUNT_OR_STREAM: Content = &[(JSON, "Count"), (SSE, "CountStream")];
const REGISTRATION: Content = &[(JSON, "Registration")];

/// What reading the body may refuse.
const BODY: [Code; 4] = [
    Code::MalformedBody,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
    Code::ValidationFailed,
];

const CALL: Call = Call {
    method: Method::GET,
    path: "",
    id: "",
    summary: "",
    notes: "",
    organiser: false,
    takes: &[],
    body: None,
    answers: &[],
    refusals: &[],
};
const ORGANISER: Call = Call {
    organiser: true,
    ..CALL
};

/// Every call of the API and of the operator.
pub(super) fn all() -> impl Iterator<Item = &'static Call> {
    let calls = ALL.iter().chain(organiser::ALL).chain(by_hand::ALL);
    calls.chain(owner::ALL).chain(webhooks::ALL)
}

const ALL: &[Call] = &[
    Call {
        path: "/api/v1/events",
        id: "listEvents",
        summary: "All events with their counts",
        takes: &["If-None-Match"],
        answers: &[
            (200, "The events", &[(JSON, "Events")]),
            (304, "Unchanged", NOTHING),
        ],
        ..CALL
    },
    Call {
        path: "/api/v1/events/{slug}",
        id: "getCount",
        summary: "The count: poll or long poll",
        notes: "With `Prefer: wait=N` and `If-None-Match` (or `?after=<position>&wait=N`) it answers \
            as soon as the position differs, else 304 after N seconds. With `Accept: \
            text/event-stream` it is the stream.",
        takes: &["If-None-Match", "Prefer", "after", "wait"],
        answers: &[
            (
                200,
                "The newest count, `ETag` its position",
                COUNT_OR_STREAM,
            ),
            (304, "Unchanged", NOTHING),
        ],
        refusals: &[Code::EventNotFound, Code::NotAcceptable],
        ..CALL
    },
    Call {
        path: "/api/v1/events/{slug}/details",
        id: "getDetails",
        summary: "One event: its count, what it is about, and what is announced",
        notes: "An item of `listEvents`. The push `details` says that it has changed.",
        takes: &["If-None-Match"],
        answers: &[(200, "The event", EVENT), (304, "Unchanged", NOTHING)],
        refusals: &[Code::EventNotFound],
        ..CALL
    },
    Call {
        path: "/api/v1/events/{slug}/stream",
        id: "streamCounts",
        summary: "The count as server-sent events or NDJSON",
        notes: "Events `count` (its `id` is the position), `watching`, `notice`, `details`, \
            `stale`, `bye`; a comment at least every heartbeat. A refused stream is a 200 that \
            says `bye`. With `Accept: application/x-ndjson` the messages of the WebSocket, one \
            a line; an empty line as heartbeat.",
        takes: &["Last-Event-ID", "last_event_id", "after"],
        answers: &[(
            200,
            "An endless stream, beginning with the newest count",
            &[(SSE, "CountStream"), (NDJSON, "CountLines")],
        )],
        refusals: &[Code::EventNotFound],
        ..CALL
    },
    Call {
        path: "/api/v1/events/{slug}/ws",
        id: "watchByWebSocket",
        summary: "The count by WebSocket",
        notes: "Text frames `{\"type\":\"count\",\"data\":{…}}`, likewise `watching`, `notice`, \
            `details`, `stale`, `bye`; `{\"type\":\"ping\",\"id\":7}` is answered.",
        takes: &["after"],
        answers: &[
            (101, "The protocol is switched", NOTHING),
            (
                426,
                "No WebSocket handshake of version 13; `Sec-WebSocket-Version` says what would be one",
                PROBLEM,
            ),
        ],
        refusals: &[Code::EventNotFound, Code::BadRequest],
        ..CALL
    },
    Call {
        path: "/api/v1/events/{slug}/frame",
        id: "watchInFrame",
        summary: "The count as an endless HTML document",
        notes: "Live without JavaScript, embeddable anywhere.",
        takes: &["after"],
        answers: &[(
            200,
            "A document that grows by one paragraph a change",
            &[("text/html", "Frame")],
        )],
        refusals: &[Code::EventNotFound],
        ..CALL
    },
    Call {
        path: "/api/v1/events/{slug}/changes",
        id: "listChanges",
        summary: "The change log: every revision, in order",
        notes: "With `Accept: text/event-stream` the same log as events `change`, resumable and \
            never conflated.",
        takes: &["after", "limit", "Last-Event-ID", "last_event_id"],
        answers: &[(
            200,
            "A page of changes, oldest first",
            &[(JSON, "ChangeLog"), (SSE, "ChangeStream")],
        )],
        refusals: &[Code::EventNotFound, Code::BadRequest, Code::NotAcceptable],
        ..CALL
    },
    Call {
        path: "/api/v1/events/{slug}/challenge",
        id: "getChallenge",
        summary: "A challenge for the bot check",
        notes: "Send the solution as `proof` when you register. Each is used once, within ten minutes.",
        answers: &[(200, "A new challenge", &[(JSON, "Challenge")])],
        refusals: &[Code::EventNotFound],
        ..CALL
    },
    Call {
        method: Method::POST,
        path: "/api/v1/events/{slug}/registrations",
        id: "register",
        summary: "Register",
        notes: "Answered after the commit is durable. The same `Idempotency-Key` with the same \
            body takes one place: a repeated request gets the registration as it is now, with \
            `Idempotency-Replayed: true`.",
        takes: &["Idempotency-Key"],
        body: Some(("NewRegistration", true)),
        answers: &[(
            201,
            "Registered, `confirmed` or `waiting` (a repeated request: also `cancelled`); \
            `Location` is the registration",
            REGISTRATION,
        )],
        refusals: &[
            Code::BadRequest,
            Code::Forbidden,
            Code::EventNotFound,
            Code::EventFull,
            Code::EventClosed,
            Code::EventNotOpen,
            Code::AlreadyRegistered,
            Code::IdempotencyMismatch,
            Code::TooManyRequests,
        ],
        ..CALL
    },
    Call {
        method: Method::POST,
        path: "/api/v1/events/{slug}/links",
        id: "mailLink",
        summary: "Mail the private link to somebody who lost it",
        notes: "The answer is the same whether or not the address has registered. An address gets one \
            link of an event in 10 minutes. 404 `not-found` if this server sends no mail.",
        body: Some(("LostLink", true)),
        answers: &[(202, "Taken", &[(JSON, "Nothing")])],
        refusals: &[
            Code::Forbidden,
            Code::NotFound,
            Code::EventNotFound,
            Code::TooManyRequests,
        ],
        ..CALL
    },
    Call {
        path: "/api/v1/registrations/{token}",
        id: "getRegistration",
        summary: "The visitor's own registration",
        answers: &[(200, "As it is now", REGISTRATION)],
        refusals: &[Code::RegistrationNotFound],
        ..CALL
    },
    Call {
        method: Method::PATCH,
        path: "/api/v1/registrations/{token}",
        id: "changeRegistration",
        summary: "Change the party, the name or the answers",
        notes: "A smaller party frees places for those who wait. A larger one needs free places, \
            and that nobody waits; a party that waits only becomes smaller.",
        body: Some(("RegistrationChange", false)),
        answers: &[(200, "As it is then", REGISTRATION)],
        refusals: &[
            Code::Forbidden,
            Code::RegistrationNotFound,
            Code::RegistrationCancelled,
            Code::RegistrationErased,
            Code::EventFull,
            Code::EventClosed,
            Code::EventNotOpen,
            Code::TooManyRequests,
        ],
        ..CALL
    },
    Call {
        method: Method::DELETE,
        path: "/api/v1/registrations/{token}",
        id: "cancelRegistration",
        summary: "Give the place back",
        notes: "A second time changes nothing and answers the same.",
        answers: &[(200, "Cancelled", REGISTRATION)],
        refusals: &[Code::RegistrationNotFound, Code::Forbidden],
        ..CALL
    },
    Call {
        method: Method::POST,
        path: "/api/v1/registrations/{token}/erase",
        id: "eraseRegistration",
        summary: "Erase name, address and answers for good",
        notes: "Number, status, party and count stay, and the link still opens it. A second time changes nothing.",
        answers: &[(200, "Erased", REGISTRATION)],
        refusals: &[
            Code::RegistrationNotFound,
            Code::Forbidden,
            Code::TooManyRequests,
        ],
        ..CALL
    },
    Call {
        path: "/api/v1/clock",
        id: "getClock",
        summary: "The server's clock, never cached",
        answers: &[(200, "Now", &[(JSON, "Moment")])],
        ..CALL
    },
    Call {
        path: "/api/v1/webtransport",
        id: "getWebTransport",
        summary: "Where WebTransport is, never cached",
        notes: "Sessions are at `<url>/api/v1/events/{slug}/wt`, over HTTP/3; `?after=` resumes. A browser \
            takes each of `certificate_hashes` as a value of `serverCertificateHashes`; with an empty list it \
            checks the certificate as any other.",
        answers: &[(200, "The origin and the hashes", &[(JSON, "WebTransport")])],
        refusals: &[Code::NotFound, Code::BadRequest],
        ..CALL
    },
    Call {
        path: "/api/v1/openapi.json",
        id: "getDocument",
        summary: "This document",
        takes: &["If-None-Match"],
        answers: &[
            (200, "OpenAPI 3.1", &[(JSON, "Document")]),
            (304, "Unchanged", NOTHING),
        ],
        ..CALL
    },
    Call {
        path: "/health/live",
        id: "isLive",
        summary: "Whether the process lives",
        answers: &[(200, "It does", &[(JSON, "Health")])],
        ..CALL
    },
    Call {
        path: "/health/ready",
        id: "isReady",
        summary: "Whether new visitors should be sent here",
        answers: &[(200, "They should", &[(JSON, "Health")])],
        refusals: &[Code::Draining, Code::DatabaseUnreachable],
        ..CALL
    },
];

impl Call {
    /// Whether it reads a parameter. Every write obeys `If-Match`.
    pub(super) fn takes(&self, name: &str) -> bool {
        self.takes.contains(&name) || (name == "If-Match" && self.method != Method::GET)
    }

    /// Everything it may refuse.
    pub(super) fn refusals(&self) -> Vec<Code> {
        let mut codes = self.refusals.to_vec();
        if self.body.is_some() {
            codes.extend(BODY);
        }
        if self.organiser {
            codes.extend([Code::Unauthorized, Code::TooManyRequests, Code::Forbidden]);
        }
        if self.path.starts_with("/api/") {
            codes.extend([Code::Busy, Code::ChangedMeanwhile]);
            if self.method != Method::GET {
                codes.extend([Code::DatabaseUnreachable, Code::Draining]);
            }
        }
        codes
    }
}
