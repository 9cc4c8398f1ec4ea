//! Webhooks and their deliveries.

use serde::Serialize;
use utoipa::ToSchema;

/// The body that a receiver expects: an event of Standard Webhooks, or a message of a chat.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::http::openapi) enum WebhookFormat {
    Standard,
    Slack,
    Discord,
    Feishu,
    DingTalk,
    WeCom,
}

/// A webhook.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Webhook {
    id: String,
    #[schema(format = "uri")]
    url: String,
    /// Types of events, such as `registration.created` or `event.full`.
    events: Vec<String>,
    /// The slug of the one event that it is about; `null`: all.
    #[schema(required)]
    event: Option<String>,
    format: WebhookFormat,
    /// Of messages to chats: `en` or `zh-CN`.
    language: String,
    active: bool,
    /// The receiver answered 410, so that it is not active.
    gone: bool,
    #[schema(format = DateTime)]
    created_at: String,
    /// Signs the requests: `whsec_` and Base64. Only in the answer to `createWebhook`.
    #[schema(nullable = false)]
    secret: Option<String>,
}

/// All webhooks.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Webhooks {
    webhooks: Vec<Webhook>,
}

/// A new webhook.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct NewWebhook {
    /// An `http` or `https` address that leads to public addresses, or to networks of
    /// `--webhook-allow`.
    #[schema(format = "uri")]
    url: String,
    /// `null` or absent: all types.
    events: Option<Vec<String>>,
    /// The slug of one event; `null` or absent: all.
    event: Option<String>,
    #[schema(default = "standard")]
    format: Option<WebhookFormat>,
    #[schema(default = "en")]
    language: Option<String>,
    #[schema(default = true, nullable = false)]
    active: Option<bool>,
}

/// What is absent stays as it is.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct WebhookEdit {
    #[schema(format = "uri", nullable = false)]
    url: Option<String>,
    /// `null`: all types.
    events: Option<Vec<String>>,
    /// `null`: all events.
    event: Option<String>,
    format: Option<WebhookFormat>,
    language: Option<String>,
    /// `true` also expects a receiver that was gone to be back.
    #[schema(nullable = false)]
    active: Option<bool>,
}

/// What became of a delivery.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::http::openapi) enum DeliveryStatus {
    Waiting,
    Sent,
    Failed,
    Dropped,
}

/// A delivery of a webhook.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Delivery {
    id: String,
    /// The type of event.
    r#type: String,
    status: DeliveryStatus,
    /// Attempts since it was written or sent again.
    #[schema(minimum = 0)]
    attempts: i32,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime, required)]
    next_attempt_at: Option<String>,
    #[schema(format = DateTime, required)]
    finished_at: Option<String>,
    /// What went wrong at the last attempt.
    #[schema(required)]
    error: Option<String>,
}

/// A page of deliveries, newest first.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Deliveries {
    deliveries: Vec<Delivery>,
    /// The next page's `after`; absent on the last.
    #[schema(nullable = false)]
    next: Option<String>,
}
