//! Tokens in `Authorization: Bearer`: the admin token of the configuration, and those that an owner
//! has made. Each request reads its token, so that a deleted one opens nothing more on any node.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::time::timeout;
use warp::http::header;

use super::{Organiser, unauthorized};
use crate::context::head::RequestHead;
use crate::context::{Context, Hidden};
use crate::domain::access::{Grant, Need, Role};
use crate::domain::account::OWNER;
use crate::domain::audit::Actor;
use crate::domain::clock::Timestamp;
use crate::http::rate::too_many;
use crate::http::session;
use crate::problem::Problem;

/// What every token begins with that an owner has made: secret scanners recognise it.
pub const TOKEN_PREFIX: &str = "hc_";
/// How long a request waits until it is stored that its token is used.
const NOTE_TIMEOUT: Duration = Duration::from_secs(1);

/// The organiser whose token is sent, if one is. Another scheme than Bearer, such as a proxy's
/// Basic, does not count.
pub(super) async fn organiser(
    context: &Context,
    head: &RequestHead,
) -> Result<Option<Organiser>, Problem> {
    let Some(token) = token(head) else {
        return Ok(None);
    };
    if is_stored(token) {
        return stored(context, head, token).await.map(Some);
    }
    let Some(expected) = &context.settings.admin_token else {
        return Err(unauthorized(
            "the token is wrong; this server has no admin token (--admin-token)",
            true,
        ));
    };
    let address = head.peer.ip;
    let attempt = context.throttle.tokens.attempt(address);
    let attempt =
        attempt.map_err(|wait| too_many("too many wrong tokens from this address", wait))?;
    if !same_secret(expected, token) {
        tracing::warn!(%address, "wrong admin token");
        return Err(unauthorized("the token is not the admin token", true));
    }
    attempt.succeed();
    Ok(Some(Organiser {
        actor: Actor::AdminToken,
        grant: Grant::Role(Role::Owner),
        account: Some(OWNER),
        session: None,
    }))
}

/// The token that somebody sends with a call which needs none, such as registering: it must be
/// valid, and cover the need. The admin token and those of other programs do not matter there.
pub async fn registrant(
    context: &Context,
    head: &RequestHead,
    need: Need<'_>,
) -> Result<(), Problem> {
    match token(head).filter(|token| is_stored(token)) {
        // Boxed: rare, and large enough to make every request's future large.
        Some(token) => Box::pin(stored(context, head, token))
            .await?
            .require(need)
            .map(drop),
        None => Ok(()),
    }
}

/// Whether a token is, or pretends to be, one that an owner has made.
fn is_stored(token: &[u8]) -> bool {
    token.starts_with(TOKEN_PREFIX.as_bytes())
}

async fn stored(context: &Context, head: &RequestHead, token: &[u8]) -> Result<Organiser, Problem> {
    let address = head.peer.ip;
    let attempt = context.throttle.tokens.attempt(address);
    let attempt =
        attempt.map_err(|wait| too_many("too many wrong tokens from this address", wait))?;
    let known = match std::str::from_utf8(token) {
        Ok(token) => context.store.token(&session::digest(token)).await,
        Err(_) => Ok(None),
    };
    let known = match known {
        Ok(known) => known,
        Err(error) => {
            // Nobody has guessed wrong.
            attempt.succeed();
            return Err(error.into());
        }
    };
    let now = context.clock.now();
    let known = known.filter(|known| known.expires_at.is_none_or(|end| end > now));
    let Some(known) = known else {
        tracing::warn!(%address, "unknown or expired token");
        return Err(unauthorized(
            "the token is unknown, deleted or expired",
            true,
        ));
    };
    attempt.succeed();
    if session::is_due(known.last_used_at, now) {
        note_use(context, known.id, now).await;
    }
    Ok(Organiser {
        actor: Actor::Token(known.name.shared()),
        grant: Grant::Token {
            scopes: known.scopes,
            event: known.event,
        },
        account: None,
        session: None,
    })
}

/// Stores that a token is used. A database that does not take it in time keeps nobody from reading.
async fn note_use(context: &Context, token: i64, now: Timestamp) {
    let noted = timeout(NOTE_TIMEOUT, context.store.touch_token(token, now)).await;
    if !matches!(noted, Ok(Ok(()))) {
        tracing::warn!(token, "cannot store that a token is used");
    }
}

/// What is sent as a bearer token; scheme names are case-insensitive (RFC 9110, section 11.1).
pub(super) fn token(head: &RequestHead) -> Option<&[u8]> {
    let credentials = head.headers.get(header::AUTHORIZATION)?;
    let (scheme, token) = credentials.as_bytes().split_at_checked("bearer ".len())?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
}

/// Compares digests: the time shows neither the length nor the place of the first difference.
fn same_secret(expected: &Hidden, given: &[u8]) -> bool {
    Sha256::digest(expected.reveal())
        .ct_eq(&Sha256::digest(given))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::{Admission, Peer};
    use warp::http::HeaderMap;

    fn head(headers: &[(&'static str, &str)], secure: bool) -> RequestHead {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                (
                    header::HeaderName::from_static(name),
                    value.parse().unwrap(),
                )
            })
            .collect();
        RequestHead {
            method: warp::http::Method::GET,
            headers,
            peer: Peer {
                ip: [127, 0, 0, 1].into(),
                secure,
            },
            admission: Admission::Admitted,
            authority: Some("events.example.org:8080".parse().unwrap()),
        }
    }

    #[test]
    fn only_a_bearer_token_is_a_token() {
        let sent = |value: &str| {
            let head = head(&[("authorization", value)], false);
            token(&head).map(<[u8]>::to_vec)
        };
        assert_eq!(sent("Bearer s3cret").as_deref(), Some(&b"s3cret"[..]));
        assert_eq!(sent("bearer  s3cret ").as_deref(), Some(&b"s3cret"[..]));
        assert_eq!(sent("Bearer ").as_deref(), Some(&b""[..]));
        assert_eq!(sent("Basic czpz"), None);
        let expected = Hidden::new("s3cret");
        assert!(same_secret(&expected, b"s3cret"));
        for wrong in [&b""[..], b"s3cre", b"s3crets", b"S3CRET"] {
            assert!(!same_secret(&expected, wrong));
        }
    }
}
