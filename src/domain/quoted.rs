//! Quotes an option's value in an error message, and leaves out an address that may hold a secret.

/// The value in quotes. What may hold a secret is left out: people paste an address with a password
/// into the wrong option.
pub fn quoted(text: &str) -> String {
    if may_hold_secret(text) {
        "the value".to_owned()
    } else {
        format!("{text:?}")
    }
}

/// Whether a value is an address with more than scheme, host and path.
pub fn may_hold_secret(text: &str) -> bool {
    text.contains("://") && text.contains(['@', '?', '#'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_more_than_host_and_path_is_not_repeated() {
        assert_eq!(quoted("often"), "\"often\"");
        assert_eq!(quoted("http://a/b"), "\"http://a/b\"");
        for secret in [
            "x://ada:hunter22@a",
            "http://a?hunter22",
            "http://a#hunter22",
        ] {
            assert_eq!(quoted(secret), "the value");
        }
    }
}
