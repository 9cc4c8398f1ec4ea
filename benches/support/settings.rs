//! Settings of a benchmark, from its environment.

use std::str::FromStr;

/// The number in an environment variable, or `default` when there is none.
pub(crate) fn number<T: FromStr>(variable: &str, default: T) -> T {
    std::env::var(variable)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}
