//! What spreads an event: its QR code as a file, and a poster to print. `ShareView` is what the
//! console offers.

use std::net::IpAddr;

use url::{Host, Url};
use warp::http::header::{self, HeaderName};
use warp::http::{HeaderValue, StatusCode};
use warp::reply::Response;

use super::answer::{page, problem_page};
use super::qr::{self, Format};
use super::states::{self, Shown};
use super::templates::PosterPage;
use super::visit::Visit;
use crate::context::{Context, Shared};
use crate::http::reply;
use crate::problem::{Code, Problem};

/// Addresses that an organiser gives away.
#[derive(Debug)]
pub(super) struct ShareView {
    /// The server's own address without a path.
    pub(super) base: String,
    /// The event's page.
    pub(super) page_url: String,
    /// The address opens on this computer only.
    pub(super) is_local: bool,
}

impl ShareView {
    pub(super) fn new(context: &Context, visit: &Visit, slug: &str) -> Self {
        let page_url = visit.absolute(&context.settings, &format!("/e/{slug}"));
        Self {
            base: visit.absolute(&context.settings, ""),
            is_local: opens_here_only(&page_url),
            page_url,
        }
    }

    /// Markup for other sites, each with the last part of its message: a frame by script, the frame
    /// alone, and the badge.
    pub(super) fn snippets(
        &self,
        slug: &str,
        label: impl AsRef<str>,
    ) -> [(&'static str, String); 3] {
        let (Self { base, page_url, .. }, label) = (self, label.as_ref());
        [
            (
                "embed",
                format!("<script src=\"{base}/embed.js\" data-event=\"{slug}\" async></script>"),
            ),
            (
                "frame",
                format!(
                    "<iframe src=\"{base}/api/v1/events/{slug}/frame\" title=\"{label}\" \
                    width=\"240\" height=\"64\" style=\"border:0\"></iframe>"
                ),
            ),
            (
                "badge",
                format!(
                    "<a href=\"{page_url}\"><img src=\"{base}/e/{slug}/badge.svg\" \
                    alt=\"{label}\" height=\"24\"></a>"
                ),
            ),
        ]
    }
}

/// Whether the host of `url` is this computer for everybody: a loopback or unspecified address, or
/// a name below `localhost` (RFC 6761, section 6.3).
fn opens_here_only(url: &str) -> bool {
    let is_here = |ip: IpAddr| ip.is_loopback() || ip.is_unspecified();
    match Url::parse(url).as_ref().ok().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => is_here(ip.into()),
        Some(Host::Ipv6(ip)) => is_here(ip.into()),
        None => false,
    }
}

/// `GET /e/{slug}/qr.svg`.
pub(super) async fn qr_svg(slug: String, context: Shared, visit: Visit) -> Response {
    file(&slug, &context, &visit, Format::Svg).await
}

/// `GET /e/{slug}/qr.png`.
pub(super) async fn qr_png(slug: String, context: Shared, visit: Visit) -> Response {
    file(&slug, &context, &visit, Format::Png).await
}

async fn file(slug: &str, context: &Shared, visit: &Visit, format: Format) -> Response {
    // An image cannot show a page.
    match states::previewed(context, visit, slug).await {
        Ok(shown) => image(context, visit, &shown, format).await,
        Err(problem) => problem.into_response(),
    }
}

async fn image(context: &Context, visit: &Visit, shown: &Shown, format: Format) -> Response {
    let url = visit.absolute(&context.settings, &format!("/e/{}", shown.event.slug));
    let Some(code) = qr::code(&url, format).await else {
        return Problem::new(Code::Busy, "too many codes are being drawn").into_response();
    };
    let etag = reply::content_etag(&code);
    let response = if reply::none_match(&visit.head.headers, &etag) {
        reply::empty(StatusCode::NOT_MODIFIED)
    } else {
        Response::new(code.into())
    };
    let mut response = reply::with_etag(response, etag);
    let headers = response.headers_mut();
    let media_type = match format {
        Format::Svg => "image/svg+xml",
        Format::Png => "image/png",
    };
    for (name, value) in [
        (header::CONTENT_TYPE, media_type),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Any site may show it.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "cross-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// `GET /e/{slug}/poster`.
pub(super) async fn poster(slug: String, context: Shared, visit: Visit) -> Response {
    let shown = match states::previewed(&context, &visit, &slug).await {
        Ok(shown) => shown,
        Err(problem) => return problem_page(&visit, &problem),
    };
    let share = ShareView::new(&context, &visit, shown.event.slug.as_str());
    let template = PosterPage {
        t: visit.texts,
        here: visit.path.clone(),
        event: shown.view(context.clock.now()),
        qr_svg: qr::svg(&share.page_url).await,
        share,
    };
    page(&visit, StatusCode::OK, shown.keep(), &template)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_opens_here_only_is_known() {
        for url in [
            "http://localhost:8080/e/gala",
            "http://events.localhost/e/gala",
            "http://127.0.0.1:8080/e/gala",
            "http://127.9.9.9/e/gala",
            "http://[::1]:8080/e/gala",
            "http://0.0.0.0:8080/e/gala",
            "http://[::]/e/gala",
        ] {
            assert!(opens_here_only(url), "{url}");
        }
        for url in [
            "https://events.example.org/e/gala",
            "http://localhost.example.org/e/gala",
            "http://192.168.1.20:8080/e/gala",
            "http://[2001:db8::1]/e/gala",
            "/e/gala",
        ] {
            assert!(!opens_here_only(url), "{url}");
        }
    }
}
