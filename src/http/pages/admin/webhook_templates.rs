//! One struct for each template of the webhooks' pages, as in `templates.rs`.

use askama::Template;

use super::unsent;
use crate::domain::clock::Timestamp;
use crate::domain::zone::Zone;
use crate::http::organiser::webhooks::Delivery;
use crate::http::pages::mistakes::{self, Mistake};
use crate::http::pages::views::FlashView;
use crate::http::session::Csrf;
use crate::text::Texts;

/// A webhook in the list and on its own page.
#[derive(Debug)]
pub(super) struct WebhookView {
    pub(super) id: i64,
    pub(super) host: String,
    pub(super) url: String,
    pub(super) topics: Vec<&'static str>,
    /// The slug of the one event that it is about.
    pub(super) event: Option<String>,
    pub(super) format: String,
    pub(super) state: String,
    pub(super) is_active: bool,
}

/// A delivery in the list of a webhook's.
#[derive(Debug)]
pub(super) struct DeliveryView {
    pub(super) id: String,
    pub(super) topic: String,
    pub(super) status: &'static str,
    pub(super) created_at: Timestamp,
    pub(super) attempts: u32,
    /// When it is tried again; `None` also before the first attempt, which comes at once.
    pub(super) next_attempt_at: Option<Timestamp>,
    /// Whether that is now.
    pub(super) is_due: bool,
    /// What went wrong, in the page's language.
    pub(super) error: Option<String>,
}

impl DeliveryView {
    pub(super) fn new(texts: Texts, delivery: Delivery, now: Timestamp) -> Self {
        let next = delivery.next_attempt_at.filter(|_| delivery.attempts > 0);
        Self {
            id: delivery.id,
            topic: delivery.topic,
            status: delivery.status,
            created_at: delivery.created_at,
            attempts: delivery.attempts,
            next_attempt_at: next,
            is_due: next.is_some_and(|at| at <= now),
            error: delivery.error.map(|line| unsent::sentence(texts, &line)),
        }
    }
}

/// The form for a new webhook, as it was typed.
#[derive(Debug)]
pub(super) struct WebhookForm {
    pub(super) url: String,
    pub(super) url_error: Option<String>,
    /// Every type, and whether it is ticked.
    pub(super) topics: Vec<(&'static str, bool)>,
    pub(super) topics_error: Option<String>,
    pub(super) event: String,
    pub(super) event_error: Option<String>,
    pub(super) format: String,
    pub(super) language: String,
    pub(super) is_refused: bool,
}

#[derive(Debug, Template)]
#[template(path = "admin_webhooks.html")]
pub(super) struct AdminWebhooksPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) csrf: Csrf,
    pub(super) once: String,
    pub(super) flash: Option<FlashView>,
    pub(super) rows: Vec<WebhookView>,
    /// Slug and title of every event.
    pub(super) events: Vec<(String, String)>,
    pub(super) form: WebhookForm,
}

impl AdminWebhooksPage {
    fn mistakes(&self) -> Vec<Mistake> {
        let label = |key: &str| self.t.get(key);
        let fields = [
            ("webhook-url", label("webhook-url"), &self.form.url_error),
            (
                "webhook-event",
                label("webhook-event"),
                &self.form.event_error,
            ),
            (
                "webhook-topics",
                label("webhook-topics"),
                &self.form.topics_error,
            ),
        ];
        mistakes::list(self.t, fields, &[])
    }
}

#[derive(Debug, Template)]
#[template(path = "admin_webhook.html")]
pub(super) struct AdminWebhookPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) csrf: Csrf,
    pub(super) once: String,
    pub(super) flash: Option<FlashView>,
    pub(super) webhook: WebhookView,
    /// Right after it was created; nothing shows it later.
    pub(super) secret: Option<String>,
    /// In which times are shown: a webhook may be about several events.
    pub(super) zone: Zone,
    pub(super) deliveries: Vec<DeliveryView>,
    pub(super) next: Option<String>,
}
