//! Socket.IO v5 (docs/protocol.md, sections 7 and 13.8): a layer around the routes, since the engine below answers whole
//! requests and takes over connections by itself. What is said on an open socket is [`talk`]'s.

mod outbox;
mod sessions;
mod talk;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use engineioxide::config::EngineIoConfig;
use engineioxide::handler::EngineIoHandler;
use engineioxide::layer::EngineIoLayer;
use engineioxide::service::EngineIoService;
use engineioxide::socket::Sid;
use engineioxide::{DisconnectReason, Socket, Str};
use http_body_util::{Either, Full};
use tokio::sync::mpsc;
use tower_layer::Layer;
use tower_service::Service;
use warp::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header};

use self::sessions::Sessions;
use super::{headers, refusal};
use crate::context::{Admission, Shared};

/// Where it answers; the client's default.
pub const PATH: &str = "/socket.io";
/// The largest request or message of a client, bytes.
pub const LARGEST_MESSAGE: usize = 4 * 1024;
/// Packets of the client that may wait to be looked at.
const INBOX: usize = 16;
/// The engine's ping. A client that leaves between two polls is found out by nothing else.
pub const PING_EVERY: Duration = Duration::from_secs(25);
/// See [`PING_EVERY`].
pub const PONG_WITHIN: Duration = Duration::from_secs(20);

/// What the engine reads of a request. It keeps the head for as long as the client stays, and a browser's is a kilobyte.
const KEPT: [HeaderName; 7] = [
    header::CONNECTION,
    header::UPGRADE,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_VERSION,
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
];

/// The layer; everything outside of [`PATH`] passes it untouched. Its sockets follow their events like every other watcher, and
/// so they are told of the drain and end by themselves.
pub fn layer(context: Shared) -> SocketIoLayer {
    let config = EngineIoConfig::builder()
        .req_path(PATH)
        .ping_interval(PING_EVERY)
        .ping_timeout(PONG_WITHIN)
        .max_buffer_size(outbox::PLACES)
        .max_payload(LARGEST_MESSAGE as u64)
        .ws_read_buffer_size(1024)
        .ws_max_message_size(LARGEST_MESSAGE)
        .ws_max_frame_size(LARGEST_MESSAGE)
        .build();
    let sessions = Arc::new(Sessions::default());
    let handler = Handler {
        context,
        sessions: Arc::clone(&sessions),
    };
    SocketIoLayer {
        engine: EngineIoLayer::from_config(Arc::new(handler), config),
        sessions,
    }
}

/// See [`layer`].
#[derive(Debug, Clone)]
pub struct SocketIoLayer {
    engine: EngineIoLayer<Handler>,
    sessions: Arc<Sessions>,
}

impl<S: Clone> Layer<S> for SocketIoLayer {
    type Service = SocketIoService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SocketIoService {
            engine: self.engine.layer(inner),
            sessions: Arc::clone(&self.sessions),
        }
    }
}

/// Routes with Socket.IO in front.
#[derive(Debug, Clone)]
pub struct SocketIoService<S> {
    engine: EngineIoService<Handler, S>,
    sessions: Arc<Sessions>,
}

impl<S: Clone, Q, B, E> Service<Request<Q>> for SocketIoService<S>
where
    EngineIoService<Handler, S>: Service<Request<Q>, Response = Response<B>, Error = E>,
    <EngineIoService<Handler, S> as Service<Request<Q>>>::Future: Send + 'static,
{
    type Response = Response<Either<B, Full<Bytes>>>;
    type Error = E;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, E>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        self.engine.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Q>) -> Self::Future {
        let ours = request
            .uri()
            .path()
            .strip_prefix(PATH)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if ours && let Some(answer) = answer(&request) {
            return Box::pin(async { Ok(answer.map(Either::Right)) });
        }
        if ours {
            strip(request.headers_mut());
        }
        let poll = (ours && request.method() == Method::GET)
            .then(|| sid(&request))
            .flatten()
            .map(|sid| self.sessions.polling(sid));
        let engine = self.engine.call(request);
        Box::pin(async move {
            let mut response = engine.await?;
            if let Some(poll) = poll {
                poll.answered();
            }
            if ours {
                headers::open(response.headers_mut());
                response
                    .headers_mut()
                    .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            }
            Ok(response.map(Either::Left))
        })
    }
}

/// What is answered without the engine.
fn answer<Q>(request: &Request<Q>) -> Option<Response<Full<Bytes>>> {
    if request.method() == Method::OPTIONS {
        let (mut parts, _) = headers::preflight().into_parts();
        // A client that sends headers of its own asks before it posts its packets.
        parts.headers.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, POST, OPTIONS"),
        );
        parts.headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("Content-Type"),
        );
        return Some(Response::from_parts(parts, Full::default()));
    }
    // Only a new client is refused: one that is here goes on, whatever connection its next request comes by.
    let new = parameter(request, "sid").is_none();
    let admission = request
        .extensions()
        .get::<Admission>()
        .copied()
        .filter(|_| new)?;
    let problem = refusal::problem(admission)?;
    let document = problem.document().to_string();
    let (mut parts, _) = problem.into_response().into_parts();
    headers::open(&mut parts.headers);
    Some(Response::from_parts(parts, Full::from(document)))
}

/// The session of a request that is not its first.
fn sid<Q>(request: &Request<Q>) -> Option<Sid> {
    parameter(request, "sid")?.parse().ok()
}

fn parameter<'a, Q>(request: &'a Request<Q>, name: &str) -> Option<&'a str> {
    let pairs = request.uri().query().unwrap_or_default().split('&');
    pairs
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

fn strip(headers: &mut HeaderMap) {
    let mut kept = HeaderMap::with_capacity(KEPT.len());
    for name in KEPT {
        if let Some(value) = headers.remove(&name) {
            kept.insert(name, value);
        }
    }
    *headers = kept;
}

/// Brings the engine's calls to each socket's own task.
#[derive(Debug, Clone)]
pub struct Handler {
    context: Shared,
    sessions: Arc<Sessions>,
}

/// What belongs to a socket: the way to its task, which ends when this is gone.
#[derive(Debug, Default)]
pub struct Client(Mutex<Option<mpsc::Sender<Str>>>);

impl Client {
    // Held for these few instructions, over no await.
    fn set(&self, inbox: Option<mpsc::Sender<Str>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = inbox;
    }

    /// Whether there was a place for it.
    fn put(&self, packet: Str) -> bool {
        let inbox = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inbox
            .as_ref()
            .is_some_and(|inbox| inbox.try_send(packet).is_ok())
    }
}

impl EngineIoHandler for Handler {
    type Data = Client;

    fn on_connect(self: Arc<Self>, socket: Arc<Socket<Client>>) {
        let (packets, inbox) = mpsc::channel(INBOX);
        socket.data.set(Some(packets));
        self.sessions.enter(&socket);
        tokio::spawn(talk::talk(self.context.clone(), socket, inbox));
    }

    fn on_disconnect(&self, socket: Arc<Socket<Client>>, _: DisconnectReason) {
        socket.data.set(None);
        self.sessions.leave(socket.id);
    }

    fn on_message(self: &Arc<Self>, packet: Str, socket: Arc<Socket<Client>>) {
        if !socket.data.put(packet) {
            socket.close(DisconnectReason::PacketParsingError);
        }
    }

    fn on_binary(self: &Arc<Self>, _: Bytes, socket: Arc<Socket<Client>>) {
        socket.close(DisconnectReason::PacketParsingError);
    }
}
