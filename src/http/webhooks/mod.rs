//! The owner's webhooks (docs/protocol.md, section 10).

use serde::Serialize;
use warp::http::{HeaderValue, StatusCode, header};
use warp::reply::Response;

use self::fields::{Fields, new_settings, settings};
use super::auth;
use super::body::{self, AllowedMedia, Unread};
use super::{find, preconditions, reply};
use crate::context::head::RequestHead;
use crate::context::{Context, Shared};
use crate::domain::access::Permission;
use crate::domain::clock::Timestamp;
use crate::domain::invalid::Invalid;
use crate::domain::webhook::{self, Format, SigningSecret, Target, Topics, Webhook, WebhookId};
use crate::problem::{Code, Problem};

mod deliveries;
mod fields;

pub use deliveries::{Delivery, page as deliveries_page};
pub(super) use deliveries::{list as list_deliveries, resend};
pub use fields::check_target;

/// A webhook as its owner sees it.
#[derive(Debug, Serialize)]
struct Item<'a> {
    id: String,
    /// The whole address: only its owner reads it.
    url: &'a str,
    events: &'a Topics,
    event: Option<String>,
    format: Format,
    language: &'static str,
    active: bool,
    gone: bool,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

impl<'a> Item<'a> {
    async fn new(context: &Context, webhook: &'a Webhook) -> Result<Self, Problem> {
        let settings = &webhook.settings;
        Ok(Self {
            id: webhook.id.to_string(),
            url: settings.target.reveal(),
            events: &settings.topics,
            event: slug(context, webhook).await?,
            format: settings.format,
            language: settings.language.tag(),
            active: settings.active,
            gone: webhook.gone,
            created_at: webhook.created_at,
            secret: None,
        })
    }
}

/// The slug of a webhook's event.
pub async fn slug(context: &Context, webhook: &Webhook) -> Result<Option<String>, Problem> {
    let Some(id) = webhook.settings.event else {
        return Ok(None);
    };
    let event = find::event_by_id(context, id).await?;
    Ok(event.map(|event| event.slug.to_string()))
}

#[derive(Debug, Serialize)]
struct List<'a> {
    webhooks: Vec<Item<'a>>,
}

/// `GET /api/v1/webhooks`
pub(super) async fn list(context: Shared, head: RequestHead) -> Result<Response, Problem> {
    auth::reader(&context, &head, Permission::Own.everywhere()).await?;
    let stored = context.store.webhooks().await?;
    let mut webhooks = Vec::with_capacity(stored.len());
    for webhook in &stored {
        webhooks.push(Item::new(&context, webhook).await?);
    }
    Ok(reply::json(&List { webhooks }))
}

/// `GET /api/v1/webhooks/{id}`
pub(super) async fn get(
    id: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    auth::reader(&context, &head, Permission::Own.everywhere()).await?;
    let webhook = find(&context, &id).await?;
    Ok(reply::json(&Item::new(&context, &webhook).await?))
}

/// `POST /api/v1/webhooks`
pub(super) async fn post(
    context: Shared,
    head: RequestHead,
    body: Unread,
) -> Result<Response, Problem> {
    auth::writer(&context, &head, Permission::Own.everywhere()).await?;
    let sent = body
        .read_up_to(body::ORGANISER_MAX, &head, AllowedMedia::Json)
        .await?;
    let settings = new_settings(&context, &sent.decode::<Fields<'_>>()?).await?;
    preconditions::require_tag(&head.headers, None)?;
    let webhook = create(&context, settings).await?;
    let item = Item {
        secret: Some(webhook.secret.reveal()),
        ..Item::new(&context, &webhook).await?
    };
    let mut response = reply::json(&item);
    *response.status_mut() = StatusCode::CREATED;
    let address = format!("/api/v1/webhooks/{}", webhook.id);
    if let Ok(location) = HeaderValue::try_from(address) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Stores a webhook with a new secret.
pub async fn create(context: &Context, settings: webhook::Settings) -> Result<Webhook, Problem> {
    let (secret, now) = (SigningSecret::draw(), context.clock.now());
    let created = context
        .store
        .create_webhook(&settings, &secret, now)
        .await?;
    let id = created.ok_or_else(|| {
        let most = webhook::MAX;
        let message = format!("there are {most} webhooks already; delete one first");
        Problem::invalid(&[Invalid::new(Target::FIELD, "too-many", message)])
    })?;
    Ok(Webhook {
        id,
        settings,
        secret,
        gone: false,
        created_at: now,
    })
}

/// `PATCH /api/v1/webhooks/{id}`
pub(super) async fn patch(
    id: String,
    context: Shared,
    head: RequestHead,
    body: Unread,
) -> Result<Response, Problem> {
    auth::writer(&context, &head, Permission::Own.everywhere()).await?;
    let webhook = find(&context, &id).await?;
    let sent = body
        .read_up_to(body::ORGANISER_MAX, &head, AllowedMedia::Json)
        .await?;
    let fields = sent.decode::<Fields<'_>>()?;
    let settings = settings(&context, &fields, &webhook.settings).await?;
    preconditions::require_tag(&head.headers, None)?;
    if !context.store.update_webhook(webhook.id, &settings).await? {
        return Err(unknown());
    }
    let changed = find(&context, &id).await?;
    Ok(reply::json(&Item::new(&context, &changed).await?))
}

/// `DELETE /api/v1/webhooks/{id}`
pub(super) async fn delete(
    id: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    auth::writer(&context, &head, Permission::Own.everywhere()).await?;
    preconditions::require_tag(&head.headers, None)?;
    let webhook = find(&context, &id).await?;
    if !context.store.delete_webhook(webhook.id).await? {
        return Err(unknown());
    }
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

/// The webhook of a path segment.
pub async fn find(context: &Context, id: &str) -> Result<Webhook, Problem> {
    let id: WebhookId = id.parse().map_err(|_| unknown())?;
    context.store.webhook(id).await?.ok_or_else(unknown)
}

fn unknown() -> Problem {
    Problem::new(Code::NotFound, "there is no webhook with this id")
}
