//! The audit log, with the settings that each entry changed.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use warp::http::StatusCode;
use warp::reply::Response;

use super::reader;
use super::templates::AdminAuditPage;
use crate::context::{Context, Shared};
use crate::domain::access::Permission;
use crate::domain::audit::AuditEntry;
use crate::domain::mail::{MailKinds, RemindBefore};
use crate::http::organiser::audit;
use crate::http::pages::answer::{Keep, page, problem_page};
use crate::http::pages::states;
use crate::http::pages::views::{AuditPart, AuditRow};
use crate::http::pages::visit::Visit;
use crate::http::session::Session;
use crate::problem::Problem;
use crate::text::Texts;
use crate::wire::digits::grouped;

/// Lines on one page.
pub(super) const PAGE: u32 = 50;
/// Differs in every entry, so it is left out.
const NOISE: &str = "revision";
/// Shown even if unchanged, because it names the registration.
const SUBJECT: &str = "number";

/// `GET /admin/events/{slug}/audit`.
pub(in crate::http::pages) async fn show(slug: String, context: Shared, visit: Visit) -> Response {
    let session = match reader(&context, &visit, Permission::Read).await {
        Ok(session) => session,
        Err(answer) => return answer,
    };
    match fill(&context, &visit, &session, &slug).await {
        Ok(template) => page(&visit, StatusCode::OK, Keep::Never, &template),
        Err(problem) => problem_page(&visit, &problem),
    }
}

async fn fill(
    context: &Context,
    visit: &Visit,
    session: &Session,
    slug: &str,
) -> Result<AdminAuditPage, Problem> {
    let shown = states::by_slug(context, slug).await?;
    let before = visit.parameter("after").and_then(|key| key.parse().ok());
    let store = context.store_for(visit.head.peer);
    let (entries, next) = audit::page(&store, Some(&shown.event.slug), before, PAGE).await?;
    Ok(AdminAuditPage {
        t: visit.texts,
        here: visit.path.clone(),
        csrf: session.csrf.clone(),
        event: shown.view(context.clock.now()).read_by(session),
        next: next.map(|key| key.to_string()),
        entries: entries
            .into_iter()
            .map(|entry| row(visit.texts, entry))
            .collect(),
    })
}

/// A line of the log, in words.
pub(super) fn row(texts: Texts, entry: AuditEntry) -> AuditRow {
    let word = |what: &str, word: String| texts.find(&format!("{what}-{word}")).unwrap_or(word);
    AuditRow {
        before: differing(texts, &entry.before, &entry.after),
        after: differing(texts, &entry.after, &entry.before),
        at: entry.at,
        action: word("audit-did", action(&entry).to_owned()),
        who: who(texts, entry.who),
    }
}

/// The action as the catalogues name it. Settings that have a page of their own are an action of their
/// own.
pub(super) fn action(entry: &AuditEntry) -> &str {
    const PAGES: [(&str, &[&str]); 2] = [
        ("edit-questions", &["questions"]),
        ("edit-mail", &[RemindBefore::FIELD, MailKinds::FIELD]),
    ];
    let (Value::Object(before), Value::Object(after)) = (&entry.before, &entry.after) else {
        return &entry.action;
    };
    if entry.action != "edit" {
        return &entry.action;
    }
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let changed: Vec<_> = names
        .into_iter()
        .filter(|name| *name != NOISE && before.get(*name) != after.get(*name))
        .collect();
    let is_of = |fields: &[&str]| changed.iter().all(|name| fields.contains(&name.as_str()));
    let found = PAGES.iter().find(|(_, fields)| is_of(fields));
    found
        .filter(|_| !changed.is_empty())
        .map_or(entry.action.as_str(), |(action, _)| action)
}

/// An account by its name; everything else in words.
pub(super) fn who(texts: Texts, who: String) -> String {
    match who.split_once(':') {
        Some(("account", name)) => name.to_owned(),
        Some(("token", name)) => texts.get1("audit-by-token-named", "name", name.to_owned()),
        _ => texts.find(&format!("audit-by-{who}")).unwrap_or(who),
    }
}

/// The members of `this` that are not the same in `other`, as `capacity 100`, `waiting list no`.
fn differing(texts: Texts, this: &Value, other: &Value) -> Vec<AuditPart> {
    let Value::Object(members) = this else {
        let text = text(texts, this);
        return vec![AuditPart { text, at: None }];
    };
    let nothing = Map::new();
    let others = other.as_object().unwrap_or(&nothing);
    // What was made or deleted is described by what it has.
    let is_whole = other.is_null();
    members
        .iter()
        .filter(|(_, value)| !(is_whole && is_empty(value)))
        // The number says the same, and people know it.
        .filter(|(name, _)| *name != "id" || !members.contains_key(SUBJECT))
        .filter(|(name, value)| {
            *name != NOISE && (*name == SUBJECT || others.get(*name) != Some(value))
        })
        .map(|(name, value)| part(texts, name, value))
        .collect()
}

/// Whether a setting has no value, or is switched off.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::Object(_) => false,
    }
}

fn part(texts: Texts, name: &str, value: &Value) -> AuditPart {
    let label = texts
        .find(&format!("audit-field-{}", name.replace('_', "-")))
        .unwrap_or_else(|| name.to_owned());
    let shown = match (name, value) {
        (
            "at" | "opens_at" | "closes_at" | "starts_at" | "ends_at" | "erased_at" | "expires_at",
            Value::String(at),
        ) => match at.parse() {
            Ok(at) => {
                return AuditPart {
                    text: format!("{label} "),
                    at: Some(at),
                };
            }
            Err(_) => at.clone(),
        },
        ("questions", Value::Array(questions)) => {
            let labels = questions
                .iter()
                .filter_map(|question| question["label"].as_str());
            labels.collect::<Vec<_>>().join(" · ")
        }
        // The API's words; pages have their own.
        ("proof_of_work", Value::String(word)) => worded(texts, "proof", word),
        ("format", Value::String(word)) => worded(texts, "webhook-format", word),
        ("events", Value::String(topics)) => {
            let topics = topics
                .split_whitespace()
                .map(|topic| topic.replace('.', "-"));
            let topics = topics.map(|topic| worded(texts, "webhook-topic", &topic));
            topics.collect::<Vec<_>>().join(" · ")
        }
        ("state" | "status" | "role" | "visibility", Value::String(word)) => {
            worded(texts, name, word)
        }
        ("path", Value::String(word)) => worded(texts, "audit-path", word),
        (_, value) => text(texts, value),
    };
    AuditPart {
        text: format!("{label} {shown}"),
        at: None,
    }
}

/// A word of the API as pages say it.
fn worded(texts: Texts, what: &str, word: &str) -> String {
    let own = texts.find(&format!("{what}-{word}"));
    own.unwrap_or_else(|| word.to_owned())
}

fn text(texts: Texts, value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Bool(flag) => texts.get(if *flag { "audit-yes" } else { "audit-no" }),
        // Nothing was written: to a reader the same as nothing set.
        Value::String(text) if text.is_empty() => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_u64() => grouped(&number.to_string()),
        Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::audit;
    use crate::domain::clock::Timestamp;
    use crate::domain::event::{Capacity, Event};
    use crate::domain::language::Language;
    use crate::http::pages::samples;

    /// One side of an entry, as people read it.
    fn line(texts: Texts, this: &Value, other: &Value) -> String {
        let parts = differing(texts, this, other);
        let read = parts
            .into_iter()
            .map(|part| part.text + &part.at.map(|at| at.to_string()).unwrap_or_default());
        read.collect::<Vec<_>>().join(&texts.get("audit-comma"))
    }

    #[test]
    fn a_moment_is_left_to_the_page() {
        let (before, after) = (
            serde_json::json!({"opens_at": null}),
            serde_json::json!({"opens_at": "2026-11-21T09:00:00.000Z"}),
        );
        let english = Texts::new(Language::English);
        let expected = AuditPart {
            text: "opens ".to_owned(),
            at: Some("2026-11-21T09:00:00.000Z".parse().unwrap()),
        };
        assert_eq!(differing(english, &after, &before), [expected]);
        assert_eq!(line(english, &before, &after), "opens –");
    }

    #[test]
    fn what_is_empty_reads_as_nothing_and_thousands_are_grouped() {
        let (before, after) = (
            serde_json::json!({"description": "", "capacity": 1000}),
            serde_json::json!({"description": "Bring a pen", "capacity": 12500}),
        );
        let english = Texts::new(Language::English);
        assert_eq!(
            line(english, &before, &after),
            "capacity 1,000, description –"
        );
        assert_eq!(
            line(english, &after, &before),
            "capacity 12,500, description Bring a pen"
        );
    }

    #[test]
    fn a_line_tells_what_differs() {
        let before = samples::event();
        let after = Event {
            capacity: Capacity::UNLIMITED,
            closed: true,
            revision: 130,
            ..before.clone()
        };
        let (before, after) = (audit::event(&before), audit::event(&after));
        assert_eq!(
            line(Texts::new(Language::English), &before, &after),
            "capacity 100, state Open"
        );
        assert_eq!(
            line(Texts::new(Language::English), &after, &before),
            "capacity –, state Closed"
        );
        assert_eq!(
            line(Texts::new(Language::Chinese), &after, &before),
            "名额 –，报名情况 已截止"
        );
    }

    #[test]
    fn a_webhook_is_described_in_words() {
        let webhook = serde_json::json!({
            "events": "registration.created event.changed", "format": "wecom",
        });
        assert_eq!(
            line(Texts::new(Language::Chinese), &webhook, &Value::Null),
            "内容 有人报名 · 活动信息变动，格式 企业微信"
        );
    }

    #[test]
    fn questions_and_mails_are_no_settings() {
        let edit = |before, after| AuditEntry {
            at: Timestamp::from_millis(0),
            who: "console".to_owned(),
            action: "edit".to_owned(),
            before,
            after,
        };
        let before = serde_json::json!({"title": "Gala", "revision": 1});
        for (changed, expected) in [
            (serde_json::json!({"questions": []}), "edit-questions"),
            (serde_json::json!({"mails": "none"}), "edit-mail"),
            (serde_json::json!({"title": "Ball"}), "edit"),
            (
                serde_json::json!({"title": "Ball", "questions": []}),
                "edit",
            ),
            (serde_json::json!({}), "edit"),
        ] {
            let mut after = serde_json::json!({"title": "Gala", "revision": 2});
            for (name, value) in changed.as_object().unwrap() {
                after[name] = value.clone();
            }
            assert_eq!(action(&edit(before.clone(), after)), expected);
        }
    }

    #[test]
    fn a_line_about_a_registration_names_it() {
        let (before, after) = (
            serde_json::json!({"id": "7-1-42", "number": 42, "status": "confirmed"}),
            serde_json::json!({"id": "7-1-42", "number": 42, "status": "cancelled"}),
        );
        assert_eq!(
            line(Texts::new(Language::English), &before, &after),
            "number 42, status Confirmed"
        );
        assert_eq!(
            line(Texts::new(Language::English), &after, &before),
            "number 42, status Cancelled"
        );
        assert_eq!(
            line(Texts::new(Language::English), &before, &Value::Null),
            "number 42, status Confirmed"
        );
        assert_eq!(
            line(Texts::new(Language::English), &Value::Null, &before),
            "–"
        );
    }
}
