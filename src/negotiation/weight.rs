//! Weights (RFC 9110, section 12.4.2), in thousandths.

use warp::http::{HeaderMap, header::AsHeaderName};

use super::list;

/// The weight of a member without one.
const FULL: u16 = 1_000;

/// The members of a weighted list such as `Accept` in the order of the field, each with its weight.
/// A member whose parameters or weight break the grammar is left out.
pub fn weighted(headers: &HeaderMap, name: impl AsHeaderName) -> Vec<(String, u16)> {
    let members = list::members(headers, name);
    members.iter().filter_map(|member| read(member)).collect()
}

fn read(member: &str) -> Option<(String, u16)> {
    let (value, parameters) = list::parameters(member)?;
    let mut weights = parameters
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("q"));
    let weight = weights
        .next()
        .map_or(Some(FULL), |(_, text)| qvalue(text))?;
    Some((value.to_owned(), weight))
}

/// `0` to `1`. The grammar wants a digit before the dot and at most three after it. But old clients
/// send `.2`, and programs that divide send `0.3333`: there is only one way to read them.
fn qvalue(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{decimals:0<3.3}").parse().ok()?;
    match (whole, thousandths) {
        ("", _) if decimals.is_empty() => None,
        ("0" | "", thousandths) => Some(thousandths),
        ("1", 0) => Some(FULL),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use warp::http::header;

    #[test]
    fn a_weight_has_three_decimals_and_never_exceeds_one() {
        for (text, expected) in [
            ("1", Some(1_000)),
            ("1.000", Some(1_000)),
            ("0.5", Some(500)),
            ("0.", Some(0)),
            ("0.001", Some(1)),
            ("0", Some(0)),
            ("", None),
            ("2", None),
            ("1.1", None),
            ("-1", None),
            (".5", Some(500)),
            (".200", Some(200)),
            (".", None),
            ("-.5", None),
            (".1234", Some(123)),
            ("0.30000000000000004", Some(300)),
            ("1.0000", Some(1_000)),
            ("0.1234", Some(123)),
            ("0.0009", Some(0)),
            ("1e0", None),
            ("NaN", None),
            ("0.+5", None),
        ] {
            assert_eq!(qvalue(text), expected, "{text}");
        }
    }

    #[test]
    fn a_q_inside_quotes_is_no_weight_and_a_quoted_weight_is_one() {
        for (line, expected) in [
            ("a;x=\";q=0\"", vec![("a", 1_000)]),
            (
                "a;x=\"b, c;q=0.1\";q=0.3, d",
                vec![("a", 300), ("d", 1_000)],
            ),
            ("a;q=\"0.4\"", vec![("a", 400)]),
            ("a;Q=0.4", vec![("a", 400)]),
            ("a;q=high, b;q=0.2", vec![("b", 200)]),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, line.parse().unwrap())]);
            let read = weighted(&headers, header::ACCEPT);
            let read: Vec<(&str, u16)> = read.iter().map(|(v, w)| (v.as_str(), *w)).collect();
            assert_eq!(read, expected, "{line}");
        }
    }
}
