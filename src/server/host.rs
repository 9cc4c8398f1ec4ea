//! The grammar of `Host` (RFC 9110, section 7.2; RFC 3986, section 3.2.2).

use std::net::Ipv6Addr;

/// The longest `Host`: a name in the DNS has at most 253 letters (RFC 1035, section 2.3.4), and
/// what is copied into every link must not be long.
const MAX_HOST: usize = 255;
/// Whether the bytes are `uri-host [ ":" port ]` (RFC 9110, section 7.2), or nothing, which is how
/// a client says that its target has no host. The sub-delimiters of RFC 3986 are left out: no host
/// name has them, and with a comma a proxy joins two fields.
pub(super) fn is_host(host: &[u8]) -> bool {
    if host.len() > MAX_HOST {
        return false;
    }
    let (name, port) = if let [b'[', rest @ ..] = host {
        let Some(end) = rest.iter().position(|&byte| byte == b']') else {
            return false;
        };
        let address = std::str::from_utf8(&rest[..end]).unwrap_or_default();
        if address.parse::<Ipv6Addr>().is_err() {
            return false;
        }
        (&b""[..], &rest[end + 1..])
    } else {
        let colon = host.iter().position(|&byte| byte == b':');
        host.split_at(colon.unwrap_or(host.len()))
    };
    let port = match port {
        [] => true,
        [b':', digits @ ..] => {
            let digits = std::str::from_utf8(digits).unwrap_or("x");
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            plain && (digits.is_empty() || digits.parse::<u16>().is_ok())
        }
        _ => false,
    };
    // A port alone is of no host.
    let named = !name.is_empty() || host.is_empty() || host.starts_with(b"[");
    port && named && is_name(name)
}

fn is_name(name: &[u8]) -> bool {
    let mut rest = name;
    while let [first, after @ ..] = rest {
        rest = match (first, after) {
            (b'%', [high, low, after @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                after
            }
            (byte, after) if is_unreserved(*byte) => after,
            _ => return false,
        };
    }
    true
}

/// RFC 3986, section 2.3.
pub(super) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_and_maybe_a_port() {
        for valid in [
            "",
            "example.org",
            "EXAMPLE.org.",
            "a_b.example:8080",
            "192.0.2.1:80",
            "[2001:db8::1]",
            "[::1]:8443",
            "localhost:",
            "xn--bcher-kva.example",
            "%C3%BC.example",
            &"a".repeat(255),
        ] {
            assert!(is_host(valid.as_bytes()), "{valid}");
        }
        for invalid in [
            "a b",
            "a, b",
            "a,b",
            "u@a",
            "u:p@a",
            "a:x",
            "a:-1",
            "a:65536",
            "a:80:80",
            ":80",
            "a/b",
            "a?b",
            "a#b",
            "a\\b",
            "a\"b",
            "a'b",
            "a<b>",
            "a%zz",
            "a%2",
            "[::1",
            "[::1]x",
            "[::1]:x",
            "[nothing]",
            "[fe80::1%25eth0]",
            "::1",
            "b\u{fc}cher.example",
            "a\tb",
            &"a".repeat(256),
        ] {
            assert!(!is_host(invalid.as_bytes()), "{invalid}");
        }
    }
}
