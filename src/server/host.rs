//! The grammar of `Host` (RFC 9110, section 7.2; RFC 3986, section 3.2.2).

use std::net::Ipv6Addr;

/// The longest `Host`: a name in the DNS has at most 253 letters (RFC 1035, section 2.3.4). Every
/// link contains it, so it must not be long.
const MAX_HOST: usize = 255;
/// Whether the bytes are `uri-host [ ":" port ]` (RFC 9110, section 7.2). An empty value is
/// allowed: it means that the target has no host. The sub-delimiters of RFC 3986 are left out: no
/// host name has them, and with a comma a proxy joins two fields.
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

/// Whether a name is valid once its escapes are decoded (RFC 3986, section 3.2.2, allows them). Its
/// labels consist of letters, digits and `-_~` and are not empty; a dot may follow the last one.
/// Links contain it, so it must not hide a line break, a slash or `..`.
fn is_name(name: &[u8]) -> bool {
    let Some(name) = decode(name) else {
        return false;
    };
    let labels = name.strip_suffix('.').unwrap_or(&name);
    let is_label = |label: &str| !label.is_empty() && label.chars().all(is_plain);
    name.is_empty() || labels.split('.').all(is_label)
}

/// Letters of other scripts come in escapes only; a raw byte of theirs is refused before.
fn is_plain(c: char) -> bool {
    match u8::try_from(c) {
        Ok(byte) if byte.is_ascii() => is_unreserved(byte),
        Ok(_) | Err(_) => c.is_alphanumeric(),
    }
}

/// Decodes escapes; `None` when one is broken, when a byte needs one, or when the result is not
/// UTF-8.
fn decode(name: &[u8]) -> Option<String> {
    let mut decoded = Vec::with_capacity(name.len());
    let mut rest = name;
    while let [first, after @ ..] = rest {
        rest = match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                let byte = digit(high)? * 16 + digit(low)?;
                decoded.push(u8::try_from(byte).ok()?);
                after
            }
            (byte, after) if is_unreserved(*byte) => {
                decoded.push(*byte);
                after
            }
            _ => return None,
        };
    }
    String::from_utf8(decoded).ok()
}

/// RFC 3986, section 2.3.
pub(super) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_sane_name_or_an_address_and_maybe_a_port() {
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
            "%65xample.org",
            "%E4%BE%8B%E5%AD%90.example",
            "a-b.c_d.~e",
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
            "a%0d%0ab",
            "a%00b",
            "a%2fb",
            "a%5cb",
            "a%20b",
            "a%40b",
            "a%3a80",
            "a%25b",
            "a%7fb",
            "a%ff",
            "a%c3",
            "a%e2%80%ae",
            "a%e3%80%82b",
            ".",
            "..",
            ".a",
            "a..b",
            "a..",
            ".a.",
            "a%2e.b",
            "%2e%2e",
            "..:80",
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
