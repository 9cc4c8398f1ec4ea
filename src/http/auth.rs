//! Who may do what: the organiser's proof, and the refusal of writes that another site's page has
//! sent.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use warp::http::uri::Uri;
use warp::http::{HeaderValue, header};

use super::rate::too_many;
use super::session;
use crate::context::head::RequestHead;
use crate::context::{Context, Hidden, Settings};
use crate::domain::audit::Actor;
use crate::problem::{Code, Problem};

/// The header by which the console's scripts prove that they can read the console's pages.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// Proof that the organiser sent the request; only this module creates one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Organiser {
    actor: Actor,
}

impl Organiser {
    /// The organiser's word in the audit log.
    pub fn actor(self) -> Actor {
        self.actor
    }
}

/// The organiser reads: by token or by session.
pub async fn reader(context: &Context, head: &RequestHead) -> Result<Organiser, Problem> {
    if let Some(organiser) = bearer(context, head)? {
        return Ok(organiser);
    }
    match session::session(context, &head.headers).await? {
        Some(_) => Ok(Organiser {
            actor: Actor::Console,
        }),
        None => Err(unauthorized(
            "sign in to the console, or send the admin token as Authorization: Bearer <token>",
            false,
        )),
    }
}

/// Whether a request has anything that could prove the organiser.
pub fn has_credentials(head: &RequestHead) -> bool {
    bearer_token(head).is_some() || session::has_cookie(&head.headers)
}

/// The organiser writes: by token, or by session with proof that a page of this site sends the
/// request.
pub async fn writer(context: &Context, head: &RequestHead) -> Result<Organiser, Problem> {
    refuse_cross_site(&context.settings, head)?;
    if let Some(organiser) = bearer(context, head)? {
        return Ok(organiser);
    }
    let Some(session) = session::session(context, &head.headers).await? else {
        return Err(unauthorized(
            "sign in to the console, or send the admin token as Authorization: Bearer <token>",
            false,
        ));
    };
    let proven = match head.header(CSRF_HEADER) {
        Some(token) => session.proves(token),
        None => origin(&context.settings, head) == Origin::Same,
    };
    if proven {
        Ok(Organiser {
            actor: Actor::Console,
        })
    } else {
        Err(forged())
    }
}

/// The organiser submits one of the console's forms, whose hidden field carries the session's CSRF
/// token.
pub async fn form(
    context: &Context,
    head: &RequestHead,
    token: &str,
) -> Result<Organiser, Problem> {
    refuse_cross_site(&context.settings, head)?;
    match session::session(context, &head.headers).await? {
        Some(session) if session.proves(token) => Ok(Organiser {
            actor: Actor::Console,
        }),
        Some(_) => Err(forged()),
        None => Err(unauthorized("the session has ended; sign in again", false)),
    }
}

/// Refuses a write that another site's page makes this browser send. Clients that are not browsers
/// send neither header, and pass.
pub fn refuse_cross_site(settings: &Settings, head: &RequestHead) -> Result<(), Problem> {
    match origin(settings, head) {
        Origin::Same | Origin::Unsaid => Ok(()),
        Origin::Foreign => Err(Problem::new(
            Code::Forbidden,
            "another site's page has sent this; writing is possible from this site's own pages only",
        )),
    }
}

/// The origin that a browser names for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Same,
    Foreign,
    Unsaid,
}

/// An `Origin` has to be the public URL's where one is set. A page that reaches this server under
/// another name, as with DNS rebinding, is foreign whatever the browser sends. Otherwise
/// `Sec-Fetch-Site` decides, if it was sent: no page can forge it (Fetch Metadata, section 2.3).
/// Browsers send it to trustworthy origins only, so over plain HTTP `Origin` is compared with the
/// host that was asked for (RFC 6454, section 7).
fn origin(settings: &Settings, head: &RequestHead) -> Origin {
    let origin = head.headers.get(header::ORIGIN).map(HeaderValue::as_bytes);
    let site = head
        .headers
        .get("sec-fetch-site")
        .map(HeaderValue::as_bytes);
    match (origin, &settings.public_url) {
        // Not an origin: a browser withholds it, for instance from a page that sends no referrer.
        (None | Some(b"null"), _) | (Some(_), None) => {}
        (Some(origin), Some(url)) if origin.eq_ignore_ascii_case(url.as_bytes()) => {}
        (Some(_), Some(_)) => return Origin::Foreign,
    }
    match (site, origin) {
        // "none": typed or bookmarked by the person, no page was involved.
        (Some(b"same-origin" | b"none"), _) => Origin::Same,
        (None, None) => Origin::Unsaid,
        // "null" alone: a sandboxed frame, a redirect across sites.
        (Some(_), _) | (None, Some(b"null")) => Origin::Foreign,
        (None, Some(_)) if settings.public_url.is_some() => Origin::Same,
        (None, Some(origin)) => of_host(origin, head),
    }
}

/// Whether an origin is the host that was asked for.
fn of_host(origin: &[u8], head: &RequestHead) -> Origin {
    let Ok(uri) = Uri::try_from(origin) else {
        return Origin::Foreign;
    };
    let same_host = uri.authority().is_some_and(|theirs| {
        head.authority
            .as_ref()
            .is_some_and(|ours| theirs.as_str().eq_ignore_ascii_case(ours.as_str()))
    });
    // A plain page of the same host is another origin. If TLS ends at a proxy that is not trusted,
    // the scheme is unknown here.
    let same_scheme = !head.peer.secure || uri.scheme_str() == Some("https");
    if uri.scheme().is_some() && same_host && same_scheme {
        Origin::Same
    } else {
        Origin::Foreign
    }
}

/// The admin token, if one is sent. Another scheme than Bearer, such as a proxy's Basic, does not
/// count.
fn bearer(context: &Context, head: &RequestHead) -> Result<Option<Organiser>, Problem> {
    let Some(token) = bearer_token(head) else {
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
        actor: Actor::Token,
    }))
}

/// What is sent as a bearer token; scheme names are case-insensitive (RFC 9110, section 11.1).
fn bearer_token(head: &RequestHead) -> Option<&[u8]> {
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

fn unauthorized(detail: &str, token_sent: bool) -> Problem {
    // RFC 6750, section 3: `error` only where a token was sent.
    let challenge = if token_sent {
        r#"Bearer realm="headcount", error="invalid_token""#
    } else {
        r#"Bearer realm="headcount""#
    };
    Problem::new(Code::Unauthorized, detail).header(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static(challenge),
    )
}

fn forged() -> Problem {
    Problem::new(
        Code::Forbidden,
        "the session's proof is missing or wrong; reload the console's page, and send its token \
        as X-CSRF-Token",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::{Admission, Peer};
    use std::time::Duration;
    use warp::http::HeaderMap;

    fn settings(token: Option<&str>, url: Option<&str>) -> Settings {
        Settings {
            heartbeat: Duration::from_secs(15),
            public_url: url.map(str::to_owned),
            time_zone: crate::domain::zone::Zone::default(),
            admin_token: token.map(Hidden::new),
            register_rate_per_ip: 0,
            lab: true,
        }
    }

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
    fn the_browsers_own_header_decides() {
        let none = settings(None, None);
        for (expected, headers) in [
            (Origin::Unsaid, vec![]),
            (Origin::Same, vec![("sec-fetch-site", "same-origin")]),
            (Origin::Same, vec![("sec-fetch-site", "none")]),
            (
                Origin::Same,
                vec![("sec-fetch-site", "same-origin"), ("origin", "null")],
            ),
            (Origin::Foreign, vec![("sec-fetch-site", "same-site")]),
            (
                Origin::Foreign,
                vec![
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "http://events.example.org:8080"),
                ],
            ),
            (
                Origin::Same,
                vec![("origin", "http://events.example.org:8080")],
            ),
            (
                Origin::Same,
                vec![("origin", "http://Events.Example.org:8080")],
            ),
            (
                Origin::Foreign,
                vec![("origin", "http://events.example.org")],
            ),
            (
                Origin::Foreign,
                vec![("origin", "http://events.example.org:8080.evil.example")],
            ),
            (Origin::Foreign, vec![("origin", "https://evil.example")]),
            (Origin::Foreign, vec![("origin", "null")]),
            (Origin::Foreign, vec![("origin", "")]),
        ] {
            assert_eq!(
                origin(&none, &head(&headers, false)),
                expected,
                "{headers:?}"
            );
        }
        let plain = head(&[("origin", "http://events.example.org:8080")], true);
        assert_eq!(
            origin(&none, &plain),
            Origin::Foreign,
            "a plain page of a TLS site is another origin"
        );
    }

    #[test]
    fn an_origin_is_the_public_url_where_one_is_set() {
        let settings = settings(None, Some("https://tickets.example.org"));
        for (expected, headers) in [
            (
                Origin::Same,
                vec![("origin", "https://tickets.example.org")],
            ),
            (
                Origin::Same,
                vec![("origin", "https://Tickets.example.org")],
            ),
            (
                Origin::Foreign,
                vec![("origin", "http://tickets.example.org")],
            ),
            // The host that was asked for, which is not the public one.
            (
                Origin::Foreign,
                vec![("origin", "http://events.example.org:8080")],
            ),
            (
                Origin::Foreign,
                vec![
                    ("sec-fetch-site", "same-origin"),
                    ("origin", "http://events.example.org:8080"),
                ],
            ),
            (
                Origin::Same,
                vec![("sec-fetch-site", "same-origin"), ("origin", "null")],
            ),
            (Origin::Same, vec![("sec-fetch-site", "same-origin")]),
            (Origin::Foreign, vec![("origin", "null")]),
            (Origin::Unsaid, vec![]),
        ] {
            assert_eq!(
                origin(&settings, &head(&headers, false)),
                expected,
                "{headers:?}"
            );
        }
    }

    #[test]
    fn only_a_bearer_token_is_a_token() {
        let token = |value: &str| {
            let head = head(&[("authorization", value)], false);
            bearer_token(&head).map(<[u8]>::to_vec)
        };
        assert_eq!(token("Bearer s3cret").as_deref(), Some(&b"s3cret"[..]));
        assert_eq!(token("bearer  s3cret ").as_deref(), Some(&b"s3cret"[..]));
        assert_eq!(token("Bearer ").as_deref(), Some(&b""[..]));
        assert_eq!(token("Basic czpz"), None);
        let expected = Hidden::new("s3cret");
        assert!(same_secret(&expected, b"s3cret"));
        for wrong in [&b""[..], b"s3cre", b"s3crets", b"S3CRET"] {
            assert!(!same_secret(&expected, wrong));
        }
    }
}
