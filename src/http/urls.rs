//! The addresses of everything but the assets, with the methods they take: what `Allow`, OPTIONS
//! and preflights say.

use warp::http::{HeaderMap, HeaderValue, Method, header};
use warp::reply::Response;

use super::reply;
use crate::problem::{Code, Problem};
use crate::transport;

/// The prefix of the operator's probes, which are always answered.
pub const HEALTH: &str = "/health/";

/// One address.
#[derive(Debug)]
pub struct Url {
    /// Segments; one in braces stands for any.
    pub pattern: &'static str,
    /// Its methods, besides HEAD with GET, and OPTIONS.
    pub methods: &'static [Method],
    /// Pages of any origin may read it.
    pub open: bool,
    /// Over a limit the transport refuses in its own way.
    pub live: bool,
}

/// Every address but those of the assets.
pub const ALL: &[Url] = &[
    open("/api/v1/events", &[Method::GET, Method::POST]),
    live(
        "/api/v1/events/{slug}",
        &[Method::GET, Method::PATCH, Method::DELETE],
    ),
    open("/api/v1/events/{slug}/details", &[Method::GET]),
    open("/api/v1/events/{slug}/challenge", &[Method::GET]),
    live("/api/v1/events/{slug}/stream", &[Method::GET]),
    live("/api/v1/events/{slug}/ws", &[Method::GET]),
    live("/api/v1/events/{slug}/frame", &[Method::GET]),
    live("/api/v1/events/{slug}/changes", &[Method::GET]),
    closed(
        "/api/v1/events/{slug}/registrations",
        &[Method::GET, Method::POST],
    ),
    closed("/api/v1/events/{slug}/registrations.csv", &[Method::GET]),
    closed("/api/v1/events/{slug}/registrations/add", &[Method::POST]),
    closed(
        "/api/v1/events/{slug}/registrations/import",
        &[Method::POST],
    ),
    closed(
        "/api/v1/events/{slug}/registrations/{id}",
        &[Method::PATCH, Method::DELETE],
    ),
    closed(
        "/api/v1/events/{slug}/registrations/{id}/restore",
        &[Method::POST],
    ),
    closed(
        "/api/v1/events/{slug}/registrations/{id}/erase",
        &[Method::POST],
    ),
    closed("/api/v1/events/{slug}/duplicate", &[Method::POST]),
    closed("/api/v1/events/{slug}/reset", &[Method::POST]),
    closed("/api/v1/events/{slug}/reset/undo", &[Method::POST]),
    closed(
        "/api/v1/events/{slug}/announcements",
        &[Method::POST, Method::DELETE],
    ),
    closed("/api/v1/events/{slug}/links", &[Method::POST]),
    closed("/api/v1/events/{slug}/audit", &[Method::GET]),
    open("/api/v1/events/{slug}/series", &[Method::GET]),
    open("/api/v1/events/{slug}/series.csv", &[Method::GET]),
    open(
        "/api/v1/registrations/{token}",
        &[Method::GET, Method::PATCH, Method::DELETE],
    ),
    open("/api/v1/registrations/{token}/erase", &[Method::POST]),
    closed("/api/v1/webhooks", &[Method::GET, Method::POST]),
    closed(
        "/api/v1/webhooks/{webhook}",
        &[Method::GET, Method::PATCH, Method::DELETE],
    ),
    closed("/api/v1/webhooks/{webhook}/deliveries", &[Method::GET]),
    closed(
        "/api/v1/webhooks/{webhook}/deliveries/{delivery}/resend",
        &[Method::POST],
    ),
    open("/api/v1/clock", &[Method::GET]),
    open("/api/v1/webtransport", &[Method::GET]),
    open("/api/v1/openapi.json", &[Method::GET]),
    closed("/api/v1/accounts", &[Method::GET, Method::POST]),
    closed(
        "/api/v1/accounts/{id}",
        &[Method::GET, Method::PATCH, Method::DELETE],
    ),
    closed("/api/v1/accounts/{id}/link", &[Method::POST]),
    closed("/api/v1/tokens", &[Method::GET, Method::POST]),
    closed("/api/v1/tokens/{id}", &[Method::GET, Method::DELETE]),
    closed("/api/v1/sessions", &[Method::GET, Method::DELETE]),
    closed("/api/v1/sessions/{id}", &[Method::DELETE]),
    closed("/api/v1/audit", &[Method::GET]),
    closed("/health/live", &[Method::GET]),
    closed("/health/ready", &[Method::GET]),
    closed("/", &[Method::GET]),
    closed("/e/{slug}", &[Method::GET]),
    closed("/e/{slug}/register", &[Method::POST]),
    closed("/e/{slug}/wall", &[Method::GET]),
    closed("/e/{slug}/chart", &[Method::GET]),
    closed("/e/{slug}/compare", &[Method::GET]),
    closed("/compare/lab", &[Method::POST]),
    open("/e/{slug}/badge.svg", &[Method::GET]),
    closed("/e/{slug}/event.ics", &[Method::GET]),
    closed("/events.ics", &[Method::GET]),
    open("/e/{slug}/qr.svg", &[Method::GET]),
    open("/e/{slug}/qr.png", &[Method::GET]),
    closed("/e/{slug}/poster", &[Method::GET]),
    open("/embed.js", &[Method::GET]),
    closed("/e/{slug}/link", &[Method::GET, Method::POST]),
    closed("/confirm/{token}", &[Method::GET]),
    closed("/r/{token}", &[Method::GET]),
    closed("/r/{token}/unsubscribe", &[Method::GET, Method::POST]),
    closed("/r/{token}/event.ics", &[Method::GET]),
    closed("/r/{token}/cancel", &[Method::POST]),
    closed("/r/{token}/change", &[Method::POST]),
    closed("/r/{token}/erase", &[Method::POST]),
    closed("/problems", &[Method::GET]),
    closed("/admin", &[Method::GET]),
    closed("/admin/login", &[Method::GET, Method::POST]),
    closed("/admin/logout", &[Method::POST]),
    closed("/admin/password/{secret}", &[Method::GET, Method::POST]),
    closed("/admin/webhooks", &[Method::GET, Method::POST]),
    closed("/admin/webhooks/{id}", &[Method::GET]),
    closed("/admin/webhooks/{id}/activate", &[Method::POST]),
    closed("/admin/webhooks/{id}/deactivate", &[Method::POST]),
    closed("/admin/webhooks/{id}/resend", &[Method::POST]),
    closed("/admin/webhooks/{id}/delete", &[Method::POST]),
    closed("/admin/account", &[Method::GET, Method::POST]),
    closed("/admin/accounts", &[Method::GET, Method::POST]),
    closed("/admin/tokens", &[Method::GET, Method::POST]),
    closed("/admin/audit", &[Method::GET]),
    closed("/admin/events", &[Method::POST]),
    closed("/admin/events/{slug}", &[Method::GET]),
    closed("/admin/events/{slug}/audit", &[Method::GET]),
    closed("/admin/events/{slug}/people", &[Method::GET]),
    closed("/admin/events/{slug}/form", &[Method::GET, Method::POST]),
    closed("/admin/events/{slug}/share", &[Method::GET]),
    closed("/admin/events/{slug}/settings", &[Method::GET]),
    closed("/admin/events/{slug}/questions", &[Method::GET]),
    closed("/admin/events/{slug}/mail", &[Method::GET, Method::POST]),
    closed("/admin/events/{slug}/door", &[Method::GET]),
    closed("/admin/events/{slug}/live", &[Method::GET]),
    closed("/admin/events/{slug}/edit", &[Method::GET, Method::POST]),
    closed("/admin/events/{slug}/capacity", &[Method::POST]),
    closed("/admin/events/{slug}/close", &[Method::POST]),
    closed("/admin/events/{slug}/open", &[Method::POST]),
    closed("/admin/events/{slug}/reset", &[Method::GET, Method::POST]),
    closed("/admin/events/{slug}/undo", &[Method::GET, Method::POST]),
    closed("/admin/events/{slug}/announce", &[Method::POST]),
    closed("/admin/events/{slug}/withdraw", &[Method::POST]),
    closed("/admin/events/{slug}/archive", &[Method::POST]),
    closed("/admin/events/{slug}/unarchive", &[Method::POST]),
    closed(
        "/admin/events/{slug}/duplicate",
        &[Method::GET, Method::POST],
    ),
    closed("/admin/events/{slug}/delete", &[Method::GET, Method::POST]),
    closed("/admin/events/{slug}/add", &[Method::GET, Method::POST]),
    closed("/admin/events/{slug}/import", &[Method::GET, Method::POST]),
    closed(
        "/admin/events/{slug}/registrations/{id}",
        &[Method::GET, Method::POST],
    ),
    closed(
        "/admin/events/{slug}/registrations/{id}/cancel",
        &[Method::POST],
    ),
    closed(
        "/admin/events/{slug}/registrations/{id}/restore",
        &[Method::POST],
    ),
    closed(
        "/admin/events/{slug}/registrations/{id}/erase",
        &[Method::POST],
    ),
];

const fn open(pattern: &'static str, methods: &'static [Method]) -> Url {
    Url {
        pattern,
        methods,
        open: true,
        live: false,
    }
}

const fn live(pattern: &'static str, methods: &'static [Method]) -> Url {
    Url {
        pattern,
        methods,
        open: true,
        live: true,
    }
}

/// The organiser's, and what only this site's own pages and programs ask for.
const fn closed(pattern: &'static str, methods: &'static [Method]) -> Url {
    Url {
        pattern,
        methods,
        open: false,
        live: false,
    }
}

/// The address of a path, if there is one. A slash at the end makes no difference, as for warp's routes.
pub fn find(path: &str) -> Option<&'static Url> {
    let path = path
        .strip_suffix('/')
        .filter(|path| !path.is_empty())
        .unwrap_or(path);
    ALL.iter().find(|url| url.matches(path))
}

/// Whether a route may answer: whether the address takes the method, or is unknown here.
pub fn takes(method: &Method, path: &str) -> bool {
    let method = if *method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    find(path).is_none_or(|url| url.methods.contains(method))
}

impl Url {
    fn matches(&self, path: &str) -> bool {
        let (mut ours, mut theirs) = (self.pattern.split('/'), path.split('/'));
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(ours), Some(theirs))
                    if ours == theirs || (ours.starts_with('{') && !theirs.is_empty()) => {}
                _ => return false,
            }
        }
    }

    /// `Allow` (RFC 9110, section 10.2.1).
    fn allow(&self) -> HeaderValue {
        let mut allow = String::new();
        for method in self.methods {
            allow.push_str(method.as_str());
            allow.push_str(if *method == Method::GET {
                ", HEAD, "
            } else {
                ", "
            });
        }
        // Names of methods.
        HeaderValue::try_from(allow + "OPTIONS").expect("a list of methods")
    }
}

/// The page of a form, for a GET of the address that the form is sent to: the nearest page above
/// it. A refused form shows its page at that address, and people reload it or share it. `None` for
/// the API and for addresses that answer a GET themselves.
pub fn page_of_form<'a>(method: &Method, path: &'a str) -> Option<&'a str> {
    let url = find(path).filter(|url| url.methods == [Method::POST])?;
    if url.pattern.starts_with("/api/") || !matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    let ends = path.match_indices('/').map(|(at, _)| at);
    let above = ends
        .rev()
        .map(|end| if end == 0 { "/" } else { &path[..end] });
    let mut pages =
        above.filter(|path| find(path).is_some_and(|url| url.methods.contains(&Method::GET)));
    pages.next()
}

/// The answer when no handler matches: OPTIONS, 405 with `Allow`, or 404.
pub fn unanswered(method: &Method, path: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    let Some(url) = find(path) else {
        return Err(Problem::new(
            Code::NotFound,
            format!("there is nothing at {path}"),
        ));
    };
    if *method == Method::OPTIONS {
        return Ok(options(url, headers));
    }
    let allow = url.allow();
    let detail = format!("this address takes {}", allow.to_str().unwrap_or_default());
    Err(Problem::new(Code::MethodNotAllowed, detail).header(header::ALLOW, allow))
}

/// Preflights are allowed for reading only (Fetch, section 3.2.2): an answer without permission
/// refuses writing across origins.
fn options(url: &Url, headers: &HeaderMap) -> Response {
    let asked = headers
        .get(header::ACCESS_CONTROL_REQUEST_METHOD)
        .map(HeaderValue::as_bytes);
    let mut response = match asked {
        Some(b"GET" | b"HEAD") if url.open => transport::headers::preflight(),
        _ => reply::empty(warp::http::StatusCode::NO_CONTENT),
    };
    response.headers_mut().insert(header::ALLOW, url.allow());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_by_their_segments() {
        let pattern = |path| find(path).map(|url| url.pattern);
        assert_eq!(
            pattern("/api/v1/events/gala/registrations.csv"),
            Some("/api/v1/events/{slug}/registrations.csv")
        );
        assert_eq!(
            pattern("/api/v1/events/gala/registrations/7-1-1"),
            Some("/api/v1/events/{slug}/registrations/{id}")
        );
        assert_eq!(
            (pattern("/"), pattern("/api/v1/clock/")),
            (Some("/"), Some("/api/v1/clock"))
        );
        for none in [
            "/api/v1/events//reset",
            "/api/v1/events/gala/nothing",
            "/api/v1",
            "/api/v1/clock//",
            "api/v1/clock",
            "",
        ] {
            assert_eq!(pattern(none), None, "{none}");
        }
    }

    #[test]
    fn another_method_is_told_which_ones_there_are() {
        let problem =
            unanswered(&Method::PUT, "/api/v1/events/gala", &HeaderMap::new()).unwrap_err();
        assert_eq!(problem.code(), Code::MethodNotAllowed);
        assert_eq!(
            problem.headers()["allow"],
            "GET, HEAD, PATCH, DELETE, OPTIONS"
        );
        assert_eq!(
            unanswered(&Method::OPTIONS, "/nowhere", &HeaderMap::new())
                .unwrap_err()
                .code(),
            Code::NotFound
        );
    }

    #[test]
    fn a_forms_address_leads_to_its_page() {
        for (path, page) in [
            ("/admin/events/gala/capacity", Some("/admin/events/gala")),
            ("/admin/events/gala/capacity/", Some("/admin/events/gala")),
            ("/admin/events/gala/edit", None),
            (
                "/admin/events/gala/registrations/7-1-1/cancel",
                Some("/admin/events/gala/registrations/7-1-1"),
            ),
            ("/admin/events", Some("/admin")),
            ("/admin/logout", Some("/admin")),
            ("/e/gala/register", Some("/e/gala")),
            ("/admin/login", None),
            ("/admin/events/gala", None),
            ("/api/v1/events/gala/reset", None),
            ("/r/1-1-1-x/cancel", Some("/r/1-1-1-x")),
            ("/r/1-1-1-x/change", Some("/r/1-1-1-x")),
            ("/compare/lab", Some("/")),
            ("/nowhere", None),
        ] {
            assert_eq!(page_of_form(&Method::GET, path), page, "{path}");
            assert_eq!(page_of_form(&Method::PUT, path), None, "{path}");
        }
    }

    #[test]
    fn every_form_of_a_page_has_a_page_to_go_back_to() {
        for url in ALL.iter().filter(|url| url.methods == [Method::POST]) {
            let path = url.pattern.replace(['{', '}'], "");
            let page = page_of_form(&Method::GET, &path);
            assert_eq!(page.is_some(), !path.starts_with("/api/"), "{path}");
        }
    }

    #[test]
    fn preflights_pass_for_reading_only() {
        let ask = |method: &'static str, path| {
            let headers = HeaderMap::from_iter([(
                header::ACCESS_CONTROL_REQUEST_METHOD,
                HeaderValue::from_static(method),
            )]);
            let response = unanswered(&Method::OPTIONS, path, &headers).unwrap();
            assert_eq!(response.status(), 204);
            response
                .headers()
                .contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN)
        };
        assert!(ask("GET", "/api/v1/events"));
        assert!(ask("GET", "/api/v1/events/gala/stream"));
        assert!(!ask("POST", "/api/v1/events"));
        assert!(!ask("DELETE", "/api/v1/registrations/x"));
        assert!(!ask("GET", "/api/v1/events/gala/registrations"));
    }
}
