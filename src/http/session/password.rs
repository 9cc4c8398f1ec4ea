//! Passwords: how they are hashed and checked, and the one of the account `owner`.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};

use crate::context::{Hidden, blocking};
use crate::domain::account::OWNER;
use crate::domain::audit::Actor;
use crate::domain::clock::Timestamp;
use crate::store::{Store, StoreError};

/// Where the hash of the owner's password is stored.
pub(super) const PASSWORD: &str = "admin_password";

/// Ensures at the start that there is a password. `given` replaces what is stored; without it and
/// with nothing stored one is drawn and returned, to be printed once. Of two nodes that start
/// together one draws the password and only that one prints it.
pub async fn ensure_password(
    store: &Store,
    given: Option<&Hidden>,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    let stored = store.setting(PASSWORD).await?;
    match (given, stored) {
        (None, Some(_)) => Ok(None),
        (Some(given), Some(stored)) => {
            // The same password keeps its hash, and with it the sessions.
            if !verify((), given.reveal(), &stored).await {
                store
                    .set_setting(PASSWORD, &hash((), given.reveal()).await)
                    .await?;
                store.end_sessions(OWNER, None, &Actor::Owner, now).await?;
            }
            Ok(None)
        }
        (Some(given), None) => {
            let ours = hash((), given.reveal()).await;
            let stored = store.setting_or_insert(PASSWORD, &ours).await?;
            if stored != ours && !verify((), given.reveal(), &stored).await {
                store.set_setting(PASSWORD, &ours).await?;
            }
            Ok(None)
        }
        (None, None) => {
            let drawn = draw_password();
            let ours = hash((), &drawn).await;
            let stored = store.setting_or_insert(PASSWORD, &ours).await?;
            Ok((stored == ours).then_some(drawn))
        }
    }
}

/// 20 characters of 31, 99 bits, in groups that can be read out; none that is mistaken for another
/// (0/o, 1/l/i).
fn draw_password() -> String {
    const ALPHABET: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let mut drawn = String::with_capacity(23);
    for at in 0..20 {
        if at > 0 && at % 5 == 0 {
            drawn.push('-');
        }
        drawn.push(char::from(ALPHABET[rand::random_range(0..ALPHABET.len())]));
    }
    drawn
}

/// Argon2id with the crate's parameters (OWASP's minimum of 19 MiB), away from the threads that
/// serve requests.
pub async fn hash(permit: impl Send + 'static, password: &str) -> String {
    let password = password.to_owned();
    let hashed = blocking::run(permit, move || {
        Argon2::default()
            .hash_password(password.as_bytes())
            .map(|hash| hash.to_string())
    });
    // Fails only without a source of randomness, or for gigabytes of password.
    hashed
        .await
        .expect("hashing does not panic")
        .expect("a password can be hashed")
}

/// `permit` is held until the check ends, also if the client leaves meanwhile.
pub(super) async fn verify(permit: impl Send + 'static, password: &str, hash: &str) -> bool {
    let (password, hash) = (password.to_owned(), hash.to_owned());
    let verified = blocking::run(permit, move || {
        Argon2::default()
            .verify_password(password.as_bytes(), hash.as_str())
            .is_ok()
    });
    verified.await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_knows_its_password() {
        let hash = hash((), "correct horse").await;
        assert!(hash.starts_with("$argon2id$"));
        assert!(
            verify((), "correct horse", &hash).await
                && !verify((), "Correct horse", &hash).await
                && !verify((), "x", "garbage").await
        );
    }

    #[test]
    fn drawn_passwords_can_be_read_out() {
        let drawn = draw_password();
        assert_eq!(drawn.len(), 23);
        assert!(
            drawn
                .split('-')
                .all(|group| group.len() == 5 && !group.contains(['0', 'o', '1', 'l', 'i'])),
            "{drawn}"
        );
        assert_ne!(drawn, draw_password());
    }
}
