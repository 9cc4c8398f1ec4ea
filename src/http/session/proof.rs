//! What proves that a form, or an address, comes from this server for the session of a request.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use warp::http::HeaderMap;

use super::cookie::{COOKIE, cookie_value};
use super::{hex, is_secret};
use crate::domain::account::AccountId;

/// What a session's pages need of it: displayed, it is the CSRF token.
#[derive(Debug, Clone)]
pub struct Csrf {
    token: String,
    /// Whose session it is, so that what one account typed never appears to another.
    pub account: AccountId,
}

impl Csrf {
    pub(super) fn new(secret: &str, account: AccountId) -> Self {
        let digest = Sha256::new().chain_update(b"csrf").chain_update(secret);
        Self {
            token: hex(&digest.finalize()),
            account,
        }
    }

    /// Whether `token` is this one; in constant time.
    pub(super) fn is(&self, token: &str) -> bool {
        self.token.as_bytes().ct_eq(token.as_bytes()).into()
    }
}

impl fmt::Display for Csrf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.token)
    }
}

/// A proof of `text` that nobody can make without the request's session; `None` if it has none.
pub fn proof(headers: &HeaderMap, text: &str) -> Option<String> {
    let secret = cookie_value(headers, COOKIE).filter(|secret| is_secret(secret))?;
    let digest = Sha256::new()
        .chain_update(b"proof\0")
        .chain_update(secret)
        .chain_update(text)
        .finalize();
    // 128 bits: nobody guesses more often than they can ask.
    Some(hex(&digest[..16]))
}

/// Whether `given` is the [`proof`] of `text`; in constant time.
pub fn is_proof(headers: &HeaderMap, text: &str, given: &str) -> bool {
    let expected = proof(headers, text);
    expected.is_some_and(|proof| proof.as_bytes().ct_eq(given.as_bytes()).into())
}
