//! Reads JSON objects that clients send.

use serde::Deserialize;

/// Reads an object. serde also reads a struct from a list, field by field. That is another grammar
/// on the wire, so a list is refused.
pub(super) fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    // The white space of RFC 8259, section 2.
    let start = text.trim_start_matches([' ', '\t', '\n', '\r']);
    start
        .starts_with('{')
        .then(|| serde_json::from_str(text).ok())?
}
