//! Which language a client prefers (RFC 9110, section 12.5.4).

use warp::http::{HeaderMap, header};

use super::weight::weighted;

/// The first of the most wanted languages that `known` knows by its range. A weight of 0 means "not
/// this one".
pub fn preferred<L: Copy>(headers: &HeaderMap, known: impl Fn(&str) -> Option<L>) -> Option<L> {
    let mut best: Option<(L, u16)> = None;
    for (range, weight) in weighted(headers, header::ACCEPT_LANGUAGE) {
        // Equal weights keep the order of the field.
        if let Some(language) = known(&range)
            && weight > best.map_or(0, |(_, highest)| highest)
        {
            best = Some((language, weight));
        }
    }
    best.map(|(language, _)| language)
}
