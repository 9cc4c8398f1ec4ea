//! Who may do what: the organiser's proof, and the refusal of writes that another site's page has sent.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use warp::http::uri::Uri;
use warp::http::{HeaderValue, header};

use super::incoming::Incoming;
use super::session;
use crate::context::{Context, Hidden, Settings};
use crate::domain::audit::Actor;
use crate::problem::{Code, Problem};

/// The header by which the console's scripts prove that they can read the console's pages.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// Proof that the organiser asks; only this module makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Organiser {
    actor: Actor,
}

impl Organiser {
    /// Who asks, as the audit log says it.
    pub fn actor(self) -> Actor {
        self.actor
    }
}

/// The organiser reads: by token or by session.
pub async fn reader(context: &Context, incoming: &Incoming) -> Result<Organiser, Problem> {
    if let Some(organiser) = bearer(&context.settings, incoming)? {
        return Ok(organiser);
    }
    match session::session(context, &incoming.headers).await? {
        Some(_) => Ok(Organiser {
            actor: Actor::Console,
        }),
        None => Err(unauthorized(
            "sign in to the console, or send the admin token as Authorization: Bearer <token>",
            false,
        )),
    }
}

/// The organiser writes: by token, or by session with proof that one of this site's own pages asks.
pub async fn writer(context: &Context, incoming: &Incoming) -> Result<Organiser, Problem> {
    refuse_cross_site(&context.settings, incoming)?;
    if let Some(organiser) = bearer(&context.settings, incoming)? {
        return Ok(organiser);
    }
    let Some(session) = session::session(context, &incoming.headers).await? else {
        return Err(unauthorized(
            "sign in to the console, or send the admin token as Authorization: Bearer <token>",
            false,
        ));
    };
    let proven = match incoming.header(CSRF_HEADER) {
        Some(token) => session.proves(token),
        None => origin(&context.settings, incoming) == Origin::Same,
    };
    if proven {
        Ok(Organiser {
            actor: Actor::Console,
        })
    } else {
        Err(forged())
    }
}

/// The organiser submits one of the console's forms, whose hidden field carries the session's CSRF token.
pub async fn form(
    context: &Context,
    incoming: &Incoming,
    token: &str,
) -> Result<Organiser, Problem> {
    refuse_cross_site(&context.settings, incoming)?;
    match session::session(context, &incoming.headers).await? {
        Some(session) if session.proves(token) => Ok(Organiser {
            actor: Actor::Console,
        }),
        Some(_) => Err(forged()),
        None => Err(unauthorized("the session has ended; sign in again", false)),
    }
}

/// Refuses a write that another site's page makes this browser send. Clients that are no browsers say nothing, and pass.
pub fn refuse_cross_site(settings: &Settings, incoming: &Incoming) -> Result<(), Problem> {
    match origin(settings, incoming) {
        Origin::Same | Origin::Unsaid => Ok(()),
        Origin::Foreign => Err(Problem::new(
            Code::Forbidden,
            "another site's page has sent this; writing is possible from this site's own pages only",
        )),
    }
}

/// Where a browser says that a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Same,
    Foreign,
    Unsaid,
}

/// `Sec-Fetch-Site` decides where it is sent: no page can forge it (Fetch Metadata, section 2.3). Browsers send it to trustworthy
/// origins only, so over plain HTTP `Origin` is compared with the host that was asked for (RFC 6454, section 7).
fn origin(settings: &Settings, incoming: &Incoming) -> Origin {
    match incoming
        .headers
        .get("sec-fetch-site")
        .map(HeaderValue::as_bytes)
    {
        // "none": typed or bookmarked by the person, no page was involved.
        Some(b"same-origin" | b"none") => return Origin::Same,
        Some(_) => return Origin::Foreign,
        None => {}
    }
    let Some(origin) = incoming.headers.get(header::ORIGIN) else {
        return Origin::Unsaid;
    };
    let Ok(origin) = origin.to_str() else {
        return Origin::Foreign;
    };
    if settings
        .public_url
        .as_deref()
        .is_some_and(|url| origin.eq_ignore_ascii_case(url))
    {
        return Origin::Same;
    }
    // "null" (a sandboxed frame, a redirect across sites) has no authority and is foreign.
    let Ok(uri) = origin.parse::<Uri>() else {
        return Origin::Foreign;
    };
    let same_host = uri.authority().is_some_and(|theirs| {
        incoming
            .authority
            .as_ref()
            .is_some_and(|ours| theirs.as_str().eq_ignore_ascii_case(ours.as_str()))
    });
    // A plain page of the same host is another origin. Where TLS ends at a proxy that is not trusted, the scheme is not known here.
    let same_scheme = !incoming.peer.secure || uri.scheme_str() == Some("https");
    if uri.scheme().is_some() && same_host && same_scheme {
        Origin::Same
    } else {
        Origin::Foreign
    }
}

/// The admin token, if one is sent. Another scheme than Bearer, such as a proxy's Basic, is none of ours.
fn bearer(settings: &Settings, incoming: &Incoming) -> Result<Option<Organiser>, Problem> {
    let Some(credentials) = incoming.headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    // Scheme names are case-insensitive (RFC 9110, section 11.1).
    let bytes = credentials.as_bytes();
    let Some((scheme, token)) = bytes
        .split_at_checked(7)
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "))
    else {
        return Ok(None);
    };
    debug_assert_eq!(scheme.len(), 7);
    match &settings.admin_token {
        Some(expected) if same_secret(expected, token.trim_ascii()) => Ok(Some(Organiser {
            actor: Actor::Token,
        })),
        Some(_) => Err(unauthorized("the token is not the admin token", true)),
        None => Err(unauthorized(
            "this server was started without an admin token (--admin-token), so no token opens it",
            true,
        )),
    }
}

/// Compares digests, so that neither the place of the first difference nor the length shows in the time it takes.
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
        "the session's proof is missing or wrong; reload the console's page, and send its token as X-CSRF-Token",
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
            admin_token: token.map(Hidden::new),
            register_rate_per_ip: 0,
        }
    }

    fn incoming(headers: &[(&'static str, &str)], secure: bool) -> Incoming {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                (
                    header::HeaderName::from_static(name),
                    value.parse().unwrap(),
                )
            })
            .collect();
        Incoming {
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
    fn a_browser_s_own_word_decides() {
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
                origin(&none, &incoming(&headers, false)),
                expected,
                "{headers:?}"
            );
        }
        let plain = incoming(&[("origin", "http://events.example.org:8080")], true);
        assert_eq!(
            origin(&none, &plain),
            Origin::Foreign,
            "a plain page of a TLS site is another origin"
        );
        let behind = incoming(&[("origin", "https://tickets.example.org")], false);
        assert_eq!(
            origin(
                &settings(None, Some("https://tickets.example.org")),
                &behind
            ),
            Origin::Same
        );
    }

    #[test]
    fn only_the_admin_token_opens() {
        let set = settings(Some("s3cret"), None);
        let ask = |settings: &Settings, value: &str| {
            bearer(settings, &incoming(&[("authorization", value)], false))
                .map_err(|problem| problem.code())
        };
        let token = Some(Organiser {
            actor: Actor::Token,
        });
        assert_eq!(ask(&set, "Bearer s3cret"), Ok(token));
        assert_eq!(ask(&set, "bearer  s3cret "), Ok(token));
        assert_eq!(ask(&set, "Basic czpz"), Ok(None));
        for wrong in ["Bearer s3cre", "Bearer s3crets", "Bearer ", "Bearer S3CRET"] {
            assert_eq!(ask(&set, wrong), Err(Code::Unauthorized), "{wrong}");
        }
        assert_eq!(
            ask(&settings(None, None), "Bearer "),
            Err(Code::Unauthorized),
            "no token is not the empty token"
        );
    }
}
