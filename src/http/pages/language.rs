//! Switching the language: `?lang=` on any page.

use warp::http::{HeaderValue, header};
use warp::reply::Response;

use super::answer::see_other;
use super::visit::Visit;
use crate::context::Settings;
use crate::domain::language::Language;
use crate::http::language::COOKIE;

/// A year.
const MAX_AGE_SECONDS: u32 = 31_536_000;

/// Stores the choice in a cookie and redirects to the same page without `lang`. `None` if the query
/// names no known language.
pub(super) fn switch(settings: &Settings, visit: &Visit) -> Option<Response> {
    let language = visit
        .parameter("lang")
        .as_deref()
        .and_then(Language::parse)?;
    // A path such as `//example.org` would redirect to another site.
    if visit.path.starts_with("//") || !visit.path.starts_with('/') {
        return None;
    }
    let rest: Vec<&str> = visit
        .query
        .split('&')
        .filter(|pair| *pair != "lang" && !pair.starts_with("lang="))
        .collect();
    let location = if rest.is_empty() {
        visit.path.clone()
    } else {
        format!("{}?{}", visit.path, rest.join("&"))
    };
    let mut response = see_other(&location);
    let secure = if settings.has_secure_cookies(visit.head.peer) {
        "; Secure"
    } else {
        ""
    };
    let cookie = format!(
        "{COOKIE}={}; Path=/; Max-Age={MAX_AGE_SECONDS}; HttpOnly; SameSite=Lax{secure}",
        language.tag()
    );
    response
        .headers_mut()
        .insert(header::SET_COOKIE, HeaderValue::try_from(cookie).ok()?);
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::samples;

    fn settings(public_url: Option<&str>) -> Settings {
        Settings {
            public_url: public_url.map(str::to_owned),
            ..samples::settings()
        }
    }

    fn switched(path: &str, query: &str) -> Option<(String, String)> {
        switched_at(None, path, query)
    }

    fn switched_at(public_url: Option<&str>, path: &str, query: &str) -> Option<(String, String)> {
        let visit = Visit {
            query: query.to_owned(),
            ..samples::visit(&[]).at(path.to_owned())
        };
        let response = switch(&settings(public_url), &visit)?;
        assert_eq!(response.status(), 303);
        let header =
            |name: header::HeaderName| response.headers()[name].to_str().unwrap().to_owned();
        Some((header(header::LOCATION), header(header::SET_COOKIE)))
    }

    #[test]
    fn the_choice_is_kept_and_the_page_stays() {
        let (location, cookie) =
            switched("/admin/events/gala", "q=a%26b&lang=zh-CN&after=7").unwrap();
        assert_eq!(location, "/admin/events/gala?q=a%26b&after=7");
        assert_eq!(
            cookie,
            "lang=zh-CN; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"
        );
        assert_eq!(switched("/", "lang=en").unwrap().0, "/");
        let (_, cookie) = switched_at(Some("https://tickets.example.org"), "/", "lang=en").unwrap();
        assert!(cookie.ends_with("; Secure"), "{cookie}");
    }

    #[test]
    fn anything_else_is_no_choice() {
        for (path, query) in [
            ("/", ""),
            ("/", "lang="),
            ("/", "lang=tlh"),
            ("/", "xlang=en"),
            ("/", "lang=en%0d%0ax"),
            ("//example.org/", "lang=en"),
        ] {
            assert_eq!(switched(path, query), None, "{path}?{query}");
        }
    }
}
