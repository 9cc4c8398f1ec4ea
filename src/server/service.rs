//! Between hyper and the application: says who is asking and whether it is within the limits, and picks the way out of an endless answer.

use std::future::{Future, poll_fn, ready};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_util::future::Either;
use http::header::{CONNECTION, HOST};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Body as _;
use http_body_util::Full;
use hyper::body::Incoming;

use super::application::Application;
use super::body::{Body, Kind, Streaming, Unanswered};
use super::connection::Server;
use super::handoff::{Answer, Link};
use super::limits::{Limit, RequestPermit};
use super::linger::RequestBody;
use super::proxy;
use crate::context::{Admission, Peer};
use crate::problem::{Code, Problem};
use crate::transport::live::Live;

/// The application as one connection sees it.
pub(super) struct Exchange<S> {
    pub(super) app: S,
    pub(super) server: Arc<Server>,
    pub(super) link: Arc<Link>,
    pub(super) addr: SocketAddr,
    /// The peer is a trusted proxy.
    pub(super) proxied: bool,
    pub(super) tls: bool,
    /// The limit that the connection is over.
    pub(super) over: Option<Limit>,
}

impl<S: Application> hyper::service::Service<Request<Incoming>> for Exchange<S> {
    type Response = Response<Body<S::Body>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let unanswered = Unanswered::new(&self.link);
        let (http11, http2) = (
            request.version() == Version::HTTP_11,
            request.version() == Version::HTTP_2,
        );
        self.link.http11.store(http11, Ordering::Relaxed);
        self.link.http2.store(http2, Ordering::Relaxed);
        let mut request = request.map(|incoming| RequestBody::new(incoming, &self.link));
        if !names_its_host(&request) {
            return Box::pin(ready(Ok(
                without_host().map(|body| Body::new(Kind::Own(body), unanswered, None))
            )));
        }
        let (peer, admission, permit) = self.judge(&request);
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(admission);
        let way = Way {
            link: Arc::clone(&self.link),
            server: Arc::clone(&self.server),
            is_get: request.method() == Method::GET,
            // HTTP/1.0 knows no chunks; a request's body would still be on its way; an over-limit connection keeps hyper's deadline.
            may_hand_off: self.server.config.handoff
                && !self.tls
                && http11
                && request.body().is_end_stream()
                && admission != Admission::OverLimit,
            http2,
            closes: self.over.is_some() && http11,
        };
        let mut app = self.app.clone();
        // Called now and not when the answer is first waited for: hyper drops that unpolled when the client's FIN has come with the
        // request, and an application may want to know that somebody has asked and gone.
        let calling = match app.poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => Either::Left(app.call(request)),
            Poll::Ready(Err(error)) => return Box::pin(ready(Err(error))),
            Poll::Pending => Either::Right(async move {
                poll_fn(|cx| app.poll_ready(cx)).await?;
                app.call(request).await
            }),
        };
        Box::pin(async move { Ok(way.out(calling.await?, unanswered, permit)) })
    }
}

impl<S> Exchange<S> {
    fn judge(&self, request: &Request<RequestBody>) -> (Peer, Admission, Option<RequestPermit>) {
        let trusted = &self.server.config.trusted_proxies;
        let ip = if self.proxied {
            proxy::client(self.addr.ip(), request.headers(), trusted)
        } else {
            self.addr.ip().to_canonical()
        };
        let secure = self.tls || (self.proxied && proxy::says_https(request.headers()));
        // A trusted proxy that names nobody asks for itself (a health check): it has no limit of its own.
        let permit = if self.over.is_some() || !self.proxied || proxy::is_trusted(ip, trusted) {
            self.over.map_or(Ok(None), Err)
        } else {
            self.server.register.admit_request(ip).map(Some)
        };
        let (admission, permit) = match permit {
            Err(_) => (Admission::OverLimit, None),
            Ok(permit) if self.server.is_draining() => (Admission::Draining, permit),
            Ok(permit) => (Admission::Admitted, permit),
        };
        (Peer { ip, secure }, admission, permit)
    }
}

/// Whether the request says which host it is for, once; what several servers take for different hosts must not pass (RFC 9112, section
/// 3.2). HTTP/1.0 need not say it, and HTTP/2 has `:authority`.
fn names_its_host<B>(request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    match request.version() {
        Version::HTTP_11 => hosts.next().is_some() && hosts.next().is_none(),
        Version::HTTP_10 => hosts.nth(1).is_none(),
        _ => true,
    }
}

/// The server's only answer of its own.
fn without_host() -> Response<Full<Bytes>> {
    let problem = Problem::new(
        Code::BadRequest,
        "the request must have exactly one Host field (RFC 9112, section 3.2)",
    );
    let document = problem.document().to_string();
    let (mut parts, _) = problem.into_response().into_parts();
    // Where one such request ends and the next begins, somebody in between may have seen in another way.
    parts
        .headers
        .insert(CONNECTION, HeaderValue::from_static("close"));
    Response::from_parts(parts, Full::from(document))
}

/// Which way an answer may go out.
struct Way {
    link: Arc<Link>,
    server: Arc<Server>,
    is_get: bool,
    may_hand_off: bool,
    http2: bool,
    /// The connection is not kept after this answer, unless it becomes another protocol's.
    closes: bool,
}

impl Way {
    fn out<B>(
        self,
        mut response: Response<B>,
        unanswered: Unanswered,
        mut permit: Option<RequestPermit>,
    ) -> Response<Body<B>> {
        // A HEAD must not start a stream: nobody would end it (RFC 9110, section 9.3.2). It is dropped with the extensions.
        let chunks = response
            .extensions_mut()
            .remove::<Live>()
            .filter(|_| self.is_get)
            .and_then(|live| live.take());
        let Some(chunks) = chunks else {
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                self.link.keep_across_upgrade(permit.take());
            } else if self.closes || (!self.http2 && self.server.is_draining()) {
                // At a drain a proxy's connection settles before it is closed; its next request is to go elsewhere.
                response
                    .headers_mut()
                    .insert(CONNECTION, HeaderValue::from_static("close"));
            }
            return response.map(|body| Body::new(Kind::Ordinary(body), unanswered, permit));
        };
        let kind = if self.may_hand_off {
            // What the client pipelines behind this request is never answered, and has to be told so (RFC 9112, section 9.6).
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
            self.link.park(Answer {
                chunks,
                permit: permit.take(),
            });
            Kind::Parked(self.link)
        } else {
            let paced_by = (!self.http2).then_some(self.link);
            Kind::Streaming(Streaming::new(
                chunks,
                paced_by,
                self.server.config.deadlines.stall,
            ))
        };
        response.map(|_| Body::new(kind, unanswered, permit))
    }
}
