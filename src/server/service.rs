//! Between hyper and the application: adds the client's address and whether it is within the
//! limits, and chooses how the answer leaves.

use std::future::{Future, poll_fn, ready};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_util::future::Either;
use http::header::{CONNECTION, STRICT_TRANSPORT_SECURITY};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Body as _;
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::task::futures::TaskLocalFuture;
use tower_service::Service;
use tracing::Instrument as _;

use super::application::Application;
use super::body::{Body, Kind, OpenStream, Paced, RequestGuards, Streaming, Unanswered};
use super::config::Demand;
use super::connection::Server;
use super::handoff::{Answer, Link};
use super::head::{self, Rejected};
use super::limits::{Limit, RequestPermit};
use super::linger::RequestBody;
use super::load::{Load, UnsentBytes, may_ask};
use super::proxy;
use super::refusal::{self, NoAnswer, Unread};
use super::version::Claimed;
use crate::context::{Admission, Peer};
use crate::trace::{self, Trace, Traces};
use crate::transport::live::Live;

/// A browser that has used TLS uses only TLS for a year (RFC 6797). Subdomains may belong to
/// others, so they are not included.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");
/// HTTP/1 takes an answer of up to this many bytes from the body at once, so there is nothing to
/// count.
const TAKEN_AT_ONCE: usize = 16 * 1024;
/// For an answer whose length is not known before its end: what its next frame may have.
const FRAME: usize = 64 * 1024;

/// The application as one connection sees it.
pub(super) struct Exchange<S> {
    pub(super) app: S,
    pub(super) server: Arc<Server>,
    pub(super) link: Arc<Link>,
    pub(super) addr: SocketAddr,
    /// The peer is a trusted proxy.
    pub(super) proxied: bool,
    pub(super) tls: bool,
    /// The limit that the connection exceeds.
    pub(super) over: Option<Limit>,
    /// The requests in flight of the connection's address.
    pub(super) load: Load,
}

/// The client, and what its request holds.
struct Judgement {
    peer: Peer,
    admission: Admission,
    guards: RequestGuards,
    load: Load,
    demand: Demand,
    /// Too many requests are in flight.
    crowded: bool,
}

impl Judgement {
    /// Whether the server refuses the request itself. The application refuses a live view, so that
    /// an `EventSource` comes back: it gives up for good on a status other than 200.
    fn is_refused(&self, unsent: &AtomicUsize) -> bool {
        match self.demand {
            Demand::Probe => false,
            Demand::Live => !may_ask(unsent, &self.load.unsent),
            Demand::Ordinary => self.crowded || !may_ask(unsent, &self.load.unsent),
        }
    }
}

/// What becomes of a request.
type Outcome<S> = Result<
    Response<Body<<S as Application>::Body>>,
    NoAnswer<<S as Service<Request<RequestBody>>>::Error>,
>;

/// The work on a request.
type Answering<S> = Pin<Box<dyn Future<Output = Outcome<S>> + Send>>;

impl<S: Application> hyper::service::Service<Request<Incoming>> for Exchange<S> {
    type Response = Response<Body<S::Body>>;
    type Error = NoAnswer<S::Error>;
    type Future = TaskLocalFuture<Traces, Answering<S>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let trace = Trace::of_request(request.headers());
        trace.scope(trace.enter(|| self.answer(request, trace)))
    }
}

impl<S: Application> Exchange<S> {
    fn answer(&self, request: Request<Incoming>, trace: Trace) -> Answering<S> {
        let (unanswered, others) = Unanswered::new(&self.link);
        let (http11, http2) = (
            request.version() == Version::HTTP_11,
            request.version() == Version::HTTP_2,
        );
        self.link.http11.store(http11, Ordering::Relaxed);
        self.link.http2.store(http2, Ordering::Relaxed);
        let claimed = self.link.claimed();
        let mut request = request.map(|incoming| RequestBody::new(incoming, &self.link));
        let accepted = match claimed {
            Claimed::OtherMajor => Err(Rejected::Version),
            Claimed::Known | Claimed::LaterMinor => head::normalise(&mut request),
        };
        if let Err(rejected) = accepted {
            let response = head::answer(rejected, request.method());
            let guards = RequestGuards::new(unanswered, None, None, None);
            return Box::pin(async move { Ok(own(response, guards)) });
        }
        let mut judgement = self.judge(&request, unanswered, http2, http2 && others);
        if judgement.crowded {
            let Some(unread) = Unread::count(&self.link) else {
                return Box::pin(ready(Err(NoAnswer::Refused)));
            };
            judgement.guards = judgement.guards.of_refusal(unread);
        }
        if judgement.is_refused(&self.link.unsent) {
            let (method, guards) = (request.method().clone(), judgement.guards);
            // Created in the stream's own task, whose deadline then covers its body.
            return Box::pin(async move { Ok(own(refusal::REQUESTS.answer(&method), guards)) });
        }
        request.extensions_mut().insert(judgement.peer);
        request.extensions_mut().insert(judgement.admission);
        if let Some(in_flight) = judgement.guards.in_flight() {
            request.extensions_mut().insert(in_flight.clone());
        }
        let path = ResponsePath {
            link: Arc::clone(&self.link),
            server: Arc::clone(&self.server),
            method: request.method().clone(),
            // HTTP/1.0 knows no chunks; a request's body would still be on its way; a connection
            // over a limit keeps hyper's deadline.
            may_hand_off: self.server.config.handoff
                && http11
                && request.body().is_end_stream()
                && judgement.admission != Admission::OverLimit,
            http2,
            closes: (self.over.is_some() && http11) || claimed == Claimed::LaterMinor,
            secure: judgement.peer.secure,
            proxied: self.proxied,
            guards: judgement.guards,
            unsent: (judgement.demand != Demand::Probe).then_some(judgement.load.unsent),
        };
        let route = || (self.server.config.route)(request.uri().path());
        let span = trace::of_request(trace, request.method(), route);
        let mut app = self.app.clone();
        // Called now, not when the answer is first polled. If the client's FIN comes with the
        // request, hyper drops the answer without polling it. The application must still get the
        // request.
        let calling = match app.poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => Either::Left(span.in_scope(|| app.call(request))),
            Poll::Ready(Err(error)) => {
                return Box::pin(ready(Err(NoAnswer::Application(error))));
            }
            Poll::Pending => Either::Right(async move {
                poll_fn(|cx| app.poll_ready(cx)).await?;
                app.call(request).await
            }),
        };
        let calling = calling.instrument(span.clone());
        Box::pin(async move {
            let answer = calling.await.map_err(NoAnswer::Application)?;
            trace::status(&span, answer.status());
            Ok(path.send(answer))
        })
    }
}

impl<S> Exchange<S> {
    fn judge(
        &self,
        request: &Request<RequestBody>,
        unanswered: Unanswered,
        http2: bool,
        beside_others: bool,
    ) -> Judgement {
        let trusted = &self.server.config.trusted_proxies;
        let ip = if self.proxied {
            proxy::client(self.addr.ip(), request.headers(), trusted)
        } else {
            self.addr.ip().to_canonical()
        };
        let peer = Peer {
            ip,
            secure: self.tls || (self.proxied && proxy::says_https(request.headers())),
        };
        // The connection's permit is that of its first stream; each further one takes its own.
        let demand = (self.server.config.demand)(request.method(), request.uri().path());
        let live = http2 && demand == Demand::Live;
        let (stream, another) = live.then(|| OpenStream::new(&self.link)).unzip();
        let admitted = self.admit(ip, another.unwrap_or(false));
        let is_over = admitted.is_err();
        let (permit, load) = admitted.ok().flatten().unzip();
        let load = load.unwrap_or_else(|| self.load.clone());
        // Whether the answer is a stream shows only later.
        let counted = match demand {
            Demand::Probe => false,
            Demand::Live | Demand::Ordinary => beside_others,
        };
        let in_flight = counted.then(|| self.server.requests.begin(&load));
        let crowded = matches!(in_flight, Some(None));
        if crowded {
            self.server.meters.refused(Limit::Requests);
        }
        let admission = if is_over || crowded {
            Admission::OverLimit
        } else if self.server.is_draining() {
            Admission::Draining
        } else {
            Admission::Admitted
        };
        Judgement {
            peer,
            admission,
            guards: RequestGuards::new(unanswered, stream, in_flight.flatten(), permit),
            load,
            demand,
            crowded,
        }
    }

    /// The request's own permit, if it needs one.
    fn admit(&self, ip: IpAddr, another: bool) -> Result<Option<(RequestPermit, Load)>, Limit> {
        if let Some(limit) = self.over {
            return Err(limit);
        }
        let trusted = &self.server.config.trusted_proxies;
        // A trusted proxy that names no client sends a request of its own, such as a health check:
        // it has no limit.
        let counted_by_request = self.proxied && !proxy::is_trusted(ip, trusted);
        if !counted_by_request && !another {
            return Ok(None);
        }
        let address = (counted_by_request || !self.proxied).then_some(ip);
        self.server
            .limiter
            .admit_request(address, another)
            .map(Some)
    }
}

/// An answer of the server's own.
fn own<B>(response: Response<Full<Bytes>>, guards: RequestGuards) -> Response<Body<B>> {
    response.map(|body| Body::new(Kind::Own(Paced::new(body, None)), guards))
}

/// How an answer leaves.
struct ResponsePath {
    link: Arc<Link>,
    server: Arc<Server>,
    method: Method,
    may_hand_off: bool,
    http2: bool,
    /// The connection closes after this answer, unless it changes to another protocol.
    closes: bool,
    /// The client uses TLS.
    secure: bool,
    proxied: bool,
    guards: RequestGuards,
    /// What the address leaves unread; `None` for a probe, which is not counted.
    unsent: Option<Arc<AtomicUsize>>,
}

impl ResponsePath {
    fn send<B>(mut self, mut response: Response<B>) -> Response<Body<B>>
    where
        B: http_body::Body,
    {
        if self.secure {
            response
                .headers_mut()
                .entry(STRICT_TRANSPORT_SECURITY)
                .or_insert(HSTS);
        }
        // A HEAD must not start a stream, because nothing would end it (RFC 9110, section 9.3.2).
        // The stream is dropped with the extensions.
        let chunks = response
            .extensions_mut()
            .remove::<Live>()
            .filter(|_| self.method == Method::GET)
            .and_then(|live| live.take());
        let Some(chunks) = chunks else {
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                self.link.keep_across_upgrade(self.guards.take_permit());
            } else if self.closes() {
                close(&mut response);
            }
            return match self.count(&response) {
                Ok(unsent) => response
                    .map(|body| Body::new(Kind::Ordinary(Paced::new(body, unsent)), self.guards)),
                Err(TooMuchUnread) => own(refusal::UNREAD.answer(&self.method), self.guards),
            };
        };
        self.guards.becomes_stream();
        let kind = if self.may_hand_off {
            // Requests pipelined behind this one are never answered, and `close` tells the client
            // so (RFC 9112, section 9.6).
            close(&mut response);
            self.link.park(Answer {
                chunks,
                permit: self.guards.take_permit(),
            });
            Kind::Parked(self.link)
        } else {
            if self.closes {
                close(&mut response);
            }
            let paced_by = (!self.http2).then_some(self.link);
            Kind::Streaming(Streaming::new(chunks, paced_by))
        };
        response.map(|_| Body::new(kind, self.guards))
    }

    /// Whether this answer is the connection's last.
    fn closes(&self) -> bool {
        // At a drain, a proxy's connection finishes its requests before it closes; further requests
        // go elsewhere.
        self.closes
            || (!self.http2 && self.server.is_draining())
            // The rest of the request's body is still on its way, and will not be read: no request
            // can follow (RFC 9112, section 9.3).
            || self.link.unread.load(Ordering::Relaxed)
    }

    /// Counts the bytes that the client has not read. A client that leaves too much unread is
    /// refused.
    fn count<B: http_body::Body>(
        &self,
        response: &Response<B>,
    ) -> Result<Option<UnsentBytes>, TooMuchUnread> {
        let Some(address) = &self.unsent else {
            return Ok(None);
        };
        let exact = response.body().size_hint().exact();
        let bytes = exact.map_or(FRAME, |exact| usize::try_from(exact).unwrap_or(usize::MAX));
        if bytes == 0 || (!self.http2 && bytes <= TAKEN_AT_ONCE) {
            return Ok(None);
        }
        // Many clients share a proxy's connection.
        let connection = if self.proxied {
            Arc::default()
        } else {
            Arc::clone(&self.link.unsent)
        };
        UnsentBytes::count(&connection, address, bytes)
            .map(Some)
            .ok_or(TooMuchUnread)
    }
}

/// The client leaves too many answers unread.
struct TooMuchUnread;

fn close<B>(response: &mut Response<B>) {
    response
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
}
