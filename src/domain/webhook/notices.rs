//! The rows of the outbox that a batch leaves for webhooks.

use serde_json::{Value, json};

use super::{Subscription, Topic};
use crate::domain::change::{Change, Kind};
use crate::domain::clock::Timestamp;
use crate::domain::decide::BatchState;
use crate::domain::headcount::Headcount;
use crate::domain::outbox::{Channel, NewRow, Notice, Recipient};
use crate::domain::registration::{Locator, Registration};

/// Something to notify of.
struct Message {
    topic: Topic,
    at: Timestamp,
    /// The registration that it is about.
    registration: Option<Locator>,
    data: Value,
}

/// What a batch leaves for active webhooks, due `now`. Nothing in it is personal.
pub fn rows(batch: &BatchState, subscriptions: &[Subscription], now: Timestamp) -> Vec<NewRow> {
    if subscriptions.is_empty() || batch.writes.deleted {
        return Vec::new();
    }
    let messages = messages(batch);
    let rows = messages.iter().flat_map(|message| {
        let wanted = subscriptions.iter();
        let wanted = wanted.filter(|own| own.topics.contains(message.topic));
        wanted.map(|own| row(batch, message, own, now))
    });
    rows.collect()
}

fn row(
    batch: &BatchState,
    message: &Message,
    subscription: &Subscription,
    now: Timestamp,
) -> NewRow {
    let webhook = subscription.webhook;
    let event = batch.event.id;
    // The order is kept for each registration: one that a receiver does not take delays no other.
    let subject = match message.registration {
        Some(locator) => locator.to_string(),
        None => event.to_string(),
    };
    NewRow {
        channel: Channel::Webhook,
        kind: message.topic.as_str().to_owned(),
        lane: webhook,
        event,
        round: message.registration.map(|locator| locator.round),
        number: message.registration.map(|locator| locator.number),
        webhook: Some(webhook),
        recipient: Recipient::Key(format!("webhook:{webhook}:{subject}")),
        language: String::new(),
        payload: json!({
            "type": message.topic,
            "timestamp": message.at,
            "data": message.data,
        }),
        once: None,
        due: now,
    }
}

/// First what happened to registrations, then what follows from it for the event.
fn messages(batch: &BatchState) -> Vec<Message> {
    let people = batch.writes.notices.iter();
    let mut messages: Vec<_> = people
        .filter_map(|notice| of_registration(batch, notice))
        .collect();
    let mut remaining = batch.before().headcount().remaining;
    let mut changes = batch.writes.changes.iter().peekable();
    while let Some(change) = changes.next() {
        if let Some(topic) = topic_of(change.kind) {
            messages.push(of_event(batch, topic, change));
        }
        // Places that are freed and filled from the waiting list at once were never free.
        if changes
            .peek()
            .is_some_and(|next| next.kind == Kind::Promoted)
        {
            continue;
        }
        let left = change.headcount.remaining;
        if left == Some(0) && remaining != Some(0) {
            messages.push(of_event(batch, Topic::EventFull, change));
        }
        remaining = left;
    }
    let is_notified = messages
        .iter()
        .any(|message| message.topic == Topic::EventChanged);
    // An edit that opens or closes the event is one change, however much it changes besides.
    if let (false, false, Some(change)) = (
        is_notified,
        batch.event.has_details_of(batch.before()),
        batch.writes.changes.last(),
    ) {
        messages.push(of_event(batch, Topic::EventChanged, change));
    }
    messages
}

fn topic_of(kind: Kind) -> Option<Topic> {
    match kind {
        Kind::Capacity => Some(Topic::EventCapacity),
        Kind::Opened => Some(Topic::EventOpened),
        Kind::Closed => Some(Topic::EventClosed),
        Kind::Reset => Some(Topic::EventReset),
        Kind::Restored | Kind::Edited => Some(Topic::EventChanged),
        Kind::Created | Kind::Registered | Kind::Cancelled | Kind::Changed | Kind::Promoted => None,
    }
}

fn of_event(batch: &BatchState, topic: Topic, change: &Change) -> Message {
    Message {
        topic,
        at: change.headcount.at,
        registration: None,
        data: data(batch, &change.headcount),
    }
}

fn of_registration(batch: &BatchState, notice: &Notice) -> Option<Message> {
    let (topic, locator) = match notice {
        Notice::Registered(locator) => (Topic::RegistrationCreated, *locator),
        Notice::Promoted(locator) => (Topic::RegistrationPromoted, *locator),
        Notice::Cancelled { locator, .. } => (Topic::RegistrationCancelled, *locator),
        Notice::Changed(locator) | Notice::Restored(locator) => {
            (Topic::RegistrationChanged, *locator)
        }
        // A change of the event.
        Notice::Moved { .. } => return None,
    };
    let mut data = data(batch, &batch.event.headcount());
    data["registration"] = registration(batch.registration(locator));
    Some(Message {
        topic,
        at: batch.event.at,
        registration: Some(locator),
        data,
    })
}

fn data(batch: &BatchState, count: &Headcount) -> Value {
    json!({ "event": batch.event.slug, "title": batch.event.title, "count": count })
}

/// Not the name, the address or the answers: programs that may read them ask the API.
fn registration(row: &Registration) -> Value {
    json!({
        "id": row.locator.to_string(),
        "number": row.locator.number,
        "round": row.locator.round,
        "status": row.status,
        "party_size": row.party_size,
    })
}
