//! What happened lately at an event: who registered, and what organisers did.
//!
//! It names people, so it is on the dashboard alone: neither on a spare monitor nor on the public chart.

use std::time::Duration;

use serde_json::Value;

use crate::context::Context;
use crate::domain::audit::{Actor, AuditEntry};
use crate::domain::clock::Timestamp;
use crate::domain::event::Event;
use crate::domain::registration::Registration;
use crate::http::pages::visit::Visit;
use crate::store::StoreError;
use crate::text::Texts;

/// More is the list of people, or the audit log.
const ROWS: usize = 8;
/// Lines of the audit log that are read: some stand for registrations, which are rows already.
const LINES: u32 = 24;

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::http::pages) struct FeedRow {
    pub(in crate::http::pages) at: Timestamp,
    pub(in crate::http::pages) text: String,
    /// How long ago it happened: `12 s`.
    pub(in crate::http::pages) ago: String,
}

/// The newest first. Both reads use a key, however many have registered. Without an answer there are
/// none: the dashboard is more important.
pub(super) async fn read(context: &Context, visit: &Visit, event: &Event) -> Vec<FeedRow> {
    match lines(context, visit, event).await {
        Ok(rows) => rows,
        Err(error) => {
            tracing::warn!(%error, event = %event.slug, "cannot read what happened lately");
            Vec::new()
        }
    }
}

async fn lines(
    context: &Context,
    visit: &Visit,
    event: &Event,
) -> Result<Vec<FeedRow>, StoreError> {
    let store = context.store_for(visit.head.peer);
    let rows = u32::try_from(ROWS).unwrap_or(u32::MAX);
    let newest = store.newest(event.id, event.round, rows).await?;
    let lines = store.audit(&event.slug, None, LINES).await?;
    let entries: Vec<_> = lines.into_iter().map(|(_, entry)| entry).collect();
    let now = context.clock.now();
    Ok(merged(visit.texts, &newest, &entries, now))
}

fn merged(
    texts: Texts,
    newest: &[Registration],
    entries: &[AuditEntry],
    now: Timestamp,
) -> Vec<FeedRow> {
    let row = |at: Timestamp, text: String| FeedRow {
        at,
        text,
        ago: ago(texts, now.since(at)),
    };
    let people = newest.iter().map(|one| {
        let key = match one.accepted_waiting {
            Some(_) => "feed-waiting",
            None => "feed-registered",
        };
        row(one.at, texts.get1(key, "who", named(texts, one)))
    });
    let actions = entries
        .iter()
        // A person whom an organiser adds is among the newest.
        .filter(|entry| entry.action != "add")
        .map(|entry| row(entry.at, action(texts, newest, entry)));
    let mut rows: Vec<_> = people.chain(actions).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.at));
    rows.truncate(ROWS);
    rows
}

/// `Ada × 3`, or the number of somebody whose data are erased.
fn named(texts: Texts, one: &Registration) -> String {
    if one.erased_at.is_some() {
        return texts.get1("feed-number", "number", one.locator.number.to_string());
    }
    match one.party_size.get() {
        1 => one.name.as_str().to_owned(),
        people => format!("{} × {people}", one.name.as_str()),
    }
}

/// `mia cancelled the registration of Ada`, `No. 7 cancelled`.
fn action(texts: Texts, newest: &[Registration], entry: &AuditEntry) -> String {
    let subject = match (&entry.before["id"], &entry.before["number"]) {
        (Value::String(id), Value::Number(number)) => {
            let known = newest.iter().find(|one| one.locator.to_string() == *id);
            let number = || texts.get1("feed-number", "number", number.to_string());
            Some(known.map_or_else(number, |one| named(texts, one)))
        }
        _ => None,
    };
    let who = super::audit::who(texts, entry.who.clone());
    let is_own = entry.who == Actor::Visitor.who();
    let sentence = match (&subject, entry.action.as_str()) {
        (Some(_), "cancel" | "change" | "erase") if is_own => Some("own"),
        (Some(_), "cancel" | "change" | "restore" | "erase")
        | (
            _,
            "create" | "edit" | "opened" | "closed" | "import" | "announce" | "withdraw" | "reset"
            | "undo",
        ) => Some("act"),
        // Erased on schedule, or written by a newer version.
        _ => None,
    };
    if let Some(kind) = sentence {
        let key = format!("feed-{kind}-{}", super::audit::action(entry));
        let subject = subject.unwrap_or_default();
        return texts.get2(key, "who", who, "subject", subject);
    }
    let word = texts
        .find(&format!("audit-did-{}", entry.action))
        .unwrap_or_else(|| entry.action.clone());
    match subject {
        Some(subject) => texts.get3(
            "feed-did-to",
            [("who", &who), ("action", &word), ("subject", &subject)],
        ),
        None => texts.get2("feed-did", "who", who, "action", word),
    }
}

/// Whole seconds, minutes, hours or days.
fn ago(texts: Texts, passed: Duration) -> String {
    let seconds = passed.as_secs();
    let (unit, length) = match seconds {
        0..60 => ("s", 1),
        60..3_600 => ("min", 60),
        3_600..86_400 => ("h", 3_600),
        _ => ("d", 86_400),
    };
    let n = seconds / length;
    texts.get1(format!("feed-ago-{unit}"), "n", n.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn an_age_has_one_unit() {
        let texts = Texts::default();
        for (seconds, expected) in [
            (0, "0 s ago"),
            (59, "59 s ago"),
            (60, "1 min ago"),
            (3_599, "59 min ago"),
            (7_200, "2 h ago"),
            (90_000, "1 d ago"),
        ] {
            assert_eq!(ago(texts, Duration::from_secs(seconds)), expected);
        }
    }
}
