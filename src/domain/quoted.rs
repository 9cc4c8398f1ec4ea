//! Quotes an option's value in an error message, and leaves out an address that may hold a secret.

use std::path::Path;

/// The value in quotes. What may hold a secret is left out: people paste an address with a password
/// into the wrong option.
pub fn quoted(text: &str) -> String {
    if may_hold_secret(text) {
        "the value".to_owned()
    } else {
        format!("{text:?}")
    }
}

/// A path; "the file" if it is an address that may hold a secret.
pub fn shown_path(path: &Path) -> String {
    let text = path.to_string_lossy();
    if may_hold_secret(&text) {
        "the file".to_owned()
    } else {
        text.into_owned()
    }
}

/// The path of a file that holds a secret; "the file" if the secret may have been given instead.
pub fn shown_secret_path(path: &Path) -> String {
    if path.components().count() > 1 {
        shown_path(path)
    } else {
        "the file".to_owned()
    }
}

/// Whether a value is an address with more than scheme, host and path.
pub fn may_hold_secret(text: &str) -> bool {
    let is_url = text.contains("://") && text.contains(['@', '?', '#']);
    is_url
        || text
            .split_once('@')
            .is_some_and(|(user, _)| user.contains(':'))
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
            "ada:hunter22@a",
            "x:/ada:hunter22@a",
        ] {
            assert_eq!(quoted(secret), "the value");
            assert_eq!(shown_path(Path::new(secret)), "the file");
        }
    }

    #[test]
    fn a_path_is_repeated_if_it_is_no_password() {
        assert_eq!(shown_path(Path::new("secret")), "secret");
        assert_eq!(shown_secret_path(Path::new("/run/secret")), "/run/secret");
        assert_eq!(shown_secret_path(Path::new("hunter22")), "the file");
    }
}
