//! Names and values as forms and queries write them (`application/x-www-form-urlencoded`).

use percent_encoding::percent_decode;
use serde::Deserialize;

/// Why a text could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    /// The pair that begins at this byte is not UTF-8, percent-encoded or not.
    #[error("the field at byte {0} is not UTF-8")]
    NotUtf8(usize),
    /// The fields do not match the type.
    #[error("{0}")]
    Fields(String),
}

/// Reads the fields. The URL standard's decoder replaces what is not UTF-8, and a name must not be
/// stored like that.
pub(super) fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Unreadable> {
    let mut begin = 0;
    for pair in bytes.split(|b| *b == b'&') {
        if pair
            .split(|b| *b == b'=')
            .any(|part| percent_decode(part).decode_utf8().is_err())
        {
            return Err(Unreadable::NotUtf8(begin));
        }
        begin += pair.len() + 1;
    }
    serde_urlencoded::from_bytes(bytes).map_err(|error| Unreadable::Fields(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &[u8]) -> Result<Vec<(String, String)>, Unreadable> {
        read(text)
    }

    #[test]
    fn what_is_not_utf8_is_refused_however_it_is_written() {
        for (text, byte) in [
            (&b"name=%FF"[..], 0),
            (b"a=1&name=\xFF", 4),
            (b"a=1&%c3=x", 4),
            (b"name=%e2%82", 0),
            (b"name=%ED%A0%80", 0),
            // A replacement character that was typed excuses nothing.
            (b"name=%EF%BF%BD&email=%FF", 15),
            (b"name=%C3&email=%A9", 0),
        ] {
            assert_eq!(
                pairs(text),
                Err(Unreadable::NotUtf8(byte)),
                "{}",
                text.escape_ascii()
            );
        }
        for text in [
            "name=%ef%bf%bd",
            "name=%",
            "name=%zz",
            "name=100%25",
            "a==b",
            "&&",
            "name=\u{FFFD}",
        ] {
            assert!(pairs(text.as_bytes()).is_ok(), "{text}");
        }
    }
}
