//! What only the organiser sends and receives.

use serde::Serialize;
use utoipa::ToSchema;

use super::event::{MailKind, ProofOfWork, QuestionKind, Visibility};
use super::registration::{Answers, Organiser, Status};

/// A question to ask: like `Question`, with defaults.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct NewQuestion {
    /// Its name in `answers`, unique in the event.
    #[schema(example = "diet")]
    key: String,
    label: String,
    kind: QuestionKind,
    #[schema(default = false)]
    required: Option<bool>,
    /// At least two different ones for `choice` and `choices`; none for the other kinds.
    options: Option<Vec<String>>,
    help: Option<String>,
}

/// Comma-separated values (RFC 4180) with a header line.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Csv(String);

/// A person whom the organiser adds.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct AddedRegistration {
    name: String,
    /// Absent or `null`: the person has none. Otherwise as in `NewRegistration`.
    email: Option<String>,
    #[schema(default = 1, nullable = false)]
    party_size: Option<i32>,
    /// Confirm the party even without free places, and before those who wait.
    #[schema(default = false, nullable = false)]
    over_capacity: Option<bool>,
    /// Required questions may stay unanswered.
    answers: Option<Answers>,
}

/// What an import did or, with mistakes or as a dry run, would do.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct ImportReport {
    /// Lines with people.
    rows: i32,
    /// Of them, those that get their places.
    accepted: i32,
    /// Of them, those that wait.
    #[schema(minimum = 0)]
    waiting: i32,
    /// What is wrong. If anything is, nobody is stored.
    errors: Vec<LineError>,
    /// Whether the people are stored.
    stored: bool,
}

/// A mistake in an imported file.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct LineError {
    /// The line in the file; the header is line 1.
    #[schema(minimum = 1)]
    line: i64,
    /// The field in the API, such as `email` or `answers.<key>`, or the header of an unknown column;
    /// `null` for a whole line.
    #[schema(required)]
    field: Option<String>,
    /// `validation-failed`, `already-registered` or `event-full`.
    code: String,
    message: String,
}

/// A registration as the organiser sees it.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Row {
    id: String,
    #[schema(minimum = 1)]
    number: i32,
    name: String,
    /// `null` if the organiser added a person without one, after it was erased, and for viewers.
    #[schema(required)]
    email: Option<String>,
    /// How many people it is for.
    party_size: i32,
    status: Status,
    #[schema(minimum = 1, required)]
    waiting_position: Option<i32>,
    #[schema(minimum = 1)]
    round: i32,
    #[schema(format = DateTime)]
    at: String,
    answers: Answers,
    /// `null` if the person registered.
    #[schema(required)]
    added_by: Option<Organiser>,
    /// When name, address and answers were erased for good.
    #[schema(format = DateTime, required)]
    erased_at: Option<String>,
    /// Whether the person has opened a link that was mailed to the address. Only if this server
    /// sends mail.
    #[schema(nullable = false)]
    email_proven: Option<bool>,
}

/// A page of registrations.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Rows {
    registrations: Vec<Row>,
    /// How many there are on all pages.
    #[schema(minimum = 0)]
    total: i32,
    /// The next page's `after`; `null` on the last one.
    #[schema(required)]
    next: Option<String>,
}

/// Declares an object with its own members and with the settings that a new event and an edit share.
macro_rules! settings {
    ($(#[$attribute:meta])* $name:ident { $($own:tt)* }) => {
        $(#[$attribute])*
        #[derive(Serialize, ToSchema)]
        pub(in crate::http::openapi) struct $name {
            $($own)*
            description: Option<String>,
            /// When registering begins by itself.
            #[schema(format = DateTime)]
            opens_at: Option<String>,
            /// When registering ends by itself; later than `opens_at`.
            #[schema(format = DateTime)]
            closes_at: Option<String>,
            /// When it begins.
            #[schema(format = DateTime)]
            starts_at: Option<String>,
            /// When it ends; needs `starts_at` and is later.
            #[schema(format = DateTime)]
            ends_at: Option<String>,
            /// The IANA name of the zone in which pages show and take all times; absent or `null`:
            /// the server's `--time-zone`.
            #[schema(example = "Europe/Berlin")]
            time_zone: Option<String>,
            /// One line.
            location: Option<String>,
            /// Only people with a place see it.
            #[schema(format = "uri")]
            online_url: Option<String>,
            /// Whom to ask, one line.
            contact: Option<String>,
            /// Days after `ends_at` until all registrations are erased; `null`: never.
            erase_after_days: Option<i32>,
            /// Whether visitors need a proof of work to register.
            #[schema(default = "off", nullable = false)]
            proof_of_work: Option<ProofOfWork>,
            /// Whether anybody may see how the counts developed; `false` unless given.
            #[schema(nullable = false)]
            public_chart: Option<bool>,
            /// Who finds it; `public` unless given.
            #[schema(default = "public", nullable = false)]
            visibility: Option<Visibility>,
            /// `true` puts the event away and closes it; `false` brings it back, still closed.
            #[schema(default = false, nullable = false)]
            archived: Option<bool>,
            /// Hours before `starts_at` when people with a place get a reminder; `null`: no reminder.
            remind_hours_before: Option<i32>,
            /// The kinds of mail that are sent; all unless given.
            #[schema(nullable = false)]
            mails: Option<Vec<MailKind>>,
        }
    };
}

/// What a duplicate does not take from its event.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Duplicate {
    /// The new event's name in URLs.
    slug: String,
    /// Absent or `null`: the same.
    title: Option<String>,
    /// Whether `opens_at`, `closes_at`, `starts_at` and `ends_at` are kept. Otherwise there are none.
    #[schema(default = false, nullable = false)]
    keep_times: Option<bool>,
    /// `draft` unless given.
    #[schema(default = "draft", nullable = false)]
    visibility: Option<Visibility>,
}

settings! {
    /// A new event.
    NewEvent {
        /// Its name in URLs; cannot be changed.
        slug: String,
        title: String,
        /// `null` for no limit.
        #[schema(required)]
        capacity: Option<i32>,
        #[schema(default = false, nullable = false)]
        waitlist: Option<bool>,
        /// The largest party that may register.
        #[schema(default = 1, nullable = false)]
        max_party_size: Option<i32>,
        questions: Option<Vec<NewQuestion>>,
    }
}

settings! {
    /// What is absent stays as it is; `null` removes a limit or a moment.
    EventEdit {
        #[schema(nullable = false)]
        title: Option<String>,
        /// Raising it promotes those who wait, in order.
        capacity: Option<i32>,
        #[schema(nullable = false)]
        waitlist: Option<bool>,
        /// Parties that registered before keep their size.
        #[schema(nullable = false)]
        max_party_size: Option<i32>,
        /// Close, or open again.
        #[schema(nullable = false)]
        closed: Option<bool>,
        /// All questions, in their order. One that is left out is asked no more, and keeps its
        /// answers.
        questions: Option<Vec<NewQuestion>>,
    }
}

/// The confirmation of a reset.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Reset {
    /// The event's slug once more.
    confirm: String,
    /// The new round's capacity; absent: as before; `null`: no limit.
    capacity: Option<i32>,
}

/// An announcement to everybody who watches the event: 1 to 500 characters on one line.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Announcement {
    /// One line of 1 to 500 characters; line breaks are refused.
    text: String,
    /// When it stops being shown; 24 hours from now unless given.
    #[schema(format = DateTime)]
    ends_at: Option<String>,
    /// Also mail it to everybody who has registered. Refused if this server sends no mail.
    #[schema(default = false, nullable = false)]
    mail: Option<bool>,
}

/// Who did what when, before and after.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct AuditEntry {
    #[schema(format = DateTime)]
    at: String,
    /// `account:<name>`, `token:<name>`, `token`, `visitor`, `schedule` or `server` (a webhook's receiver
    /// is gone).
    who: String,
    action: String,
    #[schema(value_type = Value)]
    before: serde_json::Value,
    #[schema(value_type = Value)]
    after: serde_json::Value,
}

/// A page of the audit log, newest first.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Audit {
    entries: Vec<AuditEntry>,
    /// The next page's `after`; `null` on the last one.
    #[schema(required)]
    next: Option<String>,
}

/// The counts at the end of a step.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Point {
    /// The start of the step.
    #[schema(format = DateTime)]
    at: String,
    /// People confirmed.
    #[schema(minimum = 0)]
    registered: i32,
    /// People on the waiting list.
    #[schema(minimum = 0)]
    waiting: i32,
    /// People who have cancelled in the round.
    #[schema(minimum = 0)]
    cancelled: i32,
    /// The most people who watched at once; `null` when nobody counted.
    #[schema(minimum = 0, required)]
    watching: Option<i32>,
}

/// How the counts developed, without gaps.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Series {
    /// `minute`, `hour` or `day`.
    step: String,
    points: Vec<Point>,
}
