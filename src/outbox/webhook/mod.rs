//! Posts the outbox's rows for webhooks to their receivers (docs/protocol.md, section 10).
//!
//! Owns what is sent, its signature, and which addresses may be called. Whether a row is tried again
//! is the worker's business.

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{Deliver, Outcome};
use crate::domain::characters::is_invisible;
use crate::domain::clock::Clock;
use crate::domain::outbox::Row;
use crate::domain::webhook::{self, Webhook};
use crate::store::Store;
use client::{Answer, Client, Fault, Notification};

mod client;
mod format;
mod guard;
mod network;
mod signature;

pub use guard::{Guard, Resolver, Unreachable};

/// Requests to one receiver at the same time, on each node: about a hundred a second if it answers at
/// once. One that does not answer holds them for twenty seconds.
pub const PER_TARGET: u32 = 16;
/// Requests at the same time: every webhook has its own.
#[expect(clippy::cast_possible_truncation, reason = "a few webhooks")]
pub const IN_FLIGHT: u32 = webhook::MAX as u32 * PER_TARGET;
/// How much of an answer the list of deliveries shows, in code points.
const REASON_MAX: usize = 200;
/// The receiver is gone (RFC 9110, section 15.5.11): the webhook becomes inactive.
const GONE: u16 = 410;

/// Delivers the channel of webhooks.
#[derive(Debug)]
pub struct WebhookSender {
    store: Store,
    clock: Clock,
    client: Client,
}

impl WebhookSender {
    /// Calls the addresses that `guard` allows.
    pub fn new(store: Store, clock: Clock, guard: Guard) -> Self {
        Self {
            store,
            clock,
            client: Client::new(guard),
        }
    }

    async fn post(&self, row: &Row) -> Outcome {
        let found = match row.webhook {
            Some(id) => self.store.webhook(id).await,
            None => Ok(None),
        };
        let webhook = match found {
            Ok(Some(webhook)) => webhook,
            Ok(None) => return Outcome::Dropped("the webhook was deleted"),
            Err(error) => return again(error.to_string()),
        };
        if !webhook.settings.active {
            return Outcome::Dropped("the webhook is not active");
        }
        if row.payload["type"].is_null() {
            return Outcome::Dropped("the registration was erased");
        }
        let notification = self.notification(&webhook, row);
        match self
            .client
            .post(&webhook.settings.target, &notification)
            .await
        {
            Ok(answer) if answer.status == GONE => {
                let (target, now) = (&webhook.settings.target, self.clock.now());
                match self.store.retire_webhook(webhook.id, target, now).await {
                    Ok(()) => {
                        tracing::info!(
                            webhook = webhook.id,
                            "a webhook's receiver is gone; it is inactive now"
                        );
                        failed("answered 410; the webhook is not active any more")
                    }
                    Err(error) => again(error.to_string()),
                }
            }
            Ok(answer) if (200..300).contains(&answer.status) => {
                match format::refusal(webhook.settings.format, &answer) {
                    None => Outcome::Sent,
                    Some(error) => again(error),
                }
            }
            Ok(answer) if (300..400).contains(&answer.status) => again(format!(
                "answered {}, and redirects are not followed",
                answer.status
            )),
            Ok(answer) => again(refusal(&answer)),
            Err(fault @ Fault::Forbidden(_)) => failed(&fault.to_string()),
            Err(
                fault @ (Fault::Unresolved
                | Fault::Connect(_)
                | Fault::Tls(_)
                | Fault::Authorities(_)
                | Fault::Http(_)
                | Fault::Timeout),
            ) => again(fault.to_string()),
        }
    }

    /// The same id at each attempt, so that a receiver recognises what came twice.
    fn notification(&self, webhook: &Webhook, row: &Row) -> Notification {
        let settings = &webhook.settings;
        let body = format::body(settings.format, settings.language, &row.payload);
        let body = Bytes::from(body.to_string());
        let id = message_id(row);
        // The receiver compares it with its own clock.
        let seconds = self.clock.own().now().as_millis() / 1_000;
        let signature = signature::signature(&webhook.secret, &id, seconds, &body);
        Notification {
            id,
            seconds,
            signature,
            body,
        }
    }
}

/// What a receiver answered, with the beginning of its reason.
fn refusal(answer: &Answer) -> String {
    let status = answer.status;
    let text = String::from_utf8_lossy(&answer.body);
    let mut reason = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control() || is_invisible(c)) {
        if !word.is_empty() {
            reason.extend([if reason.is_empty() { ": " } else { " " }, word]);
        }
    }
    if let Some((end, _)) = reason.char_indices().nth(REASON_MAX) {
        reason.truncate(end);
        reason.push('…');
    }
    format!("answered {status}{reason}")
}

/// The `webhook-id` of a row.
fn message_id(row: &Row) -> String {
    format!("msg_{}_{}", row.id, row.created.as_millis())
}

impl Deliver for WebhookSender {
    fn deliver<'a>(&'a self, row: &'a Row) -> BoxFuture<'a, Outcome> {
        self.post(row).boxed()
    }
}

/// Other webhooks go on: a receiver that is down says nothing about them.
fn again(error: String) -> Outcome {
    Outcome::Retry {
        error,
        unreachable: false,
    }
}

fn failed(error: &str) -> Outcome {
    Outcome::Failed {
        error: error.to_owned(),
        refused: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_of_a_refusal_is_one_short_line() {
        let reason = |body: &str| {
            refusal(&Answer {
                status: 404,
                body: Bytes::copy_from_slice(body.as_bytes()),
            })
        };
        assert_eq!(reason(""), "answered 404");
        assert_eq!(
            reason(" no_service\r\n\u{7f}here "),
            "answered 404: no_service here"
        );
        let long = reason(&"é".repeat(16_000));
        assert_eq!(long.chars().count(), "answered 404".len() + REASON_MAX + 1);
        assert!(long.ends_with("é…"));
    }
}
