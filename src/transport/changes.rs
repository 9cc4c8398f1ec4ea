//! The change log: every revision in order, as pages of JSON or as an endless event stream; never
//! conflated.

use std::future::ready;

use futures_util::stream::{Stream, StreamExt as _, once, unfold};
use serde::Serialize;
use warp::http::{HeaderValue, header};
use warp::reply::Response;

use super::request::{After, Request};
use super::{refusal, sse};
use crate::context::{Context, Shared};
use crate::domain::change::Change;
use crate::domain::event::Event;
use crate::domain::position::{Position, Revision};
use crate::live::channel::Channel;
use crate::live::log::{self, Entry, Log};
use crate::live::permit::Permit;
use crate::negotiation::accept::{self, Media};
use crate::problem::{Code, Problem};
use crate::store::StoreError;
use crate::wire::chunk::Chunk;
use crate::wire::sse as wire;

/// The longest page, and the default: a client that follows the log wants all of it.
pub const LONGEST_PAGE: u32 = 1_000;
/// Changes that were read together are written together, up to about this many bytes.
const PIECE: usize = 8 * 1024;
/// The client's position is not one of this event's. It has data, because a browser drops an event
/// without data.
const RESET: (&str, &str) = ("reset", "{\"reset\":true}");

/// A page of the log.
#[derive(Serialize)]
struct Page<'a> {
    changes: &'a [Change],
    position: Position,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    reset: bool,
}

/// A page or the stream, as the client prefers. The stream has no pages, but refuses a bad `limit`
/// as well.
pub(super) async fn answer(
    context: Shared,
    channel: &Channel,
    request: &Request,
    permit: Option<Permit>,
) -> Response {
    let answer = match (accept::preferred(&request.head.headers), limit(request)) {
        (Some(_), Err(problem)) => Err(problem),
        (Some(Media::Json), Ok(limit)) => page(&context, channel, request, limit).await,
        (Some(Media::EventStream), Ok(_)) => stream(context, channel, request, permit).await,
        (None, _) => Err(Problem::new(
            Code::NotAcceptable,
            "this address answers application/json or text/event-stream",
        )),
    };
    answer.unwrap_or_else(Problem::into_response)
}

/// `?limit=`.
fn limit(request: &Request) -> Result<u32, Problem> {
    match request.query("limit").map(str::parse::<u32>) {
        None => Ok(LONGEST_PAGE),
        Some(Ok(limit)) if limit > 0 => Ok(limit.min(LONGEST_PAGE)),
        Some(_) => Err(Problem::new(
            Code::BadRequest,
            format!("limit must be a whole number from 1 to {LONGEST_PAGE}"),
        )),
    }
}

async fn page(
    context: &Context,
    channel: &Channel,
    request: &Request,
    limit: u32,
) -> Result<Response, Problem> {
    if let Some(problem) = refusal::problem(request.head.admission) {
        return Err(problem);
    }
    let event = channel.newest().event;
    let (after, reset) = start(context, &event, request.after()).await?;
    let store = context.store_for(request.head.peer);
    let changes = store.changes(&event, after, limit).await?;
    let revision = changes
        .last()
        .map_or(after, |change| change.headcount.revision);
    let page = Page {
        changes: &changes,
        position: Position {
            epoch: event.epoch.clone(),
            revision,
        },
        reset,
    };
    // Plain structs of numbers and strings: serialising them to memory cannot fail.
    let mut response = Response::new(
        serde_json::to_vec(&page)
            .expect("a page is representable as JSON")
            .into(),
    );
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

async fn stream(
    context: Shared,
    channel: &Channel,
    request: &Request,
    permit: Option<Permit>,
) -> Result<Response, Problem> {
    if let Some(reason) = refusal::reason(request.head.admission) {
        return Ok(sse::refuse(&refusal::bye(reason)));
    }
    let event = channel.newest().event;
    // An `EventSource` gives up after an error. While the database is unreachable the stream begins
    // with what is known, and waits.
    let given = request.last_event_id();
    let (after, reset) = start(&context, &event, given.clone())
        .await
        .unwrap_or_else(|_| log::start(&event, given));
    let log = Log::open(
        context.store_for(request.head.peer),
        channel,
        after,
        reset,
        context.settings.heartbeat,
        permit,
    );
    Ok(sse::endless(chunks(log)))
}

/// Where to begin. A position from the future may be a commit of another node that this one has not
/// read yet, so the database is asked first.
async fn start(
    context: &Context,
    event: &Event,
    after: After,
) -> Result<(Revision, bool), StoreError> {
    if let Some(Ok(position)) = &after
        && position.epoch == event.epoch
        && position.revision > event.revision
        && let Some(newest) = context.store.event_by_id(event.id).await?
    {
        return Ok(log::start(&newest, after));
    }
    Ok(log::start(event, after))
}

/// The first bytes are a comment, sent before the log is read: a client that is up to date sees the
/// stream begin.
fn chunks(log: Log) -> impl Stream<Item = Chunk> + Send {
    let opening = once(ready(Chunk::new(wire::HEARTBEAT)));
    let entries = unfold(
        (log, sse::Retry::new()),
        |(mut log, mut retry)| async move {
            let chunk = match log.next().await? {
                Entry::Reset => {
                    let block = wire::block(RESET.0, None, RESET.1);
                    retry.before(Chunk::new(block.as_bytes()))
                }
                Entry::Change(change) => {
                    let mut bytes = wire::change(&change);
                    while bytes.len() < PIECE
                        && let Some(change) = log.read_ahead()
                    {
                        bytes.extend_from_slice(&wire::change(&change));
                    }
                    retry.before(Chunk::new(&bytes))
                }
                Entry::Item(item) => sse::render(item, &mut retry),
            };
            Some((chunk, (log, retry)))
        },
    );
    opening.chain(entries)
}
