//! Tokens in `Authorization: Bearer`: the admin token of the configuration.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use warp::http::header;

use super::{Organiser, unauthorized};
use crate::context::head::RequestHead;
use crate::context::{Context, Hidden};
use crate::domain::access::{Grant, Role};
use crate::domain::audit::Actor;
use crate::http::rate::too_many;
use crate::problem::Problem;

/// The organiser whose token is sent, if one is. Another scheme than Bearer, such as a proxy's
/// Basic, does not count.
#[expect(
    clippy::unused_async,
    reason = "stored tokens are read from the database"
)]
pub(super) async fn organiser(
    context: &Context,
    head: &RequestHead,
) -> Result<Option<Organiser>, Problem> {
    let Some(token) = token(head) else {
        return Ok(None);
    };
    let Some(expected) = &context.settings.admin_token else {
        return Err(unauthorized(
            "this server was started without an admin token (--admin-token), so no token opens it",
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
    }))
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
