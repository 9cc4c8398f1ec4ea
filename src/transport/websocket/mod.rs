//! WebSocket (RFC 6455; docs/protocol.md, section 5): the handshake. An open socket is a
//! [`session`].
//!
//! warp's filter is not used. It cannot set the size of the read buffer, which is 128 KiB for each
//! idle connection, and it copies each message for each client.

pub(in crate::transport) mod closing;
mod session;
pub(in crate::transport) mod socket;

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use warp::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use warp::reply::Response;

use super::refusal;
use super::request::Request;
use crate::context::Context;
use crate::live::channel::Channel;
use crate::live::presence::Transport;
use crate::live::subscription::Subscription;
use crate::problem::{Code, Problem};
use crate::trace;

use session::Session;
pub use session::{PING_EVERY, PONG_WITHIN, STALL};

/// The largest message that a client may send, bytes; a ping has a few dozen.
pub const LARGEST_MESSAGE: usize = 4 * 1024;
/// The only version there is (RFC 6455, section 4.1).
const VERSION: &str = "13";

/// 101, or the reason why not.
pub(super) fn answer(context: &Context, channel: &Channel, request: &Request) -> Response {
    let (accept, upgrade) = match handshake(&request.head.headers, request.upgrade.as_ref()) {
        Ok(agreed) => agreed,
        Err(refusal) => return refusal.into_response(),
    };
    if let Some(answer) = refusal::precondition(&request.method, &request.head.headers) {
        return answer;
    }
    if let Some(reason) = refusal::reason(request.head.admission) {
        // The handshake is accepted first: a browser does not report to its page why one was
        // refused.
        trace::spawn(async move {
            if let Some(io) = raise(upgrade).await {
                session::refuse(io, reason).await;
            }
        });
    } else {
        let after = request.after().and_then(Result::ok);
        // Subscribed before the socket is there: no commit in between is missed, and a drain's
        // farewell finds it.
        let subscription = Box::new(Subscription::open(
            channel,
            Transport::WebSocket,
            after.as_ref(),
            session::QUIET,
        ));
        let clock = context.clock.clone();
        trace::spawn(async move {
            if let Some(io) = raise(upgrade).await {
                Box::new(Session::new(io, *subscription, clock)).run().await;
            }
        });
    }
    let mut response = Response::default();
    switch(&mut response, accept);
    response
}

/// Turns an answer into the 101 of a handshake.
pub(super) fn switch<B>(response: &mut warp::http::Response<B>, accept: HeaderValue) {
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let head = response.headers_mut();
    head.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    head.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    head.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
}

/// The socket behind a finished handshake. Bytes that came early are read first; that frees hyper's
/// 8 KiB buffer.
pub(super) async fn raise(upgrade: OnUpgrade) -> Option<TokioIo<Upgraded>> {
    let upgraded = upgrade
        .await
        .inspect_err(|error| tracing::debug!(%error, "cannot take over a WebSocket's connection"))
        .ok()?;
    Some(TokioIo::new(upgraded))
}

/// Why a request is no handshake.
#[derive(Debug, Clone, Copy)]
pub(super) enum NoHandshake {
    /// 426, with the reason.
    UpgradeRequired(&'static str),
    /// 400.
    BadKey,
}

impl NoHandshake {
    fn into_response(self) -> Response {
        match self {
            Self::UpgradeRequired(detail) => upgrade_required(detail),
            Self::BadKey => {
                let detail = "Sec-WebSocket-Key must be 16 bytes in Base64";
                Problem::new(Code::BadRequest, detail).into_response()
            }
        }
    }
}

/// Checks the opening handshake (RFC 6455, section 4.2.1).
pub(super) fn handshake(
    headers: &HeaderMap,
    upgrade: Option<&OnUpgrade>,
) -> Result<(HeaderValue, OnUpgrade), NoHandshake> {
    let asked = has_token(headers, &header::CONNECTION, "upgrade")
        && has_token(headers, &header::UPGRADE, "websocket");
    let Some(upgrade) = upgrade.filter(|_| asked) else {
        let detail = "this address speaks WebSocket over HTTP/1.1 only";
        return Err(NoHandshake::UpgradeRequired(detail));
    };
    let version = headers.get(header::SEC_WEBSOCKET_VERSION);
    if version.is_none_or(|version| version != VERSION) {
        let detail = "this server speaks version 13 of the WebSocket protocol";
        return Err(NoHandshake::UpgradeRequired(detail));
    }
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY).iter();
    let key = keys.next().filter(|key| is_key(key.as_bytes()));
    let (Some(key), None) = (key, keys.next()) else {
        return Err(NoHandshake::BadKey);
    };
    // Base64 makes a header value.
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()))
        .expect("an accept key is a header value");
    Ok((accept, upgrade.clone()))
}

/// Whether a list of tokens has one, without case.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let lines = headers
        .get_all(name)
        .iter()
        .filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .any(|item| item.trim().eq_ignore_ascii_case(token))
}

/// Sixteen bytes in Base64 are 22 characters and two of padding.
fn is_key(key: &[u8]) -> bool {
    key.len() == 24
        && key.ends_with(b"==")
        && key[..22]
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
}

/// 426 with the supported protocol and version (RFC 9110, section 15.5.22; RFC 6455, section 4.4).
fn upgrade_required(detail: &str) -> Response {
    let status = StatusCode::UPGRADE_REQUIRED;
    let problem = Problem::new(Code::BadRequest, detail);
    let mut document = problem.document();
    document["status"] = json!(status.as_u16());
    let mut response = problem.into_response();
    *response.status_mut() = status;
    *response.body_mut() = document.to_string().into();
    let head = response.headers_mut();
    head.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    head.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    head.insert(
        header::SEC_WEBSOCKET_VERSION,
        HeaderValue::from_static(VERSION),
    );
    response
}

#[cfg(test)]
mod session_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_found_in_lists_and_without_case() {
        let mut headers = HeaderMap::new();
        headers.append(header::CONNECTION, "keep-alive, UPGRADE".parse().unwrap());
        assert!(has_token(&headers, &header::CONNECTION, "upgrade"));
        assert!(!has_token(&headers, &header::CONNECTION, "grade"));
        assert!(!has_token(&headers, &header::UPGRADE, "websocket"));
    }

    #[test]
    fn a_key_is_sixteen_bytes() {
        assert!(is_key(b"dGhlIHNhbXBsZSBub25jZQ=="));
        for key in [
            "",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZQ=",
            "dGhlIHNhbXBsZSBub25jZ\x7f==",
            "dGhlIHNhbXBsZSBub25jZQAA==",
        ] {
            assert!(!is_key(key.as_bytes()), "{key}");
        }
    }
}
