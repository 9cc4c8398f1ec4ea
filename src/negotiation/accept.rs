//! Which media type a client prefers (RFC 9110, section 12.5.1).

use warp::http::{HeaderMap, header};

use super::weight::weighted;

/// A media type's two halves.
type Halves = (&'static str, &'static str);

const HTML: Halves = ("text", "html");
const NDJSON: Halves = ("application", "x-ndjson");
const EVENTS: Halves = ("text", "event-stream");
const PROBLEM: Halves = ("application", "problem+json");

/// The media types that live addresses offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// `application/json`
    Json,
    /// `text/event-stream`
    EventStream,
}

impl Media {
    fn halves(self) -> Halves {
        match self {
            Self::Json => ("application", "json"),
            Self::EventStream => EVENTS,
        }
    }
}

/// Whether this is a type and a subtype, each a token (RFC 9110, sections 5.6.2 and 12.5.1).
fn is_range(text: &str) -> bool {
    let is_token = |half: &str| {
        !half.is_empty()
            && half
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
    };
    text.split_once('/')
        .is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

/// The ranges of `Accept`; empty when the client sent none that is valid.
struct Accept(Vec<(String, u16)>);

impl Accept {
    fn of(headers: &HeaderMap) -> Self {
        let mut ranges = weighted(headers, header::ACCEPT);
        for (range, _) in &mut ranges {
            // Java's clients have always sent `*; q=.2` for "anything else".
            if range == "*" {
                range.push_str("/*");
            }
        }
        ranges.retain(|(range, _)| is_range(range));
        Self(ranges)
    }

    /// The weight of a media type, in thousandths: the most specific range that covers it decides.
    fn quality(&self, (kind, subtype): Halves) -> u16 {
        let mut best = (0, 0);
        for (range, weight) in &self.0 {
            let Some((range_kind, range_subtype)) = range.split_once('/') else {
                continue;
            };
            let same_kind = range_kind.eq_ignore_ascii_case(kind);
            let specific = match (range_kind, range_subtype) {
                ("*", "*") => 1,
                (_, "*") if same_kind => 2,
                (_, exact) if same_kind && exact.eq_ignore_ascii_case(subtype) => 3,
                _ => continue,
            };
            if specific > best.0 {
                best = (specific, *weight);
            }
        }
        best.1
    }
}

/// Whether a person reads the answer: a browser's navigation prefers HTML to JSON. A client that
/// accepts both equally, or says nothing, is a program.
pub fn prefers_html(headers: &HeaderMap) -> bool {
    let accept = Accept::of(headers);
    let json = accept
        .quality(Media::Json.halves())
        .max(accept.quality(PROBLEM));
    accept.quality(HTML) > json
}

/// Whether the client prefers NDJSON to events. One that accepts neither gets events, as
/// `EventSource` does.
pub fn prefers_lines(headers: &HeaderMap) -> bool {
    let accept = Accept::of(headers);
    accept.quality(NDJSON) > accept.quality(EVENTS)
}

/// Whether the client prefers JSON or events: JSON if it accepts both equally, or says nothing.
/// `None`: neither.
pub fn preferred(headers: &HeaderMap) -> Option<Media> {
    let accept = Accept::of(headers);
    if accept.0.is_empty() {
        return Some(Media::Json);
    }
    let [json, stream] =
        [Media::Json, Media::EventStream].map(|media| accept.quality(media.halves()));
    match (json, stream) {
        (0, 0) => None,
        (json, stream) if json >= stream => Some(Media::Json),
        _ => Some(Media::EventStream),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(accept: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())])
    }

    #[test]
    fn the_most_specific_range_decides() {
        for (accept, expected) in [
            ("", Some(Media::Json)),
            ("*/*", Some(Media::Json)),
            ("/", Some(Media::Json)),
            ("text/, /json, a b/c, text/html/x", Some(Media::Json)),
            ("application/json", Some(Media::Json)),
            ("application/*", Some(Media::Json)),
            ("*", Some(Media::Json)),
            (
                "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
                Some(Media::Json),
            ),
            ("text/event-stream;q=.3, *;q=.2", Some(Media::EventStream)),
            ("application/json;q=.2, *", Some(Media::EventStream)),
            ("text/html;q=0.3333, */*;q=0.11111", Some(Media::Json)),
            ("*;q=0", None),
            ("*;q=.0", None),
            ("**, image/*;q=.5", None),
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
            ("garbage, ;;;", Some(Media::Json)),
            ("application/json; charset=utf-8; q=0.3", Some(Media::Json)),
            (
                "application/json;x=\"a, text/event-stream\";q=0.3",
                Some(Media::Json),
            ),
            (
                "text/event-stream;x=\"application/json,\"",
                Some(Media::EventStream),
            ),
            (
                "application/json;x=\";q=0\", text/event-stream;q=0.5",
                Some(Media::Json),
            ),
        ] {
            assert_eq!(preferred(&of(accept)), expected, "{accept}");
        }
        assert_eq!(preferred(&HeaderMap::new()), Some(Media::Json));
    }

    #[test]
    fn people_get_pages_and_programs_get_documents() {
        for (accept, expected) in [
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                true,
            ),
            ("text/html", true),
            ("text/*;q=0.1", true),
            ("application/problem+json;q=0.2, text/html;q=0.5", true),
            ("text/html, application/json", false),
            ("text/html, application/problem+json", false),
            ("application/json, text/html;q=0.5", false),
            ("application/json", false),
            ("*/*", false),
            ("text/html;q=0", false),
            ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", true),
            ("*", false),
            ("image/avif,image/webp,*/*", false),
            ("", false),
        ] {
            assert_eq!(prefers_html(&of(accept)), expected, "{accept}");
        }
        assert!(!prefers_html(&HeaderMap::new()));
    }

    #[test]
    fn several_lines_are_one_list() {
        let mut headers = of("application/json;q=0.1");
        headers.append(header::ACCEPT, "text/event-stream".parse().unwrap());
        assert_eq!(preferred(&headers), Some(Media::EventStream));
    }
}
