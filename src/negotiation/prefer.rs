//! The `Prefer` header (RFC 7240): only `wait` is understood.

use warp::http::{HeaderMap, HeaderName};

use super::list;

/// RFC 7240, section 2.
const PREFER: HeaderName = HeaderName::from_static("prefer");
/// RFC 7240, section 3.
pub const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// `wait` in seconds (section 4.3). Of several only the first counts (section 2); one that cannot
/// be read counts as not sent.
pub fn wait(headers: &HeaderMap) -> Option<u64> {
    let preferences = list::members(headers, PREFER);
    preferences.iter().find_map(|preference| {
        // Parameters of a preference follow a semicolon; `wait` has none.
        let (name, value) = list::pair(list::split(preference, ';').next()?)?;
        name.eq_ignore_ascii_case("wait").then(|| seconds(&value))
    })?
}

/// A whole number of seconds; a larger one than fits counts as the largest.
pub fn seconds(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(lines: &[&str]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(PREFER, line.parse().unwrap());
        }
        wait(&headers)
    }

    #[test]
    fn wait_is_found_in_any_spelling() {
        for (line, expected) in [
            ("wait=20", Some(20)),
            ("Wait=20", Some(20)),
            ("wait = 20", Some(20)),
            ("wait=\"20\"", Some(20)),
            ("respond-async, wait=10", Some(10)),
            ("respond-async;foo=bar,  WAIT=10 ; x=y", Some(10)),
            ("foo=\"a, wait=3\", wait=4", Some(4)),
            ("foo=\"a\\\", wait=3\", wait=4", Some(4)),
            ("wait=1, wait=2", Some(1)),
            ("wait=0", Some(0)),
            ("wait=99999999999999999999999", Some(u64::MAX)),
            ("wait", None),
            ("wait=", None),
            ("wait=-1", None),
            ("wait=1.5", None),
            ("wait=soon, wait=5", None),
            ("waiting=5", None),
            ("foo=\"wait=3\"", None),
            ("foo;x=\"a, wait=3; wait=4\", wait=\"5\"", Some(5)),
            ("wait=\"5", None),
            ("", None),
        ] {
            assert_eq!(read(&[line]), expected, "{line}");
        }
        assert_eq!(read(&["return=minimal", "wait=7"]), Some(7));
        assert_eq!(read(&[]), None);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(line in "[ -~]{0,60}") {
            let _ = read(&[&line]);
        }
    }
}
