//! Entity tags (RFC 9110, section 8.8.3) and the preconditions that name them (section 13.1).

use warp::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::domain::position::Position;

/// The states that a client already has, by `If-None-Match` or its cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownPositions {
    /// `*`: any state.
    Any,
    /// These positions. Tags that are no positions cannot match and are left out.
    These(Vec<Position>),
}

impl KnownPositions {
    /// Whether the client has this state already. The comparison is weak (section 13.1.2).
    pub fn has(&self, position: &Position) -> bool {
        match self {
            Self::Any => true,
            Self::These(positions) => positions.contains(position),
        }
    }
}

/// What a precondition names.
#[derive(Debug, PartialEq, Eq)]
pub enum Tags<'a> {
    /// `*`, which stands alone in its field.
    Any,
    /// The members that are entity tags.
    These(Vec<Tag<'a>>),
}

/// One entity tag. Its text may hold any byte but a quote: obs-text is legal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag<'a> {
    /// Whether `W/` precedes it.
    pub weak: bool,
    /// The text between the quotes.
    pub opaque: &'a [u8],
}

impl Tag<'_> {
    /// The position in the quotes; `None` for a foreign tag.
    pub fn position(&self) -> Option<Position> {
        std::str::from_utf8(self.opaque).ok()?.parse().ok()
    }
}

/// The tags of all lines of that field; `None` without such a line. A member that is not a tag
/// counts as not sent, and parsing continues after the next comma.
pub fn tags(headers: &HeaderMap, name: HeaderName) -> Option<Tags<'_>> {
    let lines: Vec<&[u8]> = headers
        .get_all(name)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    match lines[..] {
        [] => None,
        [line] if line.trim_ascii() == b"*" => Some(Tags::Any),
        _ => {
            let mut found = Vec::new();
            for line in lines {
                read(line, &mut found);
            }
            Some(Tags::These(found))
        }
    }
}

fn read<'a>(mut rest: &'a [u8], found: &mut Vec<Tag<'a>>) {
    let comma_after = |text: &'a [u8]| {
        let at = text.iter().position(|b| *b == b',');
        at.map_or(&[][..], |at| &text[at + 1..])
    };
    while let Some(start) = rest.iter().position(|b| !matches!(b, b' ' | b'\t' | b',')) {
        rest = &rest[start..];
        let (weak, quoted) = match rest.strip_prefix(b"W/") {
            Some(quoted) => (true, quoted),
            None => (false, rest),
        };
        let opaque = quoted.strip_prefix(b"\"").and_then(|text| {
            let end = text.iter().position(|b| *b == b'"')?;
            Some((&text[..end], &text[end + 1..]))
        });
        match opaque {
            Some((opaque, after)) => {
                found.push(Tag { weak, opaque });
                rest = after;
            }
            None => rest = comma_after(rest),
        }
    }
}

/// `If-None-Match` of all its lines; `None` when there is none.
pub fn if_none_match(headers: &HeaderMap) -> Option<KnownPositions> {
    Some(match tags(headers, header::IF_NONE_MATCH)? {
        Tags::Any => KnownPositions::Any,
        Tags::These(tags) => KnownPositions::These(tags.iter().filter_map(Tag::position).collect()),
    })
}

/// Whether `If-Match` allows what has no tag: it is absent, or `*` (RFC 9110, section 13.1.1).
pub fn allows_untagged(headers: &HeaderMap) -> bool {
    matches!(tags(headers, header::IF_MATCH), None | Some(Tags::Any))
}

/// Whether `If-None-Match` names what has no tag: it is `*` (RFC 9110, section 13.1.2).
pub fn knows_untagged(headers: &HeaderMap) -> bool {
    tags(headers, header::IF_NONE_MATCH) == Some(Tags::Any)
}

/// The tag of a state; strong, since the bytes are the same for every client.
pub fn of(position: &Position) -> HeaderValue {
    // A position consists of letters, digits and a hyphen.
    HeaderValue::try_from(format!("\"{position}\"")).expect("a position is a header value")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::position::Epoch;
    use proptest::prelude::*;

    fn read(lines: &[&str]) -> Option<KnownPositions> {
        let mut headers = HeaderMap::new();
        for line in lines {
            let line = HeaderValue::from_bytes(line.as_bytes()).unwrap();
            headers.append(header::IF_NONE_MATCH, line);
        }
        if_none_match(&headers)
    }

    #[test]
    fn lists_weak_tags_and_the_star_are_understood() {
        let wanted: Position = "q7f2k9-128".parse().unwrap();
        for (line, has) in [
            ("\"q7f2k9-128\"", true),
            ("W/\"q7f2k9-128\"", true),
            ("\"a\", W/\"q7f2k9-128\" , \"b\"", true),
            ("\"a,b\",\"q7f2k9-128\"", true),
            ("\"a\"\"q7f2k9-128\"", true),
            ("garbage, \"q7f2k9-128\"", true),
            ("\"é\", \"q7f2k9-128\"", true),
            ("é, \"q7f2k9-128\"", true),
            ("\"q7f2k9-128\", \"unfinished", true),
            ("W/é, \"\", W/\"q7f2k9-128\"", true),
            ("\"é q7f2k9-128\"", false),
            ("*", true),
            (" * ", true),
            ("q7f2k9-128", false),
            ("w/\"q7f2k9-128\"", false),
            ("\"q7f2k9-127\"", false),
            ("\"q7f2k9-128", false),
            ("\"\"", false),
            ("", false),
            ("\"x\", *", false),
        ] {
            assert_eq!(read(&[line]).unwrap().has(&wanted), has, "{line}");
        }
        assert!(read(&["\"x\"", "\"q7f2k9-128\""]).unwrap().has(&wanted));
        assert_eq!(read(&[]), None);
    }

    proptest! {
        #[test]
        fn a_list_of_tags_is_read_back(revisions in prop::collection::vec(0..=i64::MAX, 0..8)) {
            let epoch: Epoch = "q7f2k9".parse().unwrap();
            let positions: Vec<_> = revisions
                .into_iter()
                .map(|revision| Position { epoch: epoch.clone(), revision })
                .collect();
            let tags: Vec<_> = positions.iter().map(|position| format!("\"{position}\"")).collect();
            let line = tags.join(", ");
            prop_assert_eq!(read(&[&line]), Some(KnownPositions::These(positions)));
        }

        #[test]
        fn nothing_makes_it_panic(line in "[ -~]{0,60}") {
            let _ = read(&[&line]);
        }
    }
}
