//! Which media type a client prefers (RFC 9110, section 12.5.1).

use warp::http::{HeaderMap, header};

/// The media types that are offered here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// `application/json`
    Json,
    /// `text/event-stream`
    EventStream,
}

impl Media {
    fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::Json => ("application", "json"),
            Self::EventStream => ("text", "event-stream"),
        }
    }

    fn quality(self, accept: &str) -> u16 {
        quality(self.parts(), accept)
    }
}

/// How much `accept` wants a media type, in thousandths: the most specific range that covers it decides.
fn quality((kind, subtype): (&str, &str), accept: &str) -> u16 {
    let mut best = (0, 0);
    for range in accept.split(',') {
        let mut parameters = range.split(';').map(str::trim);
        let Some((range_kind, range_subtype)) =
            parameters.next().and_then(|range| range.split_once('/'))
        else {
            continue;
        };
        let specific = match (range_kind, range_subtype) {
            ("*", "*") => 1,
            (range_kind, "*") if range_kind.eq_ignore_ascii_case(kind) => 2,
            (range_kind, range_subtype)
                if range_kind.eq_ignore_ascii_case(kind)
                    && range_subtype.eq_ignore_ascii_case(subtype) =>
            {
                3
            }
            _ => continue,
        };
        if specific > best.0 {
            best = (specific, weight(parameters));
        }
    }
    best.1
}

/// The weight among a range's parameters, in thousandths; 1000 without one. What is no number counts as none.
fn weight<'a>(mut parameters: impl Iterator<Item = &'a str>) -> u16 {
    let given = parameters.find_map(|parameter| {
        parameter
            .strip_prefix("q=")
            .or_else(|| parameter.strip_prefix("Q="))
    });
    match given.and_then(|q| q.parse::<f32>().ok()) {
        // Clamped to 0..=1 first, so the product fits.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 1000"
        )]
        Some(q) => (q.clamp(0.0, 1.0) * 1000.0) as u16,
        None => 1000,
    }
}

/// Whether a person shall read the answer: a browser's navigation likes HTML better than JSON.
pub fn prefers_html(headers: &HeaderMap) -> bool {
    let accept = accept(headers);
    quality(("text", "html"), &accept) > Media::Json.quality(&accept)
}

/// What the client likes best of JSON and events; JSON where it likes both alike, and where it says nothing. `None`: neither.
pub fn preferred(headers: &HeaderMap) -> Option<Media> {
    let accept = accept(headers);
    if accept.trim().is_empty() {
        return Some(Media::Json);
    }
    match (
        Media::Json.quality(&accept),
        Media::EventStream.quality(&accept),
    ) {
        (0, 0) => None,
        (json, stream) if json >= stream => Some(Media::Json),
        _ => Some(Media::EventStream),
    }
}

/// Several lines are one list (RFC 9110, section 5.3).
fn accept(headers: &HeaderMap) -> String {
    let lines: Vec<_> = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .collect();
    lines.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_range_decides() {
        for (accept, expected) in [
            ("", Some(Media::Json)),
            ("*/*", Some(Media::Json)),
            ("application/json", Some(Media::Json)),
            ("application/*", Some(Media::Json)),
            ("text/event-stream", Some(Media::EventStream)),
            ("Text/Event-Stream", Some(Media::EventStream)),
            ("text/event-stream, application/json", Some(Media::Json)),
            (
                "text/event-stream, application/json;q=0.5",
                Some(Media::EventStream),
            ),
            ("text/event-stream, */*;q=0.1", Some(Media::EventStream)),
            ("application/json;q=0, */*", Some(Media::EventStream)),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                Some(Media::Json),
            ),
            ("text/html", None),
            ("*/*;q=0", None),
            ("image/png, garbage, ;;;", None),
            ("application/json; charset=utf-8; q=0.3", Some(Media::Json)),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            assert_eq!(preferred(&headers), expected, "{accept}");
        }
        assert_eq!(preferred(&HeaderMap::new()), Some(Media::Json));
    }

    #[test]
    fn only_a_browser_prefers_html() {
        for (accept, expected) in [
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                true,
            ),
            ("text/html", true),
            ("text/html, application/json", false),
            ("application/json", false),
            ("*/*", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
            assert_eq!(prefers_html(&headers), expected, "{accept}");
        }
        assert!(!prefers_html(&HeaderMap::new()));
    }

    #[test]
    fn several_lines_are_one_list() {
        let mut headers = HeaderMap::new();
        headers.append(header::ACCEPT, "application/json;q=0.1".parse().unwrap());
        headers.append(header::ACCEPT, "text/event-stream".parse().unwrap());
        assert_eq!(preferred(&headers), Some(Media::EventStream));
    }
}
