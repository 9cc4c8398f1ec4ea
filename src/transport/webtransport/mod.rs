//! WebTransport over HTTP/3, on a UDP socket of its own (docs/protocol.md, section 5).
//!
//! wtransport's codecs and quinn's QUIC are used, and not wtransport's server: it can neither close
//! a session with a code nor refuse one with any status, and it reads what a client sends without a
//! bound. A connection carries one session. An open one is a [`session`].

pub mod certificates;
mod endpoint;
mod http3;
mod limits;
mod session;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use warp::http::{HeaderValue, header};
use wtransport::proto::headers::Headers;
use wtransport::quinn::{Endpoint, Incoming};

pub use endpoint::{IDLE, KEEP_ALIVE, Listener, bind};
pub use limits::Limits;
pub use session::STALL;

use super::request::{After, Query};
use super::{refusal, request};
use crate::context::{Admission, Shared};
use crate::live::channel::Channel;
use crate::live::presence::Transport;
use crate::live::subscription::Subscription;
use crate::problem::{Code, Problem};
use crate::trace::Trace;
use http3::{Fault, Peer, Request, code};
use limits::{Limiter, Permit};
use session::Connect;

/// From the first packet to the request for a session.
pub const HANDSHAKE: Duration = Duration::from_secs(10);
/// With more connections than this without a session, a client must first show that its address is
/// its own: somebody may be sending first packets with the addresses of others (RFC 9000, section
/// 8.1).
const VALIDATE_FROM: usize = 64;
/// How long a refused client may take to read why.
const REFUSAL: Duration = Duration::from_secs(1);
/// The time that cut connections have to send their close.
const CUT_GRACE: Duration = Duration::from_millis(250);

/// The gauge of open connections, refusals included.
pub const OPEN: &str = "headcount_webtransport_connections_open";
/// The counter of connections over a limit, by `reason`.
pub const REFUSED: &str = "headcount_webtransport_connections_refused_total";
/// The counter of connections that a deadline closed, which other transports share.
const EXPIRED: &str = "headcount_connections_expired_total";

/// Serves sessions until `stop`, then waits until all are closed, for `drain` at the most. It does
/// not end them: the application publishes a farewell when it stops.
pub async fn serve(
    listener: Listener,
    context: Shared,
    limits: Limits,
    stop: impl Future<Output = ()>,
    drain: Duration,
) {
    let endpoint = listener.endpoint;
    let server = Arc::new(Server {
        context,
        limiter: Arc::new(Limiter::new(limits)),
    });
    tokio::select! {
        () = stop => {}
        () = server.accept(&endpoint) => {}
    }
    let refuse_others = async {
        while let Some(incoming) = endpoint.accept().await {
            incoming.refuse();
        }
    };
    tokio::select! {
        () = refuse_others => {}
        _ = timeout(drain, endpoint.wait_idle()) => {}
    }
    endpoint.close(code::NO_ERROR, b"");
    // What is still open is cut.
    let _ = timeout(CUT_GRACE, endpoint.wait_idle()).await;
}

struct Server {
    context: Shared,
    limiter: Arc<Limiter>,
}

impl Server {
    /// Ends when the endpoint does, which it should not.
    async fn accept(self: &Arc<Self>, endpoint: &Endpoint) {
        while let Some(incoming) = endpoint.accept().await {
            if incoming.may_retry() && self.limiter.handshakes() >= VALIDATE_FROM {
                // It may be retried, so this cannot fail.
                let _ = incoming.retry();
                continue;
            }
            match self.limiter.admit(incoming.remote_address().ip()) {
                Some(permit) => {
                    let server = Arc::clone(self);
                    // A session is one request, and its trace begins with the connection.
                    tokio::spawn(Trace::draw().scope(async move {
                        Box::pin(server.connection(incoming, permit)).await;
                    }));
                }
                None => incoming.refuse(),
            }
        }
    }

    async fn connection(self: Arc<Self>, incoming: Incoming, mut permit: Permit) {
        let Ok(connecting) = incoming.accept() else {
            return;
        };
        let mut connection = None;
        let opening = async {
            let connection = connection.insert(connecting.await?);
            http3::open(connection.clone()).await
        };
        let opened = timeout(HANDSHAKE, opening).await;
        let close = |code| {
            if let Some(connection) = &connection {
                connection.close(code, b"");
            }
        };
        match opened {
            Ok(Ok((peer, request))) => {
                permit.establish();
                // A client that is gone needs no answer.
                let _ = Box::pin(self.answer(peer, request, &permit)).await;
            }
            Ok(Err(Fault::Gone)) => {}
            Ok(Err(Fault::Broken(code))) => close(code),
            Err(_) => {
                metrics::counter!(EXPIRED, "deadline" => "handshake").increment(1);
                close(code::NO_ERROR);
            }
        }
    }

    async fn answer(&self, peer: Peer, request: Request, permit: &Permit) -> Result<(), Fault> {
        let Request {
            fields,
            mut send,
            recv,
        } = request;
        let (channel, after) = match self.find(&fields) {
            Ok(found) => found,
            Err(problem) => {
                // A client that takes nothing of it is closed as well.
                let answered = async {
                    if http3::refuse(&mut send, &problem).await.is_ok() {
                        peer.connection.closed().await;
                    }
                };
                let _ = timeout(REFUSAL, answered).await;
                peer.connection.close(code::NO_ERROR, b"");
                return Ok(());
            }
        };
        let admission = if permit.is_over_limit() {
            Admission::OverLimit
        } else if self.context.readiness.is_draining() {
            Admission::Draining
        } else {
            Admission::Admitted
        };
        let connect = Connect { send, recv };
        if let Some(reason) = refusal::reason(admission) {
            return session::refuse(&peer, connect, reason).await;
        }
        let subscription = Subscription::open(
            &channel,
            Transport::WebTransport,
            after.and_then(Result::ok).as_ref(),
            self.context.settings.heartbeat,
        );
        session::run(&peer, connect, subscription, &self.context.clock).await
    }

    /// The event that a request asks for, and the client's cursor.
    fn find(&self, fields: &Headers) -> Result<(Arc<Channel>, After), Problem> {
        let target = fields.get(":path").unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let slug = path
            .strip_prefix("/api/v1/events/")
            .and_then(|rest| rest.strip_suffix("/wt"))
            .filter(|slug| !slug.is_empty() && !slug.contains('/'));
        let Some(slug) = slug else {
            let detail = format!("there is nothing at {path} over HTTP/3");
            return Err(Problem::new(Code::NotFound, detail));
        };
        let is_session = fields.get(":method") == Some("CONNECT")
            && fields.get(":protocol") == Some("webtransport");
        if !is_session {
            let detail = "this address takes an extended CONNECT of the protocol webtransport";
            let allow = HeaderValue::from_static("CONNECT");
            return Err(Problem::new(Code::MethodNotAllowed, detail).header(header::ALLOW, allow));
        }
        let channel = request::channel(&self.context, slug);
        let channel = channel.ok_or_else(|| Problem::event_not_found(slug))?;
        Ok((channel, Query::parse(query).after()))
    }
}
