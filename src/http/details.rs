//! One event as everybody sees it: its count, details and announcement.

use std::sync::Arc;

use serde::Serialize;
use warp::reply::Response;

use super::{auth, find, reply};
use crate::context::head::RequestHead;
use crate::context::{Context, Shared};
use crate::domain::access::{Need, Permission};
use crate::domain::announcement::Announcement;
use crate::domain::clock::Timestamp;
use crate::domain::event::{Event, PartySize};
use crate::domain::headcount::Headcount;
use crate::domain::mail::MailSettings;
use crate::domain::occasion::OnlineUrl;
use crate::domain::proof_of_work::ProofOfWork;
use crate::domain::questions::Questions;
use crate::domain::retention::EraseAfter;
use crate::domain::visibility::Visibility;
use crate::domain::zone::Zone;
use crate::problem::Problem;

/// An event: its count and details.
#[derive(Debug, Serialize)]
pub struct Item {
    #[serde(flatten)]
    count: Headcount,
    title: String,
    description: String,
    opens_at: Option<Timestamp>,
    closes_at: Option<Timestamp>,
    waitlist: bool,
    max_party_size: PartySize,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    time_zone: Zone,
    location: String,
    contact: String,
    erase_after_days: Option<EraseAfter>,
    proof_of_work: ProofOfWork,
    public_chart: bool,
    visibility: Visibility,
    archived: bool,
    /// Only if this server sends mail.
    #[serde(flatten)]
    mail: Option<MailSettings>,
    edits: u32,
    #[serde(flatten)]
    for_organiser: Option<ForOrganiser>,
    questions: Arc<Questions>,
    announcement: Option<Notice>,
}

/// What only the organiser sees of an event.
#[derive(Debug, Serialize)]
struct ForOrganiser {
    online_url: Option<OnlineUrl>,
}

/// Who reads an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Anybody, including visitors with a place.
    Anybody,
    /// The organiser, who sees every setting.
    Organiser,
}

impl Reader {
    /// The sender of a request that needs no credentials. Invalid and insufficient credentials are
    /// ignored.
    pub(super) async fn of(context: &Context, head: &RequestHead, need: Need<'_>) -> Self {
        // Boxed: rare, and large enough to make every request's future large.
        let is_organiser = auth::has_credentials(head)
            && Box::pin(auth::reader(context, head, need)).await.is_ok();
        if is_organiser {
            Self::Organiser
        } else {
            Self::Anybody
        }
    }
}

/// An announcement as watchers get it.
#[derive(Debug, Serialize)]
pub struct Notice {
    text: String,
    at: Timestamp,
    ends_at: Timestamp,
}

impl From<&Announcement> for Notice {
    fn from(announcement: &Announcement) -> Self {
        Self {
            text: announcement.text.clone(),
            at: announcement.at,
            ends_at: announcement.ends_at,
        }
    }
}

impl Item {
    /// An event with its count and the announcement that is shown now, as `reader` may see it.
    pub async fn new(context: &Context, event: &Event, count: Headcount, reader: Reader) -> Self {
        let announcement = announcement(context, event).await;
        let occasion = &event.occasion;
        Self {
            count,
            title: event.title.clone(),
            description: event.description.clone(),
            opens_at: event.opens_at,
            closes_at: event.closes_at,
            waitlist: event.waitlist,
            max_party_size: event.max_party_size,
            starts_at: occasion.starts_at,
            ends_at: occasion.ends_at,
            time_zone: occasion.time_zone.clone(),
            location: occasion.location.clone(),
            contact: occasion.contact.clone(),
            erase_after_days: event.erase_after,
            proof_of_work: event.proof_of_work,
            public_chart: event.public_chart,
            visibility: event.visibility,
            archived: event.archived,
            mail: context.store.outgoing().mails().then_some(event.mail),
            edits: event.edits,
            for_organiser: match reader {
                Reader::Anybody => None,
                Reader::Organiser => Some(ForOrganiser {
                    online_url: occasion.online_url.clone(),
                }),
            },
            questions: Arc::clone(&event.questions),
            announcement: announcement.as_deref().map(Notice::from),
        }
    }
}

/// `GET /api/v1/events/{slug}/details`
pub(super) async fn get(
    slug: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    let event = find::previewed(&context, &head, &slug).await?;
    let reader = Reader::of(&context, &head, Permission::Read.on(&slug)).await;
    let count = match context.hub.channel_by_id(event.id) {
        Some(channel) => channel.newest().headcount(),
        None => event.headcount(),
    };
    let item = Item::new(&context, &event, count, reader).await;
    if context.hub.is_stale() {
        // No validator, because it may be out of date (docs/protocol.md, section 13).
        return Ok(reply::json(&item));
    }
    let text = reply::text(&item);
    let etag = reply::content_etag(&text);
    Ok(reply::conditional(&head.headers, etag, text))
}

/// The announcement of `event` that is shown now. Each announcement is read from the database once.
/// If it cannot be read, none is shown.
pub async fn announcement(context: &Context, event: &Event) -> Option<Arc<Announcement>> {
    let channel = context.hub.channel_by_id(event.id)?;
    let newest = channel.announced();
    let known = channel.announcement().filter(|known| known.id >= newest);
    if newest > 0 && known.is_none() {
        // Boxed: rare, and large enough to make every request's future large.
        match Box::pin(context.store.announcement(event.id)).await {
            Ok(Some(read)) => channel.remember(read),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, event = %event.slug, "cannot read an announcement; it is not shown");
            }
        }
    }
    channel
        .announcement()
        .filter(|announcement| announcement.is_shown(context.clock.now()))
}
