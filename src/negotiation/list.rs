//! Lists and parameters (RFC 9110, sections 5.6.1 and 5.6.6).

use std::borrow::Cow;

use warp::http::{HeaderMap, header::AsHeaderName};

/// The members of a list field, over all its lines, without the white space around them. Empty
/// members are left out (section 5.6.1.2). Bytes outside ASCII are legal inside quoted strings;
/// they become replacement characters, because nothing here compares them.
pub fn members(headers: &HeaderMap, name: impl AsHeaderName) -> Vec<String> {
    let mut found = Vec::new();
    for line in headers.get_all(name) {
        let line: Cow<'_, str> = String::from_utf8_lossy(line.as_bytes());
        let members = split(&line, ',').map(str::trim);
        found.extend(
            members
                .filter(|member| !member.is_empty())
                .map(str::to_owned),
        );
    }
    found
}

/// A member's value and its parameters, each a name and its unquoted value. A parameter without `=`
/// has an empty value. `None` when a quoted string does not end.
pub fn parameters(member: &str) -> Option<(&str, Vec<(&str, String)>)> {
    let mut parts = split(member, ';').map(str::trim);
    let value = parts.next()?;
    let mut parameters = Vec::new();
    for part in parts.filter(|part| !part.is_empty()) {
        parameters.push(pair(part)?);
    }
    Some((value, parameters))
}

/// `name=value` with its value unquoted; white space around `=` is tolerated (RFC 7240, section 2).
pub fn pair(text: &str) -> Option<(&str, String)> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    Some((name.trim(), unquote(value.trim())?))
}

/// The parts of `text` between separators that stand outside quoted strings (section 5.6.4).
pub fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c| {
        if escaped {
            escaped = false;
        } else if quoted && c == '\\' {
            escaped = true;
        } else if c == '"' {
            quoted = !quoted;
        }
        !quoted && c == separator
    })
}

/// A token as it is, a quoted string without its quotes and escapes; `None` when it does not end.
fn unquote(value: &str) -> Option<String> {
    let Some(rest) = value.strip_prefix('"') else {
        return Some(value.to_owned());
    };
    let (mut out, mut characters) = (String::with_capacity(rest.len()), rest.chars());
    loop {
        match characters.next()? {
            '"' => return characters.as_str().is_empty().then_some(out),
            '\\' => out.push(characters.next()?),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use warp::http::{HeaderValue, header};

    #[test]
    fn commas_and_semicolons_inside_quotes_separate_nothing() {
        let line = HeaderValue::from_bytes(b"a;x=\"1,2;3\\\",4\" , ,b; y = \"\xe9\"").unwrap();
        let headers = HeaderMap::from_iter([(header::ACCEPT, line)]);
        let members = members(&headers, header::ACCEPT);
        assert_eq!(members.len(), 2);
        let (value, parameters_of_a) = parameters(&members[0]).unwrap();
        assert_eq!(value, "a");
        assert_eq!(parameters_of_a, vec![("x", "1,2;3\",4".to_owned())]);
        assert_eq!(parameters(&members[1]).unwrap().1[0].0, "y");
    }

    #[test]
    fn a_string_that_does_not_end_is_no_parameter() {
        for member in ["a;x=\"1", "a;x=\"1\"2", "a;x=\"\\"] {
            assert_eq!(parameters(member), None, "{member}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(member in "\\PC{0,60}") {
            let _ = parameters(&member);
        }
    }
}
