//! A registration and its answers, as its owner sees them.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// One answer: a text (also to a choice), options, a flag, or a number.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(in crate::http::openapi) enum AnswerValue {
    Text(String),
    Options(Vec<String>),
    Flag(bool),
    Number(f64),
}

/// The new answer; `null` removes it.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct AnswerChange(Option<AnswerValue>);

/// Answers that replace earlier ones, by the keys of their questions.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct AnswerChanges(BTreeMap<String, AnswerChange>);

/// Answers by the keys of their questions. What was not answered is absent. A question that was
/// removed keeps its answers.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Answers(BTreeMap<String, AnswerValue>);

/// The person who registers.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct NewRegistration {
    /// Length in code points after trimming. White space of any kind becomes one space; no control
    /// or direction-changing characters, and something that shows.
    #[schema(example = "Ada Lovelace")]
    name: String,
    /// Unique in the round among registrations that are not cancelled. Compared as mailboxes: without case and
    /// invisible characters, the local part in NFC, the domain by IDNA (UTS 46). The pattern matches
    /// more international domains than IDNA allows. What comes along with a pasted address, such as
    /// `mailto:` or a name and angle brackets, is removed.
    #[schema(example = "ada@example.org")]
    email: String,
    /// How many people ask for places together; at most the event's `max_party_size`.
    #[schema(default = 1, nullable = false)]
    party_size: Option<i32>,
    /// The solution of a challenge in Base64, where the event asks for one.
    #[schema(nullable = false)]
    proof: Option<String>,
    /// An answer to each required question, at least. A form has fields `answer.<key>` instead,
    /// repeated for `choices`.
    answers: Option<Answers>,
}

/// A challenge of ALTCHA, version 1. The solution is the number for which the SHA-256 of `salt` and
/// the number in decimal digits is `challenge`. The proof is the JSON of `algorithm`, `challenge`,
/// `number`, `salt` and `signature` in Base64.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Challenge {
    #[schema(example = "SHA-256")]
    algorithm: String,
    /// In hexadecimal digits.
    #[serde(rename = "challenge")]
    hash: String,
    /// The greatest number that is worth trying.
    #[schema(minimum = 0)]
    maxnumber: i32,
    salt: String,
    signature: String,
}

/// Where to send a lost link.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct LostLink {
    /// The address with which somebody has registered.
    email: String,
}

/// An object without members.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Nothing {}

/// How the organiser sent a command.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::http::openapi) enum Organiser {
    Console,
    Token,
}

/// What changes in a registration; what is absent stays as it is.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct RegistrationChange {
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
pub(in crate::http::openapi) struct WaitingFor {
    /// How many places are free.
    #[schema(minimum = 1)]
    remaining: i32,
    /// How many people the group has that waits longest.
    party_size: i32,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::http::openapi) enum Status {
    Confirmed,
    Waiting,
    Cancelled,
}

/// Where the owner finds the registration again.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Links {
    #[serde(rename = "self")]
    this: String,
    page: String,
}

/// A registration as its owner sees it.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Registration {
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
    /// Only of a registration that the organiser added.
    #[schema(nullable = false)]
    added_by: Option<Organiser>,
    /// Opens this registration; anybody who knows it may change and cancel it.
    token: String,
    /// The revision that made or last changed it: a count with a lower one is older than this.
    position: String,
    /// Where the event takes place online; `null` unless confirmed.
    #[schema(format = "uri", required)]
    online_url: Option<String>,
    /// When name, address and answers were erased for good; the name is empty since.
    #[schema(format = DateTime, required)]
    erased_at: Option<String>,
    links: Links,
}
