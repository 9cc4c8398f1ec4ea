//! Where one was going when one had to sign in. Only pages of the console, so that no link to the
//! sign-in page leads to another site.

use warp::http::{Method, Uri, header};

use super::LOGIN;
use crate::http::pages::visit::Visit;

/// The parameter of the sign-in page, and the field of its form.
pub(super) const NEXT: &str = "next";
/// The first page of the console.
const FIRST: &str = "/admin";
/// The longest address that is kept: longer ones are no page's.
const MAX: usize = 2_000;

/// The sign-in page, with the page that leads there: the one that was opened, or the one whose form
/// was sent.
pub(super) fn sign_in_and_return(visit: &Visit) -> String {
    let page = if matches!(visit.head.method, Method::GET | Method::HEAD) {
        match visit.query.as_str() {
            "" => Some(visit.path.clone()),
            query => Some(format!("{}?{query}", visit.path)),
        }
    } else {
        referring(visit)
    };
    match page.and_then(|page| parse(&page).map(str::to_owned)) {
        Some(page) => {
            // Text always becomes a query.
            let query = serde_urlencoded::to_string([(NEXT, page)]).unwrap_or_default();
            format!("{LOGIN}?{query}")
        }
        None => LOGIN.to_owned(),
    }
}

/// The page that sent a form. Its host does not matter: only the path is used.
fn referring(visit: &Visit) -> Option<String> {
    let uri: Uri = visit.head.header(header::REFERER)?.parse().ok()?;
    Some(uri.path_and_query()?.as_str().to_owned())
}

/// A page of the console, other than those that begin and end sessions.
pub(super) fn parse(page: &str) -> Option<&str> {
    let rest = page.strip_prefix(FIRST)?;
    let is_below = rest.is_empty() || rest.starts_with(['/', '?']);
    // Browsers read a backslash as a slash.
    let is_plain = page.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    // Browsers resolve `..` before they ask, also an encoded one.
    let path = rest
        .split('?')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let path = path.replace("%2e", ".");
    let climbs = path.split('/').any(|segment| matches!(segment, "." | ".."));
    let is_passage = ["/login", "/logout", "/password"]
        .iter()
        .any(|passage| rest.starts_with(passage));
    (is_below && is_plain && !climbs && !is_passage && page.len() <= MAX).then_some(page)
}

/// Where to go after signing in.
pub(super) fn or_first(page: &str) -> &str {
    parse(page).unwrap_or(FIRST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::samples;

    #[test]
    fn only_a_page_of_the_console_is_returned_to() {
        for page in [
            "/admin",
            "/admin?done=deleted",
            "/admin/events/gala/people?q=a%26b",
        ] {
            assert_eq!(or_first(page), page);
        }
        for elsewhere in [
            "",
            "/",
            "/e/gala",
            "//example.org/admin",
            "https://example.org/admin",
            "/\\example.org",
            "/admin\\@example.org",
            "/administrator",
            "/admin/../r/x",
            "/admin/%2E%2e/r/x",
            "/admin/./../admin/password/s3cret",
            "/admin/login",
            "/admin/logout",
            "/admin/password/s3cret",
            "/admin/events/\r\nSet-Cookie: a=b",
            "javascript:alert(1)",
        ] {
            assert_eq!(or_first(elsewhere), "/admin", "{elsewhere}");
        }
        assert_eq!(parse(&format!("/admin/{}", "x".repeat(MAX))), None);
    }

    #[test]
    fn the_sign_in_page_knows_the_page_before_it() {
        let mut visit =
            samples::visit(&[("referer", "https://elsewhere.example/admin/events/gala?a=b")])
                .at("/admin/events/gala/close".to_owned());
        visit.query = "x=1".to_owned();
        assert_eq!(
            sign_in_and_return(&visit),
            "/admin/login?next=%2Fadmin%2Fevents%2Fgala%2Fclose%3Fx%3D1"
        );
        visit.head.method = Method::POST;
        assert_eq!(
            sign_in_and_return(&visit),
            "/admin/login?next=%2Fadmin%2Fevents%2Fgala%3Fa%3Db"
        );
        visit.head.headers.remove("referer");
        assert_eq!(sign_in_and_return(&visit), "/admin/login");
    }
}
