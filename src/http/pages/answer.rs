//! Responses for people: HTML with the headers that every page has, redirects, and problem pages.

use askama::Template;
use warp::http::header::{self, HeaderName};
use warp::http::{HeaderMap, HeaderValue, StatusCode};
use warp::reply::Response;

use super::templates::ErrorPage;
use super::visit::Visit;
use crate::context::Context;
use crate::http::{assets, compress};
use crate::negotiation::accept::prefers_html;
use crate::negotiation::encoding::accepts_gzip;
use crate::problem::{Code, Problem};

/// Only this server's files, no inline script or style, no framing.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// How a page may be cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Cached and revalidated each time.
    Revalidated,
    /// Never cached: it has personal data.
    Never,
}

impl Keep {
    fn value(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Revalidated => "no-cache",
            Self::Never => "no-store",
        })
    }
}

/// A page.
pub(super) fn page(
    visit: &Visit,
    status: StatusCode,
    keep: Keep,
    template: &impl Template,
) -> Response {
    // Writing to a string cannot fail, nor can the filters used here.
    let Ok(html) = template.render() else {
        return Problem::new(Code::Internal, "the page cannot be shown").into_response();
    };
    let html = assets::with_versions(&html);
    // What is never cached may have secrets: `compress` says why it stays as it is.
    let is_public = keep == Keep::Revalidated;
    let mut response = if is_public && accepts_gzip(&visit.head.headers) {
        compress::response(compress::gzip(html.as_bytes()))
    } else {
        Response::new(html.into())
    };
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(
        header::CONTENT_LANGUAGE,
        HeaderValue::from_static(visit.texts.lang()),
    );
    headers.insert(
        header::VARY,
        HeaderValue::from_static(if is_public {
            "Accept-Encoding, Accept-Language, Cookie"
        } else {
            "Accept-Language, Cookie"
        }),
    );
    headers.insert(header::CACHE_CONTROL, keep.value());
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    secure(headers);
    response
}

/// Allows a page to embed frames of this server. No other page may.
pub(super) fn embedding(mut response: Response) -> Response {
    // A response without the policy is a problem document, which embeds nothing.
    if let Some(policy) = response
        .headers_mut()
        .get_mut(header::CONTENT_SECURITY_POLICY)
    {
        // The constant and ASCII letters are a header value.
        *policy = HeaderValue::try_from(format!("{POLICY}; frame-src 'self'"))
            .expect("a policy is a header value");
    }
    response
}

/// Allows a page to connect to one more origin.
pub(super) fn connecting(mut response: Response, origin: &str) -> Response {
    let policy = response
        .headers_mut()
        .get_mut(header::CONTENT_SECURITY_POLICY);
    if let Some(policy) = policy
        && let Ok(text) = policy.to_str()
        // The origin consists of a host that was checked, and digits.
        && let Ok(wider) = HeaderValue::try_from(text.replacen(
            "connect-src 'self'",
            &format!("connect-src 'self' {origin}"),
            1,
        ))
    {
        *policy = wider;
    }
    response
}

/// Headers of every response at a page's address, also of redirects: a private link must not leak.
fn secure(headers: &mut HeaderMap) {
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    // Not `no-referrer`: forms would then send `Origin: null`, which the cross-site check refuses.
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
}

/// 303 to `location`, which must begin with one `/` and a fixed word: it cannot leave this site.
pub fn see_other(location: &str) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    // Paths consist of slugs, tokens and encoded queries: no line end.
    headers.insert(
        header::LOCATION,
        HeaderValue::from_str(location).unwrap_or(HeaderValue::from_static("/")),
    );
    headers.insert(header::CACHE_CONTROL, Keep::Never.value());
    secure(headers);
    response
}

/// A problem as a page if the client prefers HTML, else as a problem document.
pub fn error_page(_context: &Context, headers: &HeaderMap, problem: &Problem) -> Response {
    problem_page(&Visit::of_headers(headers), problem)
}

/// Like [`error_page`], for a page's own visit.
pub(super) fn problem_page(visit: &Visit, problem: &Problem) -> Response {
    let code = problem.code().as_str();
    shown_problem(
        visit,
        problem,
        &format!("problem-{code}-title"),
        &format!("problem-{code}-meaning"),
    )
}

/// Like [`problem_page`], with a page's own texts: `key` is the title, `<key>-detail` the rest.
pub(super) fn problem_page_with(visit: &Visit, problem: &Problem, key: &str) -> Response {
    shown_problem(visit, problem, key, &format!("{key}-detail"))
}

fn shown_problem(visit: &Visit, problem: &Problem, title: &str, detail: &str) -> Response {
    let mut response = if prefers_html(&visit.head.headers) {
        let code = problem.code();
        let template = ErrorPage {
            t: visit.texts,
            here: visit.path.clone(),
            status: code.status().as_u16(),
            code: code.as_str(),
            title: visit.texts.get(title),
            detail: visit.texts.get(detail),
            retry_after: problem
                .headers()
                .get(header::RETRY_AFTER)
                .and_then(|value| value.to_str().ok())
                .and_then(|value| value.parse().ok()),
        };
        let mut response = page(visit, code.status(), Keep::Never, &template);
        response.headers_mut().extend(problem.headers().clone());
        response
    } else {
        let mut response = problem.clone().into_response();
        secure(response.headers_mut());
        response
    };
    response.headers_mut().insert(
        header::VARY,
        HeaderValue::from_static("Accept, Accept-Language, Cookie"),
    );
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_problem_as_a_page_says_what_the_document_says() {
        use http_body_util::BodyExt as _;
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/html"));
        let problem =
            Problem::new(Code::Busy, "busy").retry_after(std::time::Duration::from_millis(1500));
        let response = problem_page(&Visit::of_headers(&headers), &problem);
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "2");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert!(
            response.headers()["content-security-policy"]
                .to_str()
                .unwrap()
                .contains("frame-ancestors 'none'")
        );
        let html = response.into_body().collect().await.unwrap().to_bytes();
        let html = std::str::from_utf8(&html).unwrap();
        assert!(
            html.contains("/problems#busy") && html.contains("2 seconds"),
            "{html}"
        );
    }
}
