//! The client's address, as reported by trusted proxies.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

/// Whether `address` is one of the proxies that are `trusted`.
pub(super) fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    let address = address.to_canonical();
    trusted.iter().any(|network| network.contains(&address))
}

/// The client's address. Each proxy appends the address it heard. So the right-most address that is
/// not a trusted proxy is the last one that a trusted proxy has seen. A client could have forged
/// the entries to its left. If an entry is not an address, the one to its right counts.
pub(super) fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut nearest = peer.to_canonical();
    // Several lines are one list (RFC 9110, section 5.2).
    let lines = headers.get_all("x-forwarded-for");
    let entries = lines
        .iter()
        .rev()
        .flat_map(|line| line.as_bytes().rsplit(|&byte| byte == b','));
    for entry in entries {
        if !is_trusted(nearest, trusted) {
            break;
        }
        let Some(address) = parse(entry) else { break };
        nearest = address;
    }
    nearest
}

/// Whether the client used TLS to the proxy. Only trusted peers may say so. The right-most value is
/// the nearest proxy's own.
pub(super) fn says_https(headers: &HeaderMap) -> bool {
    let last = headers.get_all("x-forwarded-proto").iter().next_back();
    last.and_then(|line| line.as_bytes().rsplit(|&byte| byte == b',').next())
        .is_some_and(|scheme| scheme.trim_ascii().eq_ignore_ascii_case(b"https"))
}

/// An address with or without port and brackets: proxies differ.
fn parse(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry.trim_ascii())
        .ok()?
        .trim_matches('"');
    let address = text
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()))
        .or_else(|_| text.trim_start_matches('[').trim_end_matches(']').parse())
        .ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rightmost_untrusted_address_is_the_client() {
        let trusted: Vec<IpNet> = ["10.0.0.0/8", "127.0.0.1/32", "fd00::/8"]
            .map(|net| net.parse().unwrap())
            .to_vec();
        let table: &[(&str, &[&str], &str, &str)] = &[
            (
                "192.0.2.9",
                &["203.0.113.1"],
                "192.0.2.9",
                "an untrusted peer says nothing about others",
            ),
            ("10.0.0.1", &[], "10.0.0.1", "no header"),
            ("10.0.0.1", &["203.0.113.1"], "203.0.113.1", "one proxy"),
            (
                "10.0.0.1",
                &["198.51.100.7, 203.0.113.1"],
                "203.0.113.1",
                "the client invented an entry",
            ),
            (
                "10.0.0.1",
                &["203.0.113.1, 10.0.0.2"],
                "203.0.113.1",
                "two trusted proxies",
            ),
            (
                "10.0.0.1",
                &["198.51.100.7", "203.0.113.1,10.0.0.2"],
                "203.0.113.1",
                "two lines are one list",
            ),
            (
                "10.0.0.1",
                &["203.0.113.1", "10.0.0.2"],
                "203.0.113.1",
                "the second line is nearer",
            ),
            (
                "10.0.0.1",
                &["10.0.0.3, 10.0.0.2"],
                "10.0.0.3",
                "a client inside the trusted network",
            ),
            (
                "10.0.0.1",
                &["203.0.113.1:4711"],
                "203.0.113.1",
                "with a port",
            ),
            (
                "10.0.0.1",
                &["[2001:db8::1]:4711"],
                "2001:db8::1",
                "IPv6 with a port",
            ),
            (
                "10.0.0.1",
                &["[2001:db8::1]"],
                "2001:db8::1",
                "IPv6 in brackets",
            ),
            (
                "10.0.0.1",
                &["\"[2001:db8::1]:4711\""],
                "2001:db8::1",
                "quoted",
            ),
            ("10.0.0.1", &["2001:db8::1"], "2001:db8::1", "IPv6"),
            ("10.0.0.1", &["::ffff:203.0.113.1"], "203.0.113.1", "mapped"),
            (
                "10.0.0.1",
                &["203.0.113.1, unknown"],
                "10.0.0.1",
                "no address: the proxy itself is the last known",
            ),
            (
                "10.0.0.1",
                &["203.0.113.1, unknown, 10.0.0.2"],
                "10.0.0.2",
                "no address behind a trusted one",
            ),
            ("10.0.0.1", &[""], "10.0.0.1", "empty"),
            (
                "10.0.0.1",
                &["203.0.113.1,"],
                "10.0.0.1",
                "an empty last entry",
            ),
            (
                "::ffff:10.0.0.1",
                &["203.0.113.1"],
                "203.0.113.1",
                "a mapped proxy",
            ),
            ("fd00::1", &["203.0.113.1"], "203.0.113.1", "an IPv6 proxy"),
        ];
        for (peer, lines, expected, why) in table {
            let mut headers = HeaderMap::new();
            for line in *lines {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            assert_eq!(
                client(peer.parse().unwrap(), &headers, &trusted),
                expected.parse::<IpAddr>().unwrap(),
                "{why}"
            );
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_no_address() {
        let mut headers = HeaderMap::new();
        headers.append(
            "x-forwarded-for",
            http::HeaderValue::from_bytes(b"203.0.113.1, \xff").unwrap(),
        );
        let peer: IpAddr = "127.0.0.1".parse().unwrap();
        assert_eq!(
            client(peer, &headers, &["127.0.0.0/8".parse().unwrap()]),
            peer
        );
    }

    #[test]
    fn the_nearest_proxy_says_the_scheme() {
        for (line, expected) in [
            ("https", true),
            ("HTTPS", true),
            ("http", false),
            ("https, http", false),
            ("http,https", true),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.append("x-forwarded-proto", line.parse().unwrap());
            assert_eq!(says_https(&headers), expected, "{line:?}");
        }
    }
}
