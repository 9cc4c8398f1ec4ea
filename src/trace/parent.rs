//! `traceparent` (W3C Trace Context, section 3.2).

use http::{HeaderMap, HeaderName};

use super::{Trace, TraceId};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// `version "-" trace-id "-" parent-id "-" trace-flags`.
const LENGTH: usize = 2 + 1 + 32 + 1 + 16 + 1 + 2;

/// The span in which the client sent the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) span: u64,
    /// Whether the client records this trace.
    pub(super) sampled: bool,
}

/// `None` when there is none, more than one, or one that is not valid.
pub(super) fn read(headers: &HeaderMap) -> Option<Trace> {
    let mut values = headers.get_all(TRACEPARENT).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => parse(value.as_bytes()),
        (None, _) | (Some(_), Some(_)) => None,
    }
}

fn parse(value: &[u8]) -> Option<Trace> {
    let (known, rest) = value.split_at_checked(LENGTH)?;
    let mut parts = known.split(|&byte| byte == b'-');
    let version = hex(parts.next()?, 2)?;
    let id = hex(parts.next()?, 32)?;
    let span = hex(parts.next()?, 16)?;
    let flags = hex(parts.next()?, 2)?;
    // A later version may go on behind another hyphen (section 4.3).
    let is_whole = match version {
        0 => rest.is_empty(),
        0xff => false,
        _ => rest.is_empty() || rest.starts_with(b"-"),
    };
    (is_whole && id != 0 && span != 0).then(|| Trace {
        id: TraceId(id.to_be_bytes()),
        caller: Some(Caller {
            // 16 digits fit.
            span: u64::try_from(span).unwrap_or_default(),
            sampled: flags & 1 == 1,
        }),
    })
}

/// Exactly `digits` lower-case digits.
fn hex(text: &[u8], digits: usize) -> Option<u128> {
    let lower = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (text.len() == digits && text.iter().all(lower))
        .then(|| std::str::from_utf8(text).ok())
        .flatten()
        .and_then(|text| u128::from_str_radix(text, 16).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn of(values: &[&str]) -> Option<(String, u64, bool)> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(TRACEPARENT, value.parse().unwrap());
        }
        let trace = read(&headers)?;
        let caller = trace.caller?;
        Some((trace.id.to_string(), caller.span, caller.sampled))
    }

    #[test]
    fn a_traceparent_names_trace_and_span() {
        let span = 0x00f0_67aa_0ba9_02b7;
        for (value, sampled) in [
            (
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                true,
            ),
            (
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
                false,
            ),
            (
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03",
                true,
            ),
            (
                "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                true,
            ),
            (
                "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what",
                true,
            ),
        ] {
            assert_eq!(
                of(&[value]),
                Some((ID.to_owned(), span, sampled)),
                "{value}"
            );
        }
    }

    #[test]
    fn what_is_not_a_traceparent_counts_as_none() {
        for value in [
            "",
            "00",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
            "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01what",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(of(&[value]), None, "{value}");
        }
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(of(&[good, good]), None);
        assert_eq!(of(&[]), None);
    }
}
