//! The transports, one file or folder each.
//!
//! A transport takes items from its subscription, renders them by `wire`, and writes the bytes. It
//! owns no query, no queue and no heartbeat policy. An endless answer leaves here as a
//! [`live::Live`] in the response's extensions; the connection's driver writes it.

pub mod changes;
pub mod frame;
pub mod headers;
pub mod live;
pub mod long_poll;
pub mod meter;
pub mod ndjson;
pub mod poll;
mod preview;
mod refusal;
mod request;
pub mod socketio;
pub mod sse;
pub mod websocket;
pub mod webtransport;

use std::sync::Arc;

use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::{HeaderValue, Method, header};
use warp::reply::Response;

pub use self::preview::Preview;
use self::request::{Request, request};
use crate::context::Shared;
use crate::live::channel::Channel;
use crate::live::permit::Permit;
use crate::live::presence::Transport;
use crate::negotiation::accept::{self, Media};
use crate::problem::{Code, Problem};

/// Every live `GET` (and `HEAD`) below `/api/v1/events/{slug}`; `words` are what a frame says at
/// the end of its event.
pub fn routes(context: Shared, words: frame::Words, preview: Preview) -> BoxedFilter<(Response,)> {
    let event = || warp::path!("api" / "v1" / "events" / String / ..).boxed();
    let here = event()
        .and(warp::path::end())
        .map(|slug| (slug, Transport::Poll))
        .boxed();
    let below = |segment: &'static str, transport| {
        event()
            .and(warp::path(segment))
            .and(warp::path::end())
            .map(move |slug| (slug, transport))
            .boxed()
    };
    here.or(below("stream", Transport::Sse))
        .unify()
        .or(below("ws", Transport::WebSocket))
        .unify()
        .or(below("frame", Transport::Frame))
        .unify()
        .or(below("changes", Transport::Changes))
        .unify()
        .and(warp::get().or(warp::head()).unify())
        .and(request())
        .then(
            move |(slug, transport): (String, Transport), request: Request| {
                let context = context.clone();
                async move {
                    let channel = channel(&context, &slug, transport, preview, &request).await;
                    let mut response = match channel {
                        Ok(channel) => {
                            serve(context, channel, words, &slug, transport, request).await
                        }
                        Err(problem) => problem.into_response(),
                    };
                    if let Some(fields) = varies_by(transport) {
                        let fields = HeaderValue::from_static(fields);
                        response.headers_mut().insert(header::VARY, fields);
                    }
                    response
                }
            },
        )
        .boxed()
}

/// The request fields that choose between an address's variants. Every answer names them, also a
/// refusal: a cache must not give one client's variant to another (RFC 9110, section 12.5.5).
fn varies_by(transport: Transport) -> Option<&'static str> {
    match transport {
        Transport::Poll | Transport::LongPoll => Some("Accept, Prefer"),
        Transport::Changes | Transport::Sse | Transport::Ndjson => Some("Accept"),
        // A deleted event's frame answers in the visitor's language, or with a problem document
        // where HTML is not preferred.
        Transport::Frame => Some("Accept, Accept-Language, Cookie"),
        Transport::WebSocket | Transport::WebTransport | Transport::SocketIo => None,
    }
}

/// The event, if the sender of the request may follow it, and for how long. Credentials are checked
/// for a draft and for an unknown event alike, so that a refusal of them does not tell which it is.
async fn channel(
    context: &Shared,
    slug: &str,
    transport: Transport,
    preview: Preview,
    request: &Request,
) -> Result<Option<(Arc<Channel>, Option<Permit>)>, Problem> {
    if let Some(channel) = request::channel(context, slug) {
        return Ok(Some((channel, None)));
    }
    // Any site's page can open these with an organiser's cookie, and read them.
    if matches!(transport, Transport::WebSocket | Transport::Frame) {
        return Ok(None);
    }
    let head = &request.head;
    let is_allowed = preview(Arc::clone(context), head.clone(), slug.to_owned()).await?;
    let draft = request::any_channel(context, slug).filter(|_| is_allowed);
    Ok(draft.map(|draft| {
        let permit = preview::permit(Arc::clone(context), &draft, preview, head.clone());
        (draft, Some(permit))
    }))
}

async fn serve(
    context: Shared,
    channel: Option<(Arc<Channel>, Option<Permit>)>,
    words: frame::Words,
    slug: &str,
    transport: Transport,
    request: Request,
) -> Response {
    let Some((channel, permit)) = channel else {
        if transport == Transport::Frame && accept::prefers_html(&request.head.headers) {
            return frame::nothing(&words(&request.head.headers), &request);
        }
        return Problem::event_not_found(slug).into_response();
    };
    match transport {
        Transport::Poll | Transport::LongPoll => match accept::preferred(&request.head.headers) {
            Some(Media::Json) => {
                if let Some(problem) = refusal::problem(request.head.admission) {
                    return problem.into_response();
                }
                let known = request.known();
                match request.wait().filter(|_| request.method == Method::GET) {
                    Some(wait_s) => {
                        let client = long_poll::Client {
                            known,
                            wait_s,
                            in_flight: request.in_flight,
                            permit,
                        };
                        long_poll::answer(&channel, &context.clock, slug, client).await
                    }
                    None => poll::answer(&channel.newest(), known.as_ref()),
                }
            }
            // Many try `new EventSource("/api/v1/events/…")` first.
            Some(Media::EventStream) => sse::answer(context, &channel, &request, permit),
            None => Problem::new(
                Code::NotAcceptable,
                "this address answers application/json or text/event-stream",
            )
            .into_response(),
        },
        Transport::Changes => changes::answer(context, &channel, &request, permit).await,
        Transport::WebSocket => websocket::answer(&context, &channel, &request),
        Transport::Frame => frame::answer(context, channel, &request, words(&request.head.headers)),
        Transport::Sse | Transport::Ndjson if accept::prefers_lines(&request.head.headers) => {
            ndjson::answer(context, &channel, &request, permit)
        }
        // Socket.IO has an address of its own, WebTransport a listener; neither comes here.
        Transport::Sse | Transport::Ndjson | Transport::SocketIo | Transport::WebTransport => {
            sse::answer(context, &channel, &request, permit)
        }
    }
}
