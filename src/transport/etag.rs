//! Entity tags: the position in quotes (RFC 9110, section 8.8.3).

use warp::http::{HeaderMap, HeaderValue, header};

use crate::domain::position::Position;

/// What `If-None-Match` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// `*`: whatever there is.
    Any,
    /// These positions. Tags that are no positions cannot match and are left out.
    These(Vec<Position>),
}

impl Known {
    /// Whether the client has this state already. The comparison is weak (RFC 9110, section 13.1.2).
    pub fn has(&self, position: &Position) -> bool {
        match self {
            Self::Any => true,
            Self::These(positions) => positions.contains(position),
        }
    }
}

/// `If-None-Match` of all its lines; `None` when there is none.
pub fn if_none_match(headers: &HeaderMap) -> Option<Known> {
    let mut lines = headers.get_all(header::IF_NONE_MATCH).iter().peekable();
    lines.peek()?;
    let mut positions = Vec::new();
    for line in lines {
        // What is no text names no position of ours.
        let Ok(line) = line.to_str() else { continue };
        if line.trim() == "*" {
            return Some(Known::Any);
        }
        positions.extend(tags(line).filter_map(|tag| tag.parse().ok()));
    }
    Some(Known::These(positions))
}

/// The opaque parts of a list of entity tags; from what is none it goes on behind the next comma.
fn tags(mut rest: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            if rest.is_empty() {
                return None;
            }
            let opaque = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"');
            if let Some((tag, after)) = opaque.and_then(|opaque| opaque.split_once('"')) {
                rest = after;
                return Some(tag);
            }
            rest = rest.split_once(',').map_or("", |(_, after)| after);
        }
    })
}

/// The tag of a state; strong, since the bytes are the same for every client.
pub(crate) fn of(position: &Position) -> HeaderValue {
    // A position consists of letters, digits and a hyphen.
    HeaderValue::try_from(format!("\"{position}\"")).expect("a position is a header value")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(lines: &[&str]) -> Option<Known> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::IF_NONE_MATCH, line.parse().unwrap());
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
            ("*", true),
            (" * ", true),
            ("q7f2k9-128", false),
            ("w/\"q7f2k9-128\"", false),
            ("\"q7f2k9-127\"", false),
            ("\"q7f2k9-128", false),
            ("\"\"", false),
            ("", false),
        ] {
            assert_eq!(read(&[line]).unwrap().has(&wanted), has, "{line}");
        }
        assert!(read(&["\"x\"", "\"q7f2k9-128\""]).unwrap().has(&wanted));
        assert_eq!(read(&[]), None);
    }

    proptest! {
        #[test]
        fn a_list_of_tags_is_read_back(revisions in prop::collection::vec(0..=i64::MAX, 0..8)) {
            let positions: Vec<Position> = revisions.into_iter().map(|revision| Position { epoch: "q7f2k9".parse().unwrap(), revision }).collect();
            let line = positions.iter().map(|position| format!("\"{position}\"")).collect::<Vec<_>>().join(", ");
            prop_assert_eq!(read(&[&line]), Some(Known::These(positions)));
        }

        #[test]
        fn nothing_makes_it_panic(line in "[ -~]{0,60}") {
            let _ = read(&[&line]);
        }
    }
}
