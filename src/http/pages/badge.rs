//! The count as a small image, for a site that can show images only.

use askama::Template as _;
use warp::http::header::{self, HeaderName};
use warp::http::{HeaderValue, StatusCode};
use warp::reply::Response;

use super::states::{self, Shown};
use super::templates::Badge;
use super::visit::Visit;
use crate::context::Shared;
use crate::http::reply;
use crate::problem::{Code, Problem};
use crate::text::Texts;

/// `GET /e/{slug}/badge.svg`.
pub(super) async fn show(slug: String, context: Shared, visit: Visit) -> Response {
    match states::for_all(&context, &slug).await {
        Ok(shown) => answer(&shown, &visit),
        // An image cannot show a page.
        Err(problem) => problem.into_response(),
    }
}

fn answer(shown: &Shown, visit: &Visit) -> Response {
    // The other language's badge is another representation, and so has another tag (RFC 9110, section 8.8.3).
    let suffix = if visit.texts.lang() == Texts::default().lang() {
        String::new()
    } else {
        format!("-{}", visit.texts.lang())
    };
    // Letters, digits and hyphens in quotes; writing into a string cannot fail.
    let (Ok(etag), Ok(svg)) = (
        HeaderValue::try_from(format!("\"{}{suffix}\"", shown.event.position())),
        draw(shown, visit.texts).render(),
    ) else {
        return Problem::new(Code::Internal, "the badge cannot be drawn").into_response();
    };
    let known = reply::none_match(&visit.head.headers, &etag);
    let response = if known {
        reply::empty(StatusCode::NOT_MODIFIED)
    } else {
        Response::new(svg.into())
    };
    let mut response = reply::with_etag(response, etag);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("image/svg+xml"),
    );
    headers.insert(
        header::VARY,
        HeaderValue::from_static("Accept-Language, Cookie"),
    );
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'"),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    // Any site may show it.
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    response
}

fn draw(shown: &Shown, texts: Texts) -> Badge {
    let count = shown.event.headcount();
    let registered = texts.number(&count.registered);
    let value = count.capacity.get().map_or_else(
        || registered.clone(),
        |capacity| format!("{registered} / {}", texts.number(&capacity)),
    );
    let label = texts.get("badge-label");
    Badge {
        label_width: width(&label),
        value_width: width(&value),
        label,
        value,
    }
}

/// About 7 pixels a Latin character, 12 a Chinese one, and room at both ends.
fn width(text: &str) -> u32 {
    text.chars()
        .map(|c| if c.is_ascii() { 7 } else { 12 })
        .sum::<u32>()
        + 18
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::language::Language;
    use crate::http::pages::samples;

    #[test]
    fn a_badge_is_as_wide_as_its_words() {
        let mut event = samples::event();
        event.registered = 1_297;
        let badge = draw(&Arc::new(event).into(), Texts::new(Language::Chinese));
        assert_eq!(
            (badge.value.as_str(), badge.value_width),
            ("1,297 / 100", 11 * 7 + 18)
        );
        assert_eq!(badge.label_width, 3 * 12 + 18, "{}", badge.label);
        assert!(badge.render().unwrap().starts_with("<svg "));
    }

    #[test]
    fn a_badge_is_sent_once_for_each_position() {
        let shown = Shown::from(Arc::new(samples::event()));
        let first = answer(&shown, &samples::visit(&[]));
        assert_eq!(first.headers()["etag"], "\"q7f2k9-128\"");
        assert_eq!(
            answer(
                &shown,
                &samples::visit(&[("if-none-match", "\"q7f2k9-128\"")])
            )
            .status(),
            304
        );
        assert_eq!(
            answer(
                &shown,
                &samples::visit(&[("if-none-match", "\"q7f2k9-127\"")])
            )
            .status(),
            200
        );
        assert_eq!(
            answer(
                &shown,
                &samples::visit(&[
                    ("if-none-match", "\"q7f2k9-128\""),
                    ("accept-language", "zh")
                ])
            )
            .status(),
            200
        );
    }
}
