//! Where a request comes from: writes that another site's page has sent are refused.

use warp::http::uri::Uri;
use warp::http::{HeaderValue, header};

use crate::context::Settings;
use crate::context::head::RequestHead;
use crate::problem::{Code, Problem};

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

/// Whether a browser says that a page of this site sends the request.
pub(super) fn is_same(settings: &Settings, head: &RequestHead) -> bool {
    origin(settings, head) == Origin::Same
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::{Admission, Hidden, Peer};
    use std::time::Duration;
    use warp::http::HeaderMap;

    fn settings(token: Option<&str>, url: Option<&str>) -> Settings {
        Settings {
            heartbeat: Duration::from_secs(15),
            public_url: url.map(str::to_owned),
            mail: None,
            webhooks: crate::outbox::webhook::Guard::default(),
            time_zone: crate::domain::zone::Zone::default(),
            admin_token: token.map(Hidden::new),
            register_rate_per_ip: 0,
            lab: true,
            webtransport: None,
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
}
