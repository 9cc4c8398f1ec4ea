//! Events, their counts and what watchers receive.

use serde::Serialize;
use utoipa::ToSchema;

/// What happens to a person who registers now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::http::openapi) enum State {
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
pub(in crate::http::openapi) struct Count {
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
    /// People confirmed beyond the capacity: it was lowered, or the organiser added people past it.
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

/// Whether visitors need a proof of work to register.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::http::openapi) enum ProofOfWork {
    /// Nobody does.
    Off,
    /// They do while registrations from many addresses fail or exceed the usual rate.
    Auto,
    /// Everybody does. Programs with a token do not.
    On,
}

/// Who finds an event.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::http::openapi) enum Visibility {
    /// Everybody, also in lists and feeds.
    Public,
    /// Everybody who has its address. No list and no feed names it.
    Unlisted,
    /// Organisers only. For everybody else there is no such event.
    Draft,
}

/// An event: its count, and what it is about.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Event {
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
    /// Days after `ends_at` until all registrations are erased; `null`: never.
    #[schema(required)]
    erase_after_days: Option<i32>,
    proof_of_work: ProofOfWork,
    /// Whether anybody may see how the counts developed.
    public_chart: bool,
    visibility: Visibility,
    /// Whether it is put away, and closed.
    archived: bool,
    /// Hours before `starts_at` when people with a place get a reminder. Only if this server sends mail.
    remind_hours_before: Option<i32>,
    /// The kinds of mail that are sent. Only if this server sends mail.
    #[schema(nullable = false)]
    mails: Option<Vec<MailKind>>,
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
pub(in crate::http::openapi) enum QuestionKind {
    Text,
    LongText,
    Choice,
    Choices,
    Checkbox,
    Number,
}

/// A question of an event.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Question {
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

/// A kind of mail.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::http::openapi) enum MailKind {
    Confirmed,
    Waiting,
    Promoted,
    Cancelled,
    Changed,
    Reminder,
    Announcement,
    Link,
}

/// All events, in the order of their creation.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Events {
    events: Vec<Event>,
}

/// What caused a revision.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::http::openapi) enum Kind {
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
pub(in crate::http::openapi) struct Change {
    #[serde(flatten)]
    count: Count,
    kind: Kind,
}

/// A page of the change log, oldest first.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct ChangeLog {
    changes: Vec<Change>,
    /// The next page's `after`.
    position: String,
    /// The given `after` is no position of this event, so the log starts over.
    #[schema(nullable = false)]
    reset: Option<bool>,
}

/// Server-sent events without an end: `count` with `Count` as its data and the position as its id;
/// `watching`, `details`, `notice`, `stale` and `bye`; comments in between.
#[derive(Serialize, ToSchema)]
#[schema(example = "event: count\nid: q7f2k9-128\ndata: {\"event\":\"spring-gala\", …}\n\n")]
pub(in crate::http::openapi) struct CountStream(String);

/// NDJSON without an end: the messages of the WebSocket, each with its `type`; empty lines in
/// between.
#[derive(Serialize, ToSchema)]
#[schema(example = "{\"type\":\"count\",\"data\":{\"event\":\"spring-gala\", …}}\n")]
pub(in crate::http::openapi) struct CountLines(String);

/// Server-sent events without an end: `change` with `Change` as its data and the position as its
/// id, and the other events of `CountStream`.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct ChangeStream(String);

/// An HTML document without an end.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Frame(String);

/// What watchers get as `notice`.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Notice {
    text: String,
    #[schema(format = DateTime)]
    at: String,
    /// From when on it is not shown.
    #[schema(format = DateTime)]
    ends_at: String,
}
