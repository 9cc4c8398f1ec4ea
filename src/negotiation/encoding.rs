//! Which content coding a client takes (RFC 9110, section 12.5.3).

use warp::http::{HeaderMap, header};

use super::weight::weighted;

/// Whether the client takes gzip, and likes it at least as much as bytes without a coding.
pub fn accepts_gzip(headers: &HeaderMap) -> bool {
    let codings = weighted(headers, header::ACCEPT_ENCODING);
    let weight = |wanted: &str| {
        let mut found = codings.iter();
        found.find_map(|(coding, weight)| coding.eq_ignore_ascii_case(wanted).then_some(*weight))
    };
    // `x-gzip` is the same coding (RFC 9110, section 8.4.1.3).
    let gzip = weight("gzip").or_else(|| weight("x-gzip"));
    let gzip = gzip.or_else(|| weight("*")).unwrap_or(0);
    gzip > 0 && gzip >= weight("identity").unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_those_who_ask_for_it() {
        for (accept, expected) in [
            ("gzip, deflate, br, zstd", true),
            ("GZIP;q=0.1", true),
            ("x-gzip", true),
            ("*", true),
            ("br;q=1, *;q=0.5", true),
            ("", false),
            ("br", false),
            ("gzip;q=0", false),
            ("gzip;q=0, *", false),
            ("identity", false),
            ("identity, gzip;q=0.5", false),
            ("identity;q=0.5, gzip", true),
        ] {
            let headers =
                HeaderMap::from_iter([(header::ACCEPT_ENCODING, accept.parse().unwrap())]);
            assert_eq!(accepts_gzip(&headers), expected, "{accept}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
