//! iframe streaming (docs/protocol.md, section 6): an endless HTML document, live without
//! JavaScript.

use std::ops::RangeInclusive;
use std::sync::{Arc, LazyLock};

use futures_util::stream::{Stream, unfold};
use rand::distr::{Alphanumeric, SampleString as _};
use warp::http::{HeaderMap, HeaderValue, StatusCode, header};
use warp::reply::Response;

use super::live::Live;
use super::request::Request;
use super::{headers, meter, refusal};
use crate::context::Shared;
use crate::live::channel::Channel;
use crate::live::presence::Transport;
use crate::live::subscription::{Item, Subscription};
use crate::wire::chunk::Chunk;
use crate::wire::frame::{self as wire, Theme};
use crate::wire::message::{Message, Payload, Reason};

/// A document ends after this many updates and heartbeats, and loads again: without JavaScript it
/// grows while it lasts.
pub const MOST_UPDATES: u32 = 1_000;
/// Seconds from the end of the document until it loads again, drawn for each. Not at once: without
/// JavaScript, a frame that loads while the server restarts shows the browser's error page.
const REFRESH_S: RangeInclusive<u64> = 4..=8;
/// 22 of 62 characters: more than 128 bits (CSP level 3, section 8.1).
const NONCE_LENGTH: usize = 22;

static HEARTBEAT: LazyLock<Chunk> = LazyLock::new(|| Chunk::new(wire::HEARTBEAT));

/// The document's sentences for a request with these headers. The catalogue belongs to the pages,
/// above.
pub type Words = fn(&HeaderMap) -> Sentences;

/// A language's BCP 47 tag, and the document's sentences in it.
#[derive(Debug, Clone)]
pub struct Sentences {
    /// For `lang`.
    pub language: &'static str,
    /// The sentence for a deleted event. Plain text.
    pub gone: String,
    /// The sentence for a silent document. Plain text.
    pub stale: String,
}

/// 404 for a person: a document that reloads itself finds this when its event was deleted.
pub(super) fn nothing(sentences: &Sentences, request: &Request) -> Response {
    let nonce = nonce();
    let mut response = Response::new(
        wire::gone_document(sentences.language, &sentences.gone, &nonce, theme(request)).into(),
    );
    *response.status_mut() = StatusCode::NOT_FOUND;
    let head = response.headers_mut();
    head.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    head.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    protect(head, &nonce);
    response
}

/// The endless document.
pub(super) fn answer(
    context: Shared,
    channel: Arc<Channel>,
    request: &Request,
    sentences: Sentences,
) -> Response {
    let (nonce, theme) = (nonce(), theme(request));
    let newest = channel.newest();
    let refused = refusal::reason(request.head.admission);
    let refresh_s = refused.map_or_else(
        || rand::random_range(REFRESH_S),
        |reason| refusal::retry_ms(reason).div_ceil(1_000),
    );
    let document = wire::head(&wire::Head {
        title: &newest.event.title,
        nonce: &nonce,
        theme,
        refresh_s,
        heartbeat: context.settings.heartbeat,
        language: sentences.language,
        stale: &sentences.stale,
    });

    let mut response = Response::default();
    headers::unbuffered(response.headers_mut(), "text/html; charset=utf-8");
    protect(response.headers_mut(), &nonce);
    if refused.is_some() {
        // The count of this moment, and an end: a frame that is refused is an interval poll.
        let count = newest
            .count
            .message
            .frame()
            .map(Chunk::data)
            .unwrap_or_default();
        *response.body_mut() = [document.as_bytes(), &count].concat().into();
        return response;
    }
    let after = request.after().and_then(Result::ok);
    let subscription = Subscription::open(
        &channel,
        Transport::Frame,
        after.as_ref(),
        context.settings.heartbeat,
    );
    let frame = Frame {
        context,
        channel,
        subscription,
        document: Some(document),
        sentences: Some(sentences),
        updates: 0,
    };
    response.extensions_mut().insert(Live::new(chunks(frame)));
    response
}

fn nonce() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), NONCE_LENGTH)
}

fn theme(request: &Request) -> Theme {
    request.query("theme").map_or(Theme::System, Theme::parse)
}

fn protect(head: &mut HeaderMap, nonce: &str) {
    head.insert(header::CONTENT_SECURITY_POLICY, policy(nonce));
    head.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    head.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
}

/// Only the two elements with the nonce count; anybody may embed it.
fn policy(nonce: &str) -> HeaderValue {
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors *"
    );
    // A nonce consists of letters and digits.
    HeaderValue::try_from(policy).expect("a policy is a header value")
}

struct Frame {
    context: Shared,
    channel: Arc<Channel>,
    subscription: Subscription,
    /// The part before the counts, until it is written.
    document: Option<String>,
    /// The sentence for a deleted event, until it is sent.
    sentences: Option<Sentences>,
    updates: u32,
}

/// It holds only the subscription, and asks for an item when the connection can take it.
fn chunks(frame: Frame) -> impl Stream<Item = Chunk> + Send {
    unfold(frame, |mut frame| async move {
        frame.next().await.map(|chunk| (chunk, frame))
    })
}

impl Frame {
    async fn next(&mut self) -> Option<Chunk> {
        if self.updates >= MOST_UPDATES {
            return None;
        }
        loop {
            let chunk = match self.subscription.next().await? {
                Item::Message(message) => self.render(&message),
                Item::Heartbeat => {
                    self.updates += 1;
                    Some(HEARTBEAT.clone())
                }
                // The document is loaded again once more, and then says the same.
                Item::End {
                    reason: Reason::Deleted,
                    ..
                } => self.sentences.take().map(|sentences| {
                    Chunk::new(wire::gone(sentences.language, &sentences.gone).as_bytes())
                }),
                // Any other farewell shows nothing: the document ends, and is loaded again.
                Item::End { .. } => return None,
            };
            let Some(chunk) = chunk else { continue };
            let Some(mut document) = self.document.take().map(String::into_bytes) else {
                return Some(chunk);
            };
            // One piece, so that the first paint has the number.
            document.extend_from_slice(&chunk.data());
            return Some(Chunk::new(&document));
        }
    }

    fn render(&mut self, message: &Message) -> Option<Chunk> {
        if self.document.is_none() {
            meter::observe(Transport::Frame, &self.context.clock, message);
        }
        // The document shows counts only: when the database goes away, the last one as stale.
        let chunk = match message.payload() {
            Payload::Stale(_) => self.channel.newest().count.message.frame().cloned(),
            Payload::Count(_)
            | Payload::Watching(_)
            | Payload::Notice { .. }
            | Payload::Details { .. }
            | Payload::Bye { .. } => message.frame().cloned(),
        };
        self.updates += u32::from(chunk.is_some());
        chunk
    }
}
