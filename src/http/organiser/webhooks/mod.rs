//! The owner's webhooks (docs/protocol.md, section 10).

use serde::Serialize;
use warp::reply::Response;

use self::fields::{Fields, new_settings, settings};
use super::owned::{self, parse_id};
use crate::context::head::RequestHead;
use crate::context::{Context, Shared};
use crate::domain::audit::Actor;
use crate::domain::clock::Timestamp;
use crate::domain::invalid::Invalid;
use crate::domain::webhook::{self, Format, SigningSecret, Target, Topics, Webhook, WebhookId};
use crate::http::body::Unread;
use crate::http::{find, reply};
use crate::problem::{Code, Problem};

mod deliveries;
mod fields;

pub(in crate::http) use deliveries::{
    Delivery, list as list_deliveries, page as deliveries_page, resend,
};
pub(in crate::http) use fields::check_target;

/// The address of all webhooks.
const PATH: &str = "/api/v1/webhooks";

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
pub(in crate::http) async fn slug(
    context: &Context,
    webhook: &Webhook,
) -> Result<Option<String>, Problem> {
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
pub(in crate::http) async fn list(context: Shared, head: RequestHead) -> Result<Response, Problem> {
    owned::reader(&context, &head).await?;
    let stored = context.store.webhooks().await?;
    let mut webhooks = Vec::with_capacity(stored.len());
    for webhook in &stored {
        webhooks.push(Item::new(&context, webhook).await?);
    }
    Ok(reply::json(&List { webhooks }))
}

/// `GET /api/v1/webhooks/{id}`
pub(in crate::http) async fn get(
    id: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    owned::reader(&context, &head).await?;
    let webhook = find(&context, &id).await?;
    Ok(reply::json(&Item::new(&context, &webhook).await?))
}

/// `POST /api/v1/webhooks`
pub(in crate::http) async fn post(
    context: Shared,
    head: RequestHead,
    body: Unread,
) -> Result<Response, Problem> {
    let by = owned::writer(&context, &head).await?.actor();
    let sent = owned::read(body, &head).await?;
    let settings = new_settings(&context, &sent.decode::<Fields<'_>>()?).await?;
    let webhook = create(&context, settings, &by).await?;
    let item = Item {
        secret: Some(webhook.secret.reveal()),
        ..Item::new(&context, &webhook).await?
    };
    Ok(owned::created(PATH, webhook.id, &item))
}

/// Stores a webhook with a new secret.
pub(in crate::http) async fn create(
    context: &Context,
    settings: webhook::Settings,
    by: &Actor,
) -> Result<Webhook, Problem> {
    let (secret, now) = (SigningSecret::draw(), context.clock.now());
    let created = context
        .store
        .create_webhook(&settings, &secret, by, now)
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
pub(in crate::http) async fn patch(
    id: String,
    context: Shared,
    head: RequestHead,
    body: Unread,
) -> Result<Response, Problem> {
    let by = owned::writer(&context, &head).await?.actor();
    let webhook = find(&context, &id).await?;
    let sent = owned::read(body, &head).await?;
    let fields = sent.decode::<Fields<'_>>()?;
    let settings = settings(&context, &fields, &webhook.settings).await?;
    update(&context, webhook.id, &settings, &by).await?;
    let changed = find(&context, &id).await?;
    Ok(reply::json(&Item::new(&context, &changed).await?))
}

/// `DELETE /api/v1/webhooks/{id}`
pub(in crate::http) async fn delete(
    id: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    let by = owned::writer(&context, &head).await?.actor();
    remove(&context, parse_id(&id, unknown)?, &by).await?;
    Ok(owned::deleted())
}

/// Changes a webhook's settings.
pub(in crate::http) async fn update(
    context: &Context,
    id: WebhookId,
    settings: &webhook::Settings,
    by: &Actor,
) -> Result<(), Problem> {
    let now = context.clock.now();
    let found = context.store.update_webhook(id, settings, by, now).await?;
    if found { Ok(()) } else { Err(unknown()) }
}

/// Deletes a webhook with its deliveries.
pub(in crate::http) async fn remove(
    context: &Context,
    id: WebhookId,
    by: &Actor,
) -> Result<(), Problem> {
    let now = context.clock.now();
    let found = context.store.delete_webhook(id, by, now).await?;
    if found { Ok(()) } else { Err(unknown()) }
}

/// The webhook of a path segment.
pub(in crate::http) async fn find(context: &Context, id: &str) -> Result<Webhook, Problem> {
    let id = parse_id(id, unknown)?;
    context.store.webhook(id).await?.ok_or_else(unknown)
}

fn unknown() -> Problem {
    Problem::new(Code::NotFound, "there is no webhook with this id")
}
