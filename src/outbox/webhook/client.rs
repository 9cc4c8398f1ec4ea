//! One request to a receiver: to an address that was checked, without redirects, bounded in time and
//! size.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;

use super::guard::{Guard, Unreachable};
use crate::domain::webhook::{Target, TargetHost};

/// How long to wait for one address to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a whole request may take. Receivers are asked to answer before they work; Standard
/// Webhooks recommends 15 to 30 s.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// How long to wait for the body of an answer. Its status has come by then.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest answer that is read: chats answer with a line of JSON. The rest does not matter.
const ANSWER_MAX: usize = 16 * 1024;
/// The longest head of an answer.
const HEAD_MAX: usize = 32 * 1024;
/// How many addresses of a name are tried.
const ADDRESSES_MAX: usize = 4;
/// Who is calling.
const USER_AGENT: &str = concat!("Headcount/", env!("CARGO_PKG_VERSION"));

/// What to send.
#[derive(Debug, Clone)]
pub(super) struct Notification {
    pub(super) id: String,
    pub(super) seconds: i64,
    pub(super) signature: String,
    pub(super) body: Bytes,
}

/// What a receiver answered.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Empty if it is longer than [`ANSWER_MAX`] or slower than [`BODY_TIMEOUT`].
    pub(super) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The address is not to be called.
    #[error("the name leads to an address that is not public: {0}")]
    Forbidden(std::net::IpAddr),
    /// The name has no address.
    #[error("the name cannot be resolved")]
    Unresolved,
    /// No address accepts a connection.
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    /// TLS fails.
    #[error("TLS fails: {0}")]
    Tls(io::Error),
    /// The system's authorities cannot be read.
    #[error("the system's certificates cannot be read: {0}")]
    Authorities(String),
    /// It speaks no HTTP, or the connection broke.
    #[error("no answer by HTTP: {0}")]
    Http(#[from] hyper::Error),
    /// It took too long.
    #[error("no answer within {} s", REQUEST_TIMEOUT.as_secs())]
    Timeout,
}

impl From<Unreachable> for Fault {
    fn from(unreachable: Unreachable) -> Self {
        match unreachable {
            Unreachable::Forbidden(address) => Self::Forbidden(address),
            Unreachable::Unresolved => Self::Unresolved,
        }
    }
}

/// Sends requests.
#[derive(Debug, Default)]
pub(super) struct Client {
    guard: Guard,
    /// Read once, and only when a receiver needs it.
    tls: OnceLock<Arc<ClientConfig>>,
}

impl Client {
    pub(super) fn new(guard: Guard) -> Self {
        Self {
            guard,
            tls: OnceLock::new(),
        }
    }

    /// Posts a notification. Any status is an answer; a redirect is not followed.
    pub(super) async fn post(
        &self,
        target: &Target,
        notification: &Notification,
    ) -> Result<Answer, Fault> {
        let answer = timeout(REQUEST_TIMEOUT, self.attempt(target, notification)).await;
        answer.map_err(|_| Fault::Timeout)?
    }

    async fn attempt(&self, target: &Target, notification: &Notification) -> Result<Answer, Fault> {
        let stream = self.connect(target).await?;
        if !target.is_secure() {
            return exchange(stream, target, notification).await;
        }
        let name = match target.host() {
            TargetHost::Name(name) => ServerName::try_from(name.to_owned())
                .map_err(|_| Fault::Tls(io::ErrorKind::InvalidInput.into()))?,
            TargetHost::Address(address) => ServerName::from(address),
        };
        let connector = TlsConnector::from(self.tls()?);
        let stream = connector.connect(name, stream).await.map_err(Fault::Tls)?;
        exchange(stream, target, notification).await
    }

    /// A connection to one of the addresses that were checked. Nothing resolves the name again.
    async fn connect(&self, target: &Target) -> Result<TcpStream, Fault> {
        let addresses = self.guard.addresses(target).await?;
        let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in addresses.into_iter().take(ADDRESSES_MAX) {
            match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => failed = error,
                Err(_) => failed = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(Fault::Connect(failed))
    }

    fn tls(&self) -> Result<Arc<ClientConfig>, Fault> {
        if let Some(config) = self.tls.get() {
            return Ok(Arc::clone(config));
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(BuilderVerifierExt::with_platform_verifier)
            .map_err(|error| Fault::Authorities(error.to_string()))?
            .with_no_client_auth();
        Ok(Arc::clone(self.tls.get_or_init(|| Arc::new(config))))
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    target: &Target,
    notification: &Notification,
) -> Result<Answer, Fault> {
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_MAX)
        .handshake(TokioIo::new(stream))
        .await?;
    // Dropped with this future, so that nothing outlives the attempt.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let answer = sender.send_request(request(target, notification)).await?;
    let status = answer.status().as_u16();
    // Only chats say in the body whether they took the message, and they say it shortly. A server that
    // sends a status and then a body without end has still answered.
    let body = Limited::new(answer.into_body(), ANSWER_MAX).collect();
    let body = match timeout(BODY_TIMEOUT, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) | Err(_) => Bytes::new(),
    };
    Ok(Answer { status, body })
}

fn request(target: &Target, notification: &Notification) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(notification.body.clone()));
    *request.method_mut() = Method::POST;
    // A parsed address has a path and a host that HTTP can write.
    *request.uri_mut() = target.path().parse().unwrap_or_default();
    let text = |text: &str| HeaderValue::try_from(text);
    let seconds = notification.seconds.to_string();
    for (name, value) in [
        (header::HOST, text(target.authority())),
        (header::USER_AGENT, text(USER_AGENT)),
        (header::CONTENT_TYPE, text("application/json")),
        (header::CONNECTION, text("close")),
        (
            header::HeaderName::from_static("webhook-id"),
            text(&notification.id),
        ),
        (
            header::HeaderName::from_static("webhook-timestamp"),
            text(&seconds),
        ),
        (
            header::HeaderName::from_static("webhook-signature"),
            text(&notification.signature),
        ),
    ] {
        if let Ok(value) = value {
            request.headers_mut().insert(name, value);
        }
    }
    request
}
