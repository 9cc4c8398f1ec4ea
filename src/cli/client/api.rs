//! Calls of the JSON API, over connections that are kept for the next call.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, USER_AGENT};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use tokio_rustls::rustls::ClientConfig;

use super::address::Base;
use super::line::Line;
use super::meter::Meter;
use super::request::AGENT;
use super::session::Cut;

/// The longest answer is a page of 200 registrations with all answers as long as they may be.
const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;

/// A server's API. Uses no proxy and follows no redirect: the server itself must answer.
pub(in crate::cli) struct Api {
    base: Base,
    tls: Arc<ClientConfig>,
    /// The time limit of a whole call.
    timeout: Duration,
    idle: Mutex<Vec<Connection>>,
}

type Connection = SendRequest<Full<Bytes>>;

/// One request, which can be sent again.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Call {
    method: Method,
    path: String,
    headers: Vec<(HeaderName, String)>,
    body: Bytes,
}

impl Call {
    /// `path` is relative to the server's address and does not begin with a slash.
    pub(in crate::cli) fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    pub(in crate::cli) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    pub(in crate::cli) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(in crate::cli) fn bearer(self, token: &str) -> Self {
        self.header(AUTHORIZATION, format!("Bearer {token}"))
    }

    pub(in crate::cli) fn json(self, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("a body of strings and numbers");
        let mut call = self.header(CONTENT_TYPE, "application/json");
        call.body = body.into();
        call
    }
}

/// A whole answer.
pub(in crate::cli) struct Answer {
    pub(in crate::cli) status: StatusCode,
    pub(in crate::cli) headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    pub(in crate::cli) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(in crate::cli) fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}

impl Api {
    pub(in crate::cli) fn new(base: Base, tls: Arc<ClientConfig>, timeout: Duration) -> Self {
        Self {
            base,
            tls,
            timeout,
            idle: Mutex::default(),
        }
    }

    /// Sends the call and reads the whole answer. The error is text for people.
    pub(in crate::cli) async fn send(&self, call: &Call) -> Result<Answer, String> {
        timeout(self.timeout, self.exchange(call))
            .await
            .unwrap_or_else(|_| Err(self.silent()))
    }

    /// Sends a call whose answer may have any length. The inner error is a refusal.
    pub(in crate::cli) async fn download(
        &self,
        call: &Call,
    ) -> Result<Result<Download, Answer>, String> {
        let opened = timeout(self.timeout, async {
            let (response, connection) = self.respond(call).await?;
            if response.status().is_success() {
                Ok(Ok(Download {
                    body: response.into_body(),
                    timeout: self.timeout,
                    _connection: connection,
                }))
            } else {
                read(response).await.map(Err)
            }
        });
        opened.await.unwrap_or_else(|_| Err(self.silent()))
    }

    fn silent(&self) -> String {
        format!("{} does not answer", self.base.authority)
    }

    async fn exchange(&self, call: &Call) -> Result<Answer, String> {
        let (response, connection) = self.respond(call).await?;
        let answer = read(response).await?;
        self.idle().push(connection);
        Ok(answer)
    }

    async fn respond(&self, call: &Call) -> Result<(Response<Incoming>, Connection), String> {
        let mut request = self.request(call)?;
        loop {
            let idle = self.idle().pop();
            let kept = idle.is_some();
            let mut connection = match idle {
                Some(connection) => connection,
                None => self.connect().await?,
            };
            if connection.ready().await.is_err() && kept {
                continue;
            }
            match connection.try_send_request(request).await {
                Ok(response) => return Ok((response, connection)),
                Err(mut error) => match error.take_message() {
                    // The server closed the kept connection, and nothing was sent (RFC 9112,
                    // section 9.3.1).
                    Some(unsent) if kept => request = unsent,
                    _ => return Err(causes(error.error())),
                },
            }
        }
    }

    fn request(&self, call: &Call) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(format!("{}{}", self.base.path, call.path))
            .header(HOST, &self.base.authority)
            .header(USER_AGENT, AGENT);
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        request
            .body(Full::new(call.body.clone()))
            .map_err(|error| error.to_string())
    }

    async fn connect(&self) -> Result<Connection, String> {
        let line = Line::open(&self.base, &self.tls, &Arc::new(Meter::default()))
            .await
            .map_err(Cut::reason)?;
        let (sender, connection) = http1::handshake(TokioIo::new(line))
            .await
            .map_err(|error| causes(&error))?;
        // The task ends when the sender is dropped; a failed send reports its error.
        tokio::spawn(connection);
        Ok(sender)
    }

    /// A panicked thread leaves the vector of connections intact.
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer that is read piece by piece.
pub(in crate::cli) struct Download {
    body: Incoming,
    /// For each piece.
    timeout: Duration,
    /// The body ends with its connection.
    _connection: Connection,
}

impl Download {
    /// The next piece; `None` at the end. An answer that was cut is an error.
    pub(in crate::cli) async fn piece(&mut self) -> Result<Option<Bytes>, String> {
        loop {
            let frame = timeout(self.timeout, self.body.frame()).await;
            let frame = frame.map_err(|_| "the server stopped in the middle of its answer")?;
            match frame {
                None => return Ok(None),
                Some(Err(error)) => {
                    return Err(format!("the answer was cut: {}", causes(&error)));
                }
                // Trailers are not data.
                Some(Ok(frame)) => {
                    if let Ok(piece) = frame.into_data() {
                        return Ok(Some(piece));
                    }
                }
            }
        }
    }
}

async fn read(response: Response<Incoming>) -> Result<Answer, String> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, MAX_BODY_BYTES)
        .collect()
        .await
        .map_err(|error| causes(&*error))?;
    Ok(Answer {
        status: head.status,
        headers: head.headers,
        body: body.to_bytes(),
    })
}

/// An error with its causes, in one line: hyper's message names only the step that failed.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
