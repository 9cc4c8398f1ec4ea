//! One keep-alive HTTP/1.1 connection for each client, and what its responses mean.
//!
//! One socket for each watcher, as a browser has, and its bytes are counted.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT, CONTENT_TYPE, HOST, HeaderMap, HeaderName, LOCATION, RETRY_AFTER, USER_AGENT,
};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::time::timeout;

use super::item::End;
use super::line::Line;
use super::meter::Meter;
use super::session::Cut;
use super::target::Target;
use crate::domain::clock::{Clock, Timestamp};

/// The `User-Agent` of every client.
pub(super) const AGENT: &str = concat!("headcount/", env!("CARGO_PKG_VERSION"));
/// The time limit for the head of a response, in addition to a long poll's wait.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest body that is read as a whole.
const LARGEST: usize = 256 * 1024;

/// Connects on the first request.
pub(super) struct Http<'a> {
    target: &'a Target,
    meter: &'a Arc<Meter>,
    open: Option<SendRequest<Empty<Bytes>>>,
}

impl<'a> Http<'a> {
    pub(super) fn new(target: &'a Target, meter: &'a Arc<Meter>) -> Self {
        Self {
            target,
            meter,
            open: None,
        }
    }

    /// Sends a GET and waits for the head of the response. `wait` is how long the request asks the
    /// server to wait.
    pub(super) async fn get(
        &mut self,
        path: &str,
        accept: &str,
        headers: &[(HeaderName, &str)],
        wait: Duration,
    ) -> Result<Response<Incoming>, Cut> {
        // A server may close an idle connection just when it is used again (RFC 9112, section
        // 9.3.1). A GET is safe to send a second time, so this is not reported as a lost
        // connection.
        if let Some(mut idle) = self.open.take()
            && idle.ready().await.is_ok()
            && let Some(response) = self
                .send(&mut idle, path, accept, headers, wait)
                .await
                .transpose_passing()?
        {
            self.open = Some(idle);
            return Ok(response);
        }
        let mut fresh = self.connect().await?;
        let response = self.send(&mut fresh, path, accept, headers, wait).await?;
        self.open = Some(fresh);
        Ok(response)
    }

    async fn connect(&self) -> Result<SendRequest<Empty<Bytes>>, Cut> {
        let line = Line::open(&self.target.base, &self.target.tls, self.meter).await?;
        // hyper's smallest buffer: a count with its head fits, and thousands of watchers take
        // little memory.
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(8 * 1024)
            .handshake(TokioIo::new(line))
            .await
            .map_err(|error| Cut::later(error.to_string()))?;
        // Ends by itself when the sender and the last body are dropped; its error comes out of them
        // as well.
        tokio::spawn(connection);
        Ok(sender)
    }

    async fn send(
        &self,
        sender: &mut SendRequest<Empty<Bytes>>,
        path: &str,
        accept: &str,
        headers: &[(HeaderName, &str)],
        wait: Duration,
    ) -> Result<Response<Incoming>, Cut> {
        let mut request = Request::get(path)
            .header(HOST, &self.target.base.authority)
            .header(USER_AGENT, AGENT)
            .header(ACCEPT, accept);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let request = request
            .body(Empty::new())
            .map_err(|error| Cut::Hopeless(error.to_string()))?;
        self.meter.request();
        match timeout(ANSWER_TIMEOUT + wait, sender.send_request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(Cut::later(format!(
                "{} closed the connection: {error}",
                self.target.base.authority
            ))),
            Err(_) => Err(Cut::later(format!(
                "{} does not answer",
                self.target.base.authority
            ))),
        }
    }
}

/// Whether a second attempt on a new connection makes sense.
trait Passing<T> {
    fn transpose_passing(self) -> Result<Option<T>, Cut>;
}

impl<T> Passing<T> for Result<T, Cut> {
    fn transpose_passing(self) -> Result<Option<T>, Cut> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(Cut::Later { .. }) => Ok(None),
            Err(cut @ (Cut::Hopeless(_) | Cut::Final(_))) => Err(cut),
        }
    }
}

/// Reads a whole answer as text.
pub(super) async fn text(response: Response<Incoming>) -> Result<String, Cut> {
    let body = timeout(
        ANSWER_TIMEOUT,
        Limited::new(response.into_body(), LARGEST).collect(),
    )
    .await
    .map_err(|_| Cut::later("the answer does not end"))?;
    let bytes = body
        .map_err(|error| Cut::later(format!("the answer broke off: {error}")))?
        .to_bytes();
    String::from_utf8(bytes.into()).map_err(|_| {
        Cut::Hopeless("unexpected response, not UTF-8; is this a Headcount server?".into())
    })
}

/// Fails unless the answer is 200 and of that media type.
pub(super) async fn expect(
    response: Response<Incoming>,
    media_type: &str,
) -> Result<Response<Incoming>, Cut> {
    if response.status() != StatusCode::OK {
        return Err(refusal(response).await);
    }
    let media = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("no media type");
    if media.starts_with(media_type) {
        Ok(response)
    } else {
        Err(Cut::Hopeless(format!(
            "unexpected response, {media} instead of {media_type}; is this a Headcount server?"
        )))
    }
}

/// Why a connection ends at an answer that is neither 200 nor 304.
pub(super) async fn refusal(response: Response<Incoming>) -> Cut {
    let (status, head) = (response.status(), response.headers().clone());
    let body = text(response).await.unwrap_or_default();
    meaning(status, &head, body.as_bytes())
}

/// Like [`refusal`], for a body in memory.
pub(super) fn meaning(status: StatusCode, head: &HeaderMap, body: &[u8]) -> Cut {
    /// The used part of RFC 9457's object.
    #[derive(Deserialize, Default)]
    struct Problem {
        #[serde(default)]
        code: String,
        #[serde(default)]
        title: String,
    }
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    let wait = retry_after(head, Clock::System.now());
    match (status, problem.code.as_str()) {
        (_, "event-not-found") => Cut::Final(End::NoSuchEvent),
        (status, _) if status.is_redirection() => {
            let to = head
                .get(LOCATION)
                .and_then(|to| to.to_str().ok())
                .unwrap_or("another address");
            Cut::Hopeless(format!("the server redirects to {to}; use that address"))
        }
        (status, _)
            if status == StatusCode::TOO_MANY_REQUESTS
                || status == StatusCode::REQUEST_TIMEOUT
                || status.is_server_error() =>
        {
            Cut::Later {
                why: format!("the server answers {status} {}", problem.title)
                    .trim_end()
                    .to_owned(),
                wait,
            }
        }
        (status, "") => Cut::Hopeless(format!(
            "the server answers {status}: is this a Headcount server's address?"
        )),
        (status, code) => Cut::Hopeless(format!(
            "the server answers {status}: {} ({code})",
            problem.title
        )),
    }
}

/// `Retry-After`: seconds or a date (RFC 9110, section 10.2.3).
pub(in crate::cli) fn retry_after(head: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = head.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(text)
        .ok()?;
    Some(Timestamp::from_millis(date.as_millisecond()).since(now))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = Timestamp::from_millis(784_111_777_000);
        for (text, expected) in [
            ("7", Some(Duration::from_secs(7))),
            (
                "Sun, 06 Nov 1994 08:49:40 GMT",
                Some(Duration::from_secs(3)),
            ),
            ("Sun, 06 Nov 1994 08:49:30 GMT", Some(Duration::ZERO)),
            ("soon", None),
            ("-1", None),
        ] {
            let head = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]);
            assert_eq!(retry_after(&head, now), expected, "{text}");
        }
    }

    #[test]
    fn an_answer_says_whether_to_come_back() {
        let of = |status: u16, body: &str| {
            meaning(
                StatusCode::from_u16(status).unwrap(),
                &HeaderMap::new(),
                body.as_bytes(),
            )
        };
        assert!(matches!(
            of(404, r#"{"code":"event-not-found","title":"x"}"#),
            Cut::Final(End::NoSuchEvent)
        ));
        assert!(matches!(of(404, "<html>nginx</html>"), Cut::Hopeless(_)));
        assert!(matches!(of(301, ""), Cut::Hopeless(_)));
        assert!(matches!(
            of(406, r#"{"code":"not-acceptable","title":"x"}"#),
            Cut::Hopeless(_)
        ));
        for passing in [408, 429, 500, 502, 503, 504] {
            assert!(
                matches!(of(passing, "<html>nginx</html>"), Cut::Later { .. }),
                "{passing}"
            );
        }
    }
}
