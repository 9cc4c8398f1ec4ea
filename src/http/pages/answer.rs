//! Answers that people read: HTML with the headers every page carries, redirects, and problems as pages.

use askama::Template;
use warp::http::header::{self, HeaderName};
use warp::http::{HeaderMap, HeaderValue, StatusCode};
use warp::reply::Response;

use super::templates::ErrorPage;
use super::visit::Visit;
use crate::context::Context;
use crate::negotiation::accept::prefers_html;
use crate::problem::{Code, Problem};

/// Nothing but this server's own files, no inline script or style, no frame around any page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Whether a page may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Kept, and asked about again each time.
    Revalidated,
    /// Never: it holds what is somebody's own.
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
    // Writing into a string cannot fail, and no filter that is used here does.
    let Ok(html) = template.render() else {
        return Problem::new(Code::Internal, "the page cannot be shown").into_response();
    };
    let mut response = Response::new(html.into());
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
        HeaderValue::from_static("Accept-Language, Cookie"),
    );
    headers.insert(header::CACHE_CONTROL, keep.value());
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    secure(headers);
    response
}

/// Lets a page hold frames of this server. No other page may, so that a flaw in one cannot put a page of ours inside of it.
pub(super) fn embedding(mut response: Response) -> Response {
    // An answer without the policy is a problem's document, which holds nothing.
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

/// What every answer of a page's address carries, redirects too: a private link must not leak through any of them.
fn secure(headers: &mut HeaderMap) {
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    // Not `no-referrer`: a form would then be sent with `Origin: null`, and the cross-site check would refuse it.
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
}

/// 303: look at `location` now. It must begin with one `/` and a fixed word, so that it cannot lead to another site.
pub(super) fn see_other(location: &str) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    // Paths are made of slugs, tokens and encoded queries; a request's own path came over HTTP, where no line end gets through.
    headers.insert(
        header::LOCATION,
        HeaderValue::from_str(location).unwrap_or(HeaderValue::from_static("/")),
    );
    headers.insert(header::CACHE_CONTROL, Keep::Never.value());
    secure(headers);
    response
}

/// A problem in the shape the client reads: a page where it prefers HTML, else the document.
pub fn error_page(_context: &Context, headers: &HeaderMap, problem: &Problem) -> Response {
    problem_page(&Visit::of_headers(headers), problem)
}

/// The same, with the way back to the page itself.
pub(super) fn problem_page(visit: &Visit, problem: &Problem) -> Response {
    let code = problem.code().as_str();
    shown_problem(
        visit,
        problem,
        &format!("problem-{code}-title"),
        &format!("problem-{code}-meaning"),
    )
}

/// The same, where a page knows better than the code what has happened: `key` is the title, `<key>-detail` the rest.
pub(super) fn problem_page_with(visit: &Visit, problem: &Problem, key: &str) -> Response {
    shown_problem(visit, problem, key, &format!("{key}-detail"))
}

fn shown_problem(visit: &Visit, problem: &Problem, title: &str, detail: &str) -> Response {
    let mut response = if prefers_html(&visit.incoming.headers) {
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
