//! Finds the counts in the endless HTML document of an iframe (docs/protocol.md, section 6). Pure:
//! bytes in, JSON out.
//!
//! It searches for markers instead of parsing HTML. The server escapes `<` and `"` inside
//! attributes, so a marker cannot occur in a value. A full parser would be too much for thousands
//! of watchers.

use std::time::Duration;

/// The text before a count.
const COUNT: &[u8] = b"<p data-count=\"";
/// The text before the time of the reload.
const REFRESH: &[u8] = b"http-equiv=\"refresh\" content=\"";
/// The longest value. A document with a longer one is not Headcount's.
const LONGEST: usize = 64 * 1024;

/// What a piece of the document completes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// A count, as JSON.
    Count(String),
    /// How long after its end the document loads itself again.
    Refresh(Duration),
}

/// Parses the document in pieces of any size.
#[derive(Debug, Default)]
pub(super) struct FrameParser {
    rest: Vec<u8>,
}

/// A value that is longer than any of Headcount's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong;

impl FrameParser {
    /// Adds a piece and returns what it completes.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<Vec<Found>, TooLong> {
        self.rest.extend_from_slice(piece);
        let mut found = Vec::new();
        let mut from = 0;
        loop {
            let rest = &self.rest[from..];
            let next = [COUNT, REFRESH]
                .into_iter()
                .filter_map(|marker| find(rest, marker).map(|at| (at, marker)))
                .min();
            let Some((at, marker)) = next else {
                // The piece may end inside a marker.
                from += rest
                    .len()
                    .saturating_sub(REFRESH.len().max(COUNT.len()) - 1);
                break;
            };
            let value = &rest[at + marker.len()..];
            let Some(end) = find(value, b"\"") else {
                from += at;
                break;
            };
            let text = unescape(&String::from_utf8_lossy(&value[..end]));
            if marker == COUNT {
                found.push(Found::Count(text));
            } else if let Some(seconds) = text
                .split(';')
                .next()
                .and_then(|seconds| seconds.trim().parse().ok())
            {
                found.push(Found::Refresh(Duration::from_secs(seconds)));
            }
            from += at + marker.len() + end + 1;
        }
        self.rest.drain(..from);
        if self.rest.len() > LONGEST {
            Err(TooLong)
        } else {
            Ok(found)
        }
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// Undoes the escaping of an attribute: the named references of JSON's own characters, and any
/// numeric one.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let reference = rest
            .find(';')
            .and_then(|end| Some((character(&rest[1..end])?, end)));
        let (c, end) = reference.unwrap_or(('&', 0));
        out.push(c);
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    out
}

fn character(reference: &str) -> Option<char> {
    match reference {
        "quot" => Some('"'),
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "apos" => Some('\''),
        _ => {
            let digits = reference.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cli::client::count::example;

    fn escape(text: &str) -> String {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;")
    }

    fn read(document: &str, sizes: impl Iterator<Item = usize>) -> Vec<Found> {
        let (mut parser, mut rest, mut found) =
            (FrameParser::default(), document.as_bytes(), Vec::new());
        for size in sizes {
            let (piece, after) = rest.split_at(size.min(rest.len()));
            found.extend(parser.push(piece).unwrap());
            rest = after;
        }
        found
    }

    #[test]
    fn reads_a_document_that_comes_byte_by_byte() {
        let (first, second) = (example(1, 96).1, example(2, 97).1);
        let document = format!(
            "<!doctype html><head><meta http-equiv=\"refresh\" content=\"2\">\
             <style>p:has(+ p){{display:none}}</style>\n<!-- {} -->\n\
             <p data-count=\"{}\">96 / 100</p>\n<p data-count=\"{}\">97 / 100</p>\n",
            " ".repeat(2_000),
            escape(&first),
            escape(&second)
        );
        let expected = [
            Found::Refresh(Duration::from_secs(2)),
            Found::Count(first),
            Found::Count(second),
        ];
        assert_eq!(
            read(&document, std::iter::repeat_n(1, document.len())),
            expected
        );
        assert_eq!(read(&document, [document.len()].into_iter()), expected);
    }

    #[test]
    fn keeps_what_is_no_reference_and_gives_up_on_what_has_no_end() {
        assert_eq!(
            unescape("a &amp;amp; &#x4e2d;&#25968; & &unknown; &#xd800; &"),
            "a &amp; 中数 & &unknown; &#xd800; &"
        );
        let mut parser = FrameParser::default();
        assert_eq!(parser.push(COUNT), Ok(vec![]));
        assert_eq!(parser.push(&vec![b'x'; LONGEST + 1]), Err(TooLong));
        // Text between the counts is not held.
        let mut parser = FrameParser::default();
        assert_eq!(parser.push(&vec![b'<'; LONGEST * 2]), Ok(vec![]));
        assert!(parser.rest.len() < REFRESH.len());
    }

    proptest! {
        #[test]
        fn any_text_comes_back_however_it_is_cut(
            texts in proptest::collection::vec("\\PC{0,20}", 1..4),
            sizes in proptest::collection::vec(1..9usize, 400),
        ) {
            let counts = texts.iter().map(|text| format!("<p data-count=\"{}\">1</p>", escape(text)));
            let document: String = counts.collect();
            let expected: Vec<_> = texts.into_iter().map(Found::Count).collect();
            let sizes = sizes.into_iter().chain([document.len()]);
            prop_assert_eq!(read(&document, sizes), expected);
        }
    }
}
