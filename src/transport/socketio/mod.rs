//! Socket.IO v5 over Engine.IO v4 (docs/protocol.md, section 7): a layer around the
//! routes, since a session lives through many requests and connections.
//!
//! Owns which request belongs to which session ([`sessions`]) and the answers of the engine's HTTP
//! half. A session without a poll under way has no task, no timer and no queue.

mod answers;
mod conversation;
mod deadlines;
mod session;
mod sessions;
mod websocket;

use std::future::{Future, poll_fn, ready};
use std::net::{IpAddr, Ipv4Addr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use http_body::Body;
use http_body_util::{BodyExt as _, Either, Full};
use hyper::upgrade::OnUpgrade;
use rand::distr::{Alphanumeric, SampleString as _};
use tokio::time::{Instant, sleep_until, timeout};
use tower_layer::Layer;
use tower_service::Service;
use warp::http::request::Parts;
use warp::http::{HeaderValue, Method, Request, Response, header};

use self::answers::{
    Answer, BAD_METHOD, BAD_REQUEST, UNKNOWN_SESSION, UNKNOWN_TRANSPORT, UNKNOWN_VERSION, finish,
    preflight, problem_answer, refuse, text, unmet_answer,
};
use self::conversation::Conversation;
use self::session::{Found, HeldPoll, Session};
use self::sessions::{SessionGuard, Sessions};
use super::refusal;
use super::websocket::{handshake, raise, switch};
use crate::context::in_flight::InFlight;
use crate::context::subscriber::subscriber;
use crate::context::{Admission, Peer, Shared};
use crate::problem::{Code, Problem};
use crate::trace;
use crate::wire::engineio;

pub use self::deadlines::{PING_EVERY, PONG_WITHIN};
pub use self::sessions::Limits;

/// Its path, the client's default.
pub const PATH: &str = "/socket.io";
/// The largest body or message of a client, bytes.
pub const LARGEST_MESSAGE: usize = 4 * 1024;
/// Any connection can send the largest body in this time. A slower client keeps the connection open
/// on purpose.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// 20 of 62 characters: a session cannot be guessed.
const SID_LENGTH: usize = 20;

type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// The layer; everything outside of [`PATH`] passes it untouched. Its sessions follow their events
/// like every other watcher, and so the drain reaches them.
pub fn layer(context: Shared, limits: Limits) -> SocketIoLayer {
    SocketIoLayer(Engine {
        context,
        sessions: Arc::new(Sessions::new(limits)),
    })
}

/// See [`layer`].
#[derive(Clone)]
pub struct SocketIoLayer(Engine);

impl<S> Layer<S> for SocketIoLayer {
    type Service = SocketIoService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SocketIoService {
            engine: self.0.clone(),
            inner,
        }
    }
}

/// Routes with Socket.IO in front.
#[derive(Clone)]
pub struct SocketIoService<S> {
    engine: Engine,
    inner: S,
}

impl<S, Q, B> Service<Request<Q>> for SocketIoService<S>
where
    S: Service<Request<Q>, Response = Response<B>, Future: Send + 'static>,
    Q: Body<Data: Send, Error: Send> + Send + 'static,
{
    type Response = Response<Either<B, Full<Bytes>>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let rest = request.uri().path().strip_prefix(PATH);
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            let answering = self.engine.answer(request);
            Box::pin(async { Ok(finish(answering.await).map(Either::Right)) })
        } else {
            let answering = self.inner.call(request);
            Box::pin(async { Ok(answering.await?.map(Either::Left)) })
        }
    }
}

/// The server's half of Engine.IO.
#[derive(Clone)]
struct Engine {
    context: Shared,
    sessions: Arc<Sessions>,
}

/// The query of a session's request.
enum Carrier {
    Polling,
    WebSocket,
}

impl Engine {
    /// The poll is taken before its answer is awaited. When the client's FIN has come with the
    /// request, hyper drops the answer unpolled, and then the session must end.
    fn answer<Q>(&self, request: Request<Q>) -> Answering
    where
        Q: Body<Data: Send, Error: Send> + Send + 'static,
    {
        let (parts, body) = request.into_parts();
        if parts.method == Method::OPTIONS {
            return Box::pin(ready(preflight()));
        }
        let (carrier, session) = match self.find(&parts) {
            Ok(found) => found,
            Err(answer) => return Box::pin(ready(*answer)),
        };
        // A method that the request cannot have is refused first.
        let takes = match (&carrier, &session) {
            (Carrier::Polling, Some(_)) => [Method::GET, Method::POST].contains(&parts.method),
            (Carrier::Polling, None) | (Carrier::WebSocket, _) => parts.method == Method::GET,
        };
        if takes && let Some(unmet) = refusal::precondition(&parts.method, &parts.headers) {
            return Box::pin(ready(unmet_answer(unmet)));
        }
        match (carrier, &parts.method, session) {
            (Carrier::Polling, &Method::GET, Some(session)) => {
                self.poll(session, parts.extensions.get::<InFlight>().cloned())
            }
            (Carrier::Polling, &Method::POST, Some(session)) => {
                Box::pin(post(Arc::clone(&self.sessions), session, body))
            }
            (Carrier::Polling, &Method::GET, None) => Box::pin(ready(self.open(&parts))),
            (Carrier::WebSocket, &Method::GET, session) => {
                Box::pin(ready(self.upgrade(&parts, session)))
            }
            (Carrier::Polling | Carrier::WebSocket, _, None) => Box::pin(ready(refuse(BAD_METHOD))),
            (Carrier::Polling | Carrier::WebSocket, _, Some(_)) => {
                Box::pin(ready(refuse(BAD_REQUEST)))
            }
        }
    }

    /// Reads the query; the session is none for a request that opens one.
    fn find(&self, parts: &Parts) -> Result<(Carrier, Option<Arc<Session>>), Box<Answer>> {
        let query: Vec<(String, String)> =
            serde_urlencoded::from_str(parts.uri.query().unwrap_or_default()).unwrap_or_default();
        let value = |name: &str| {
            let mut pairs = query.iter();
            pairs
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
        };
        if value("EIO") != Some("4") {
            return Err(Box::new(refuse(UNKNOWN_VERSION)));
        }
        let carrier = match value("transport") {
            Some("polling") => Carrier::Polling,
            Some("websocket") => Carrier::WebSocket,
            _ => return Err(Box::new(refuse(UNKNOWN_TRANSPORT))),
        };
        let Some(sid) = value("sid") else {
            return Ok((carrier, None));
        };
        match self.sessions.get(sid) {
            Some(session) => Ok((carrier, Some(session))),
            None => Err(Box::new(refuse(UNKNOWN_SESSION))),
        }
    }

    /// A new session; a problem over a limit. A client that has a session goes on, whatever
    /// connection its next request comes by.
    fn admit(
        &self,
        parts: &Parts,
        session: impl FnOnce(String, IpAddr) -> Session,
    ) -> Result<Arc<Session>, Problem> {
        let admission = parts.extensions.get::<Admission>().copied();
        if let Some(problem) = admission.and_then(refusal::problem) {
            return Err(problem);
        }
        // Only tests run without a server below, which adds the peer.
        let peer = parts.extensions.get::<Peer>();
        let address = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip);
        let sid = Alphanumeric.sample_string(&mut rand::rng(), SID_LENGTH);
        let session = session(sid, subscriber(address));
        self.sessions.open(session).ok_or_else(|| {
            refusal::busy("too many Socket.IO sessions are open; send the request again later")
        })
    }

    fn first(session: &Session, upgrades: &[&str]) -> engineio::Packet {
        engineio::open(
            &session.sid,
            upgrades,
            PING_EVERY,
            PONG_WITHIN,
            LARGEST_MESSAGE,
        )
    }

    fn open(&self, parts: &Parts) -> Answer {
        let conversation = Conversation::new(Shared::clone(&self.context));
        match self.admit(parts, |sid, owner| {
            Session::polling(sid, owner, conversation)
        }) {
            Ok(session) => text(engineio::payload(&[Self::first(&session, &["websocket"])])),
            Err(problem) => problem_answer(problem),
        }
    }

    fn poll(&self, session: Arc<Session>, in_flight: Option<InFlight>) -> Answering {
        if session.begin_poll().is_err() {
            return Box::pin(ready(refuse(BAD_REQUEST)));
        }
        let held = HeldPoll::new(Arc::clone(&session));
        let sessions = Arc::clone(&self.sessions);
        Box::pin(async move {
            let Found { packets, last } = wait(&session, in_flight).await;
            held.answered();
            if last || session.is_closed() {
                sessions.remove(&session);
            }
            text(engineio::payload(&packets))
        })
    }

    /// 101 for a session's WebSocket, its first or the one that it moves to.
    fn upgrade(&self, parts: &Parts, session: Option<Arc<Session>>) -> Answer {
        let upgrade = parts.extensions.get::<OnUpgrade>();
        let Ok((accept, upgrade)) = handshake(&parts.headers, upgrade) else {
            return refuse(BAD_REQUEST);
        };
        let sessions = Arc::clone(&self.sessions);
        if let Some(session) = session {
            trace::spawn(async move {
                if let Some(io) = raise(upgrade).await {
                    websocket::upgrade(io, sessions, session).await;
                }
            });
        } else {
            let session = match self.admit(parts, Session::websocket) {
                Ok(session) => session,
                Err(problem) => return problem_answer(problem),
            };
            let conversation = Conversation::new(Shared::clone(&self.context));
            let first = Self::first(&session, &[]);
            let guard = SessionGuard::new(sessions, session);
            trace::spawn(async move {
                if let Some(io) = raise(upgrade).await {
                    websocket::open(io, first, conversation).await;
                }
                drop(guard);
            });
        }
        let mut answer = Response::default();
        switch(&mut answer, accept);
        answer
    }
}

/// Waits for packets, and meanwhile for the session's deadlines. A held poll is in flight no longer:
/// a session has one at most, and the limits of sessions count it.
async fn wait(session: &Session, in_flight: Option<InFlight>) -> Found {
    let packets = |cx: &mut Context<'_>| {
        let found = session.poll_packets(cx);
        if let (Poll::Pending, Some(in_flight)) = (&found, &in_flight) {
            in_flight.release();
        }
        found
    };
    loop {
        tokio::select! {
            found = poll_fn(packets) => return found,
            // A session that has ended by this has a packet that says so.
            () = sleep_until(session.due()) => drop(session.check(Instant::now())),
        }
    }
}

/// Takes the packets of a body.
async fn post<Q>(sessions: Arc<Sessions>, session: Arc<Session>, body: Q) -> Answer
where
    Q: Body<Data: Send, Error: Send> + Send + 'static,
{
    let answer = match timeout(BODY_WITHIN, read(body)).await {
        Ok(Ok(body)) => match std::str::from_utf8(&body) {
            Ok(body) if engineio::packets(body).all(|packet| session.receive(packet).is_ok()) => {
                return text(Bytes::from_static(b"ok"));
            }
            Ok(_) | Err(_) => refuse(BAD_REQUEST),
        },
        Ok(Err(problem)) => problem_answer(problem),
        Err(_) => {
            let detail = "the body took longer than 10 seconds to arrive";
            let mut answer = problem_answer(Problem::new(Code::BadRequest, detail));
            // What else comes on this connection may be the rest of the body.
            answer
                .headers_mut()
                .insert(header::CONNECTION, HeaderValue::from_static("close"));
            answer
        }
    };
    // A packet is lost, or was none.
    session.close();
    sessions.remove(&session);
    answer
}

async fn read<Q: Body>(body: Q) -> Result<Bytes, Problem> {
    let mut body = pin!(body);
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Err(Problem::new(Code::BadRequest, "the body ended early"));
        };
        let Ok(mut data) = frame.into_data() else {
            continue;
        };
        if all.len() + data.remaining() > LARGEST_MESSAGE {
            let detail = format!("the body may have {LARGEST_MESSAGE} bytes at most");
            return Err(Problem::new(Code::BodyTooLarge, detail));
        }
        all.extend_from_slice(&data.copy_to_bytes(data.remaining()));
    }
    Ok(all.freeze())
}
