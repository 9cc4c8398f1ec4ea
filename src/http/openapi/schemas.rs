//! The objects of the API, as the document describes them; [`super::bounds`] adds patterns and
//! limits. A test compares them with real answers.
#![expect(dead_code, reason = "described, never made")]

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// What happens to a person who registers now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// Before `opens_at`.
    Scheduled,
    /// Places are free.
    Open,
    /// No places, or others wait for them; no waiting list.
    Full,
    /// No places, or others wait for them; people can join the waiting list.
    Waitlist,
    /// Closed by the organiser or by `closes_at`.
    Closed,
}

/// The whole state of an event at one revision; never a delta, never personal data.
#[derive(Serialize, ToSchema)]
pub(super) struct Count {
    /// The event's slug.
    #[schema(example = "spring-gala")]
    event: String,
    /// `<epoch>-<revision>`: the cursor of every transport, and in quotes the `ETag`.
    #[schema(example = "q7f2k9-128")]
    position: String,
    /// Every committed change adds exactly 1; never goes back.
    #[schema(minimum = 1)]
    revision: i64,
    /// 1, 2, 3 …; a reset opens the next.
    #[schema(minimum = 1)]
    round: i32,
    state: State,
    /// How many people may be confirmed; `null` for no limit.
    #[schema(required)]
    capacity: Option<i32>,
    /// People confirmed in this round.
    #[schema(minimum = 0)]
    registered: i32,
    /// Places left; `null` without a limit. While people wait, too few for the group that is next.
    #[schema(required)]
    remaining: Option<i32>,
    /// How far the capacity was lowered below the headcount.
    #[schema(minimum = 0)]
    over_by: i32,
    /// People on the waiting list.
    #[schema(minimum = 0)]
    waiting: i32,
    /// When this state was committed.
    #[schema(format = DateTime)]
    at: String,
    /// Since when the database cannot be reached; absent while it can.
    #[schema(format = DateTime, nullable = false)]
    stale_since: Option<String>,
}

/// An event: its count, and what it is about.
#[derive(Serialize, ToSchema)]
pub(super) struct Event {
    #[serde(flatten)]
    count: Count,
    title: String,
    description: String,
    #[schema(format = DateTime, required)]
    opens_at: Option<String>,
    #[schema(format = DateTime, required)]
    closes_at: Option<String>,
    /// Whether people may wait for a place.
    waitlist: bool,
    /// The largest party that may register.
    max_party_size: i32,
    /// When it begins.
    #[schema(format = DateTime, required)]
    starts_at: Option<String>,
    /// When it ends.
    #[schema(format = DateTime, required)]
    ends_at: Option<String>,
    /// The IANA name of the zone in which pages show all times.
    #[schema(example = "Europe/Berlin")]
    time_zone: String,
    /// Where it takes place; empty for nowhere in particular.
    location: String,
    /// Whom to ask; empty for nobody.
    contact: String,
    /// How often the settings were edited; `SEQUENCE` in the event's calendar file.
    #[schema(minimum = 0)]
    edits: i32,
    /// Where it takes place online: only in the organiser's answers.
    #[schema(format = "uri")]
    online_url: Option<String>,
    /// What everybody who registers is asked, in this order.
    questions: Vec<Question>,
    /// What the organiser announces now.
    #[schema(required)]
    announcement: Option<Notice>,
}

/// What a question takes as an answer: one line, several lines, one option, any options, true or
/// false, a number.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum QuestionKind {
    Text,
    LongText,
    Choice,
    Choices,
    Checkbox,
    Number,
}

/// A question of an event.
#[derive(Serialize, ToSchema)]
pub(super) struct Question {
    /// Its name in `answers`.
    #[schema(example = "diet")]
    key: String,
    label: String,
    kind: QuestionKind,
    /// Nobody registers without an answer; a required checkbox must be `true`.
    required: bool,
    /// For `choice` and `choices`, else empty.
    options: Vec<String>,
    help: String,
}

/// A question to ask: like `Question`, with defaults.
#[derive(Serialize, ToSchema)]
pub(super) struct NewQuestion {
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

/// One answer: a text (also to a choice), options, a flag, or a number.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum AnswerValue {
    Text(String),
    Options(Vec<String>),
    Flag(bool),
    Number(f64),
}

/// The new answer; `null` removes it.
#[derive(Serialize, ToSchema)]
pub(super) struct AnswerChange(Option<AnswerValue>);

/// Answers that replace earlier ones, by the keys of their questions.
#[derive(Serialize, ToSchema)]
pub(super) struct AnswerChanges(BTreeMap<String, AnswerChange>);

/// Answers by the keys of their questions. What was not answered is absent. A question that was
/// removed keeps its answers.
#[derive(Serialize, ToSchema)]
pub(super) struct Answers(BTreeMap<String, AnswerValue>);

/// All events, in the order of their creation.
#[derive(Serialize, ToSchema)]
pub(super) struct Events {
    events: Vec<Event>,
}

/// What caused a revision.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Created,
    Registered,
    Cancelled,
    Changed,
    Promoted,
    Capacity,
    Opened,
    Closed,
    Reset,
    Restored,
    Edited,
}

/// One revision: the whole state after it.
#[derive(Serialize, ToSchema)]
pub(super) struct Change {
    #[serde(flatten)]
    count: Count,
    kind: Kind,
}

/// A page of the change log, oldest first.
#[derive(Serialize, ToSchema)]
pub(super) struct ChangeLog {
    changes: Vec<Change>,
    /// The next page's `after`.
    position: String,
    /// The given `after` is no position of this event, so the log starts over.
    #[schema(nullable = false)]
    reset: Option<bool>,
}

/// Server-sent events without an end: `count` with `Count` as its data and the position as its id;
/// `watching`, `notice`, `stale` and `bye`; comments in between.
#[derive(Serialize, ToSchema)]
#[schema(example = "event: count\nid: q7f2k9-128\ndata: {\"event\":\"spring-gala\", …}\n\n")]
pub(super) struct CountStream(String);

/// Server-sent events without an end: `change` with `Change` as its data and the position as its
/// id, and the other events of `CountStream`.
#[derive(Serialize, ToSchema)]
pub(super) struct ChangeStream(String);

/// An HTML document without an end.
#[derive(Serialize, ToSchema)]
pub(super) struct Frame(String);

/// Comma-separated values (RFC 4180) with a head.
#[derive(Serialize, ToSchema)]
pub(super) struct Csv(String);

/// An OpenAPI document.
#[derive(Serialize, ToSchema)]
#[schema(value_type = Object)]
pub(super) struct Document(serde_json::Value);

/// The person who registers.
#[derive(Serialize, ToSchema)]
pub(super) struct NewRegistration {
    /// Length in code points after trimming. White space of any kind becomes one space; no control
    /// or direction-changing characters, and something that shows.
    #[schema(example = "Ada Lovelace")]
    name: String,
    /// Unique per event and round among the not-cancelled. Compared as mailboxes: without case and
    /// invisible characters, the local part in NFC, the domain by IDNA (UTS 46). The pattern matches
    /// more international domains than IDNA allows. What comes along with a pasted address, such as
    /// `mailto:` or a name and angle brackets, is removed.
    #[schema(example = "ada@example.org")]
    email: String,
    /// How many people ask for places together; at most the event's `max_party_size`.
    #[schema(default = 1, nullable = false)]
    party_size: Option<i32>,
    /// An answer to each required question, at least. A form has fields `answer.<key>` instead,
    /// repeated for `choices`.
    answers: Option<Answers>,
}

/// What changes in a registration; what is absent stays as it is.
#[derive(Serialize, ToSchema)]
pub(super) struct RegistrationChange {
    #[schema(nullable = false)]
    name: Option<String>,
    /// Smaller always works. Larger needs free places, and that nobody waits.
    #[schema(nullable = false)]
    party_size: Option<i32>,
    /// A question that is not named keeps its answer.
    answers: Option<AnswerChanges>,
}

/// Why places are free and somebody waits.
#[derive(Serialize, ToSchema)]
pub(super) struct WaitingFor {
    /// How many places are free.
    #[schema(minimum = 1)]
    remaining: i32,
    /// How many people the group has that waits longest.
    party_size: i32,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Confirmed,
    Waiting,
    Cancelled,
}

/// Where the owner finds the registration again.
#[derive(Serialize, ToSchema)]
pub(super) struct Links {
    #[serde(rename = "self")]
    this: String,
    page: String,
}

/// A registration as its owner sees it.
#[derive(Serialize, ToSchema)]
pub(super) struct Registration {
    /// Its name in the organiser's calls.
    id: String,
    /// The order of arrival in the round, from 1; never reused.
    #[schema(minimum = 1)]
    number: i32,
    status: Status,
    /// The registrations ahead plus one; `null` unless waiting.
    #[schema(minimum = 1, required)]
    waiting_position: Option<i32>,
    /// While places are free that are too few for the group that is next; else `null`.
    #[schema(required)]
    waiting_for: Option<WaitingFor>,
    /// It counts while this is the event's current round.
    #[schema(minimum = 1)]
    round: i32,
    /// The event's slug.
    event: String,
    name: String,
    /// How many people it is for.
    party_size: i32,
    answers: Answers,
    /// Opens this registration; anybody who knows it may change and cancel it.
    token: String,
    /// The revision that made or last changed it: a count with a lower one is older than this.
    position: String,
    /// Where the event takes place online; `null` unless confirmed.
    #[schema(format = "uri", required)]
    online_url: Option<String>,
    links: Links,
}

/// A registration as the organiser sees it.
#[derive(Serialize, ToSchema)]
pub(super) struct Row {
    id: String,
    #[schema(minimum = 1)]
    number: i32,
    name: String,
    email: String,
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
}

/// A page of registrations by number.
#[derive(Serialize, ToSchema)]
pub(super) struct Rows {
    registrations: Vec<Row>,
    /// The next page's `after`; `null` on the last one.
    #[schema(required)]
    next: Option<String>,
}

/// A new event.
#[derive(Serialize, ToSchema)]
pub(super) struct NewEvent {
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
    /// The IANA name of the zone in which pages show and take all times; absent or `null`: the
    /// server's `--time-zone`.
    #[schema(example = "Europe/Berlin")]
    time_zone: Option<String>,
    /// One line.
    location: Option<String>,
    /// Only people with a place see it.
    #[schema(format = "uri")]
    online_url: Option<String>,
    /// Whom to ask, one line.
    contact: Option<String>,
    questions: Option<Vec<NewQuestion>>,
}

/// What is absent stays as it is; `null` removes a limit or a moment.
#[derive(Serialize, ToSchema)]
pub(super) struct EventEdit {
    #[schema(nullable = false)]
    title: Option<String>,
    /// Raising it promotes those who wait, in order.
    capacity: Option<i32>,
    #[schema(nullable = false)]
    waitlist: Option<bool>,
    /// Parties that registered before keep their size.
    #[schema(nullable = false)]
    max_party_size: Option<i32>,
    description: Option<String>,
    #[schema(format = DateTime)]
    opens_at: Option<String>,
    #[schema(format = DateTime)]
    closes_at: Option<String>,
    /// When it begins.
    #[schema(format = DateTime)]
    starts_at: Option<String>,
    /// When it ends; needs `starts_at` and is later.
    #[schema(format = DateTime)]
    ends_at: Option<String>,
    /// The IANA name of the zone in which pages show and take all times; absent or `null`: the
    /// server's `--time-zone`.
    #[schema(example = "Europe/Berlin")]
    time_zone: Option<String>,
    /// One line.
    location: Option<String>,
    /// Only people with a place see it.
    #[schema(format = "uri")]
    online_url: Option<String>,
    /// Whom to ask, one line.
    contact: Option<String>,
    /// Close, or open again.
    #[schema(nullable = false)]
    closed: Option<bool>,
    /// All questions, in their order. One that is left out is asked no more, and keeps its answers.
    questions: Option<Vec<NewQuestion>>,
}

/// The confirmation of a reset.
#[derive(Serialize, ToSchema)]
pub(super) struct Reset {
    /// The event's slug once more.
    confirm: String,
    /// The new round's capacity; absent: as before; `null`: no limit.
    capacity: Option<i32>,
}

/// An announcement to everybody who watches the event: 1 to 500 characters on one line.
#[derive(Serialize, ToSchema)]
pub(super) struct Announcement {
    /// One line of 1 to 500 characters; line breaks are refused.
    text: String,
    /// When it stops being shown; 24 hours from now unless given.
    #[schema(format = DateTime)]
    ends_at: Option<String>,
}

/// What watchers get as `notice`.
#[derive(Serialize, ToSchema)]
pub(super) struct Notice {
    text: String,
    #[schema(format = DateTime)]
    at: String,
    /// From when on it is not shown.
    #[schema(format = DateTime)]
    ends_at: String,
}

/// Who did what when, before and after.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditEntry {
    #[schema(format = DateTime)]
    at: String,
    /// `console`, `token`, `visitor` or `schedule`.
    who: String,
    action: String,
    #[schema(value_type = Value)]
    before: serde_json::Value,
    #[schema(value_type = Value)]
    after: serde_json::Value,
}

/// A page of the audit log, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct Audit {
    entries: Vec<AuditEntry>,
    /// The next page's `after`; `null` on the last one.
    #[schema(required)]
    next: Option<String>,
}

/// The server's clock.
#[derive(Serialize, ToSchema)]
pub(super) struct Moment {
    #[schema(format = DateTime)]
    at: String,
}

/// The process's state.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `live` or `ready`.
    status: String,
}

/// A field that was refused.
#[derive(Serialize, ToSchema)]
pub(super) struct FieldError {
    field: String,
    message: String,
    /// The character that the field cannot have: `U+202E RIGHT-TO-LEFT OVERRIDE`.
    #[schema(nullable = false)]
    character: Option<String>,
}

/// RFC 9457. The page `/problems` explains every code.
#[derive(Serialize, ToSchema)]
pub(super) struct Problem {
    /// `/problems#<code>`.
    #[schema(format = "uri-reference")]
    r#type: String,
    title: String,
    status: i32,
    code: String,
    /// A sentence about this very occurrence.
    detail: String,
    /// With `validation-failed`: every field that was refused.
    #[schema(nullable = false)]
    errors: Option<Vec<FieldError>>,
    /// With `event-full`: how many places are free.
    #[schema(minimum = 0, nullable = false)]
    remaining: Option<i32>,
    /// With `event-not-open`.
    #[schema(format = DateTime)]
    opens_at: Option<String>,
    /// With `malformed-body`: where reading ended.
    #[schema(nullable = false)]
    byte: Option<i64>,
    /// With `malformed-body` in JSON.
    #[schema(nullable = false)]
    line: Option<i64>,
}
