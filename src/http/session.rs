//! The organiser's password and console sessions.
//!
//! A session's secret lives in the browser's cookie only. The database knows a digest of it
//! together with the password's hash, so that a new password ends every session.

use std::fmt::Write as _;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use warp::http::{HeaderMap, HeaderValue, header};

use super::rate::too_many;
use crate::context::turns::TooMany;
use crate::context::{Context, Hidden, Peer, blocking};
use crate::domain::access::{Permission, Role};
use crate::domain::audit::Actor;
use crate::problem::{Code, Problem};
use crate::store::{Store, StoreError};

/// The session's cookie.
pub const COOKIE: &str = "headcount_session";
/// How long a session lasts: a working day and the evening of the event.
const TTL: Duration = Duration::from_hours(12);
/// Where the password's hash is stored.
const PASSWORD: &str = "admin_password";
/// Longer texts are refused, because argon2 would hash all of them.
const PASSWORD_MAX: usize = 1_024;

/// A console that is signed in.
#[derive(Debug, Clone)]
pub struct Session {
    secret: Hidden,
    /// Whose it is.
    pub actor: Actor,
    /// What they may do.
    pub role: Role,
    /// The CSRF token for forms and for `X-CSRF-Token`.
    pub csrf: String,
}

impl Session {
    fn new(secret: String) -> Self {
        Self {
            csrf: hex(&Sha256::new()
                .chain_update(b"csrf")
                .chain_update(&secret)
                .finalize()),
            secret: Hidden::new(secret),
            actor: Actor::Owner,
            role: Role::Owner,
        }
    }

    /// Whether whoever is signed in may do this, at every event.
    pub fn has(&self, permission: Permission) -> bool {
        self.role.has(permission)
    }

    /// Whether `token` is this session's CSRF token; in constant time.
    pub fn proves(&self, token: &str) -> bool {
        self.csrf.as_bytes().ct_eq(token.as_bytes()).into()
    }
}

/// The result of signing in.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// `Set-Cookie`.
    pub cookie: HeaderValue,
    /// The session.
    pub session: Session,
}

/// Signs the organiser in. 401 for a wrong password, 429 for too many attempts, 503 while too many
/// wait.
pub async fn sign_in(context: &Context, peer: Peer, password: &str) -> Result<NewSession, Problem> {
    let too_many = |wait| too_many("too many wrong passwords from this address", wait);
    let guesses = &context.throttle.passwords;
    // An address over its limit does not wait for a turn.
    let arrival = guesses.arrive(peer.ip).map_err(too_many)?;
    let has_failed = guesses.has_failed(peer.ip);
    let turn = context.throttle.password_checks.take(peer.ip, has_failed);
    let Ok(turn) = turn.await.map_err(|TooMany| ()) else {
        arrival.refused();
        return Err(too_many_wait());
    };
    // Read within the turn: thousands who wait must not keep the database's readers from others.
    let hash = match context.store.setting(PASSWORD).await {
        Ok(Some(hash)) => hash,
        Ok(None) => {
            arrival.refused();
            tracing::error!("nobody can sign in: no password is stored");
            return Err(wrong_password());
        }
        Err(error) => {
            arrival.refused();
            return Err(error.into());
        }
    };
    let attempt = arrival.attempt().map_err(too_many)?;
    if password.len() > PASSWORD_MAX || !verify(turn, password, &hash).await {
        tracing::warn!(address = %peer.ip, "wrong password at the console's sign-in");
        return Err(wrong_password());
    }
    attempt.succeed();
    // 256 bits.
    let session = Session::new(hex(&rand::random::<[u8; 32]>()));
    let now = context.clock.now();
    context
        .store
        .create_session(&digest(session.secret.reveal(), &hash), now.plus(TTL), now)
        .await?;
    Ok(NewSession {
        cookie: cookie(
            session.secret.reveal(),
            TTL,
            context.settings.has_secure_cookies(peer),
        ),
        session,
    })
}

/// Ends the session, if there is one; the answer is the `Set-Cookie` that makes the browser forget
/// it.
pub async fn sign_out(
    context: &Context,
    peer: Peer,
    headers: &HeaderMap,
) -> Result<HeaderValue, Problem> {
    if let Some(secret) = cookie_value(headers, COOKIE)
        && let Some(hash) = context.store.setting(PASSWORD).await?
    {
        context.store.delete_session(&digest(secret, &hash)).await?;
    }
    Ok(cookie(
        "",
        Duration::ZERO,
        context.settings.has_secure_cookies(peer),
    ))
}

/// Whether a request names a session, which may have ended.
pub fn has_cookie(headers: &HeaderMap) -> bool {
    cookie_value(headers, COOKIE).is_some()
}

/// The session of a request, if its cookie names one that has not expired.
pub async fn session(context: &Context, headers: &HeaderMap) -> Result<Option<Session>, Problem> {
    let Some(secret) = cookie_value(headers, COOKIE).filter(|secret| is_secret(secret)) else {
        return Ok(None);
    };
    let Some(hash) = context.store.setting(PASSWORD).await? else {
        return Ok(None);
    };
    let expires_at = context.store.session(&digest(secret, &hash)).await?;
    Ok(expires_at
        .filter(|at| *at > context.clock.now())
        .map(|_| Session::new(secret.to_owned())))
}

/// Ensures at the start that there is a password. `given` replaces what is stored; without it and
/// with nothing stored one is drawn and returned, to be printed once. Of two nodes that start
/// together one draws the password and only that one prints it.
pub async fn ensure_password(
    store: &Store,
    given: Option<&Hidden>,
) -> Result<Option<String>, StoreError> {
    let stored = store.setting(PASSWORD).await?;
    match (given, stored) {
        (None, Some(_)) => Ok(None),
        (Some(given), Some(stored)) => {
            // The same password keeps its hash, and with it the sessions.
            if !verify((), given.reveal(), &stored).await {
                store
                    .set_setting(PASSWORD, &hash(given.reveal()).await)
                    .await?;
            }
            Ok(None)
        }
        (Some(given), None) => {
            let ours = hash(given.reveal()).await;
            let stored = store.setting_or_insert(PASSWORD, &ours).await?;
            if stored != ours && !verify((), given.reveal(), &stored).await {
                store.set_setting(PASSWORD, &ours).await?;
            }
            Ok(None)
        }
        (None, None) => {
            let drawn = draw_password();
            let ours = hash(&drawn).await;
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
async fn hash(password: &str) -> String {
    let password = password.to_owned();
    // At the start only, one at a time.
    let hashed = blocking::run((), move || {
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
async fn verify(permit: impl Send + 'static, password: &str, hash: &str) -> bool {
    let (password, hash) = (password.to_owned(), hash.to_owned());
    let verified = blocking::run(permit, move || {
        Argon2::default()
            .verify_password(password.as_bytes(), hash.as_str())
            .is_ok()
    });
    verified.await.unwrap_or(false)
}

fn wrong_password() -> Problem {
    Problem::new(Code::Unauthorized, "the password is wrong").header(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static(r#"Bearer realm="headcount""#),
    )
}

fn too_many_wait() -> Problem {
    let detail = "too many sign-ins wait at this moment, from this address or in all; try again";
    Problem::new(Code::Busy, detail).retry_after(Duration::from_secs(1))
}

/// The database's key of a session: a digest.
fn digest(secret: &str, password_hash: &str) -> String {
    hex(&Sha256::new()
        .chain_update(secret)
        .chain_update(b"\0")
        .chain_update(password_hash)
        .finalize())
}

fn is_secret(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Not readable by scripts, and not sent along with other sites' requests (RFC 6265bis, section
/// 5.6).
fn cookie(value: &str, max_age: Duration, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!(
        "{COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}",
        max_age.as_secs()
    );
    // Hexadecimal digits and the words above.
    HeaderValue::try_from(text).expect("a plain cookie")
}

/// A cookie's value. HTTP/2 may split the field into several (RFC 9113, section 8.2.3).
pub(super) fn cookie_value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(';'))
        .find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            (key.trim() == name).then(|| value.trim().trim_matches('"'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("lang=zh; xheadcount_session=no;headcount_session_=no"),
        );
        assert_eq!(cookie_value(&headers, COOKIE), None);
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("broken; headcount_session=\"abc\" ; theme=dark"),
        );
        assert_eq!(cookie_value(&headers, COOKIE), Some("abc"));
    }

    #[test]
    fn cookies_are_guarded() {
        assert_eq!(
            cookie("ab", TTL, false),
            "headcount_session=ab; Path=/; HttpOnly; SameSite=Lax; Max-Age=43200"
        );
        assert!(
            cookie("ab", TTL, true)
                .to_str()
                .unwrap()
                .ends_with("; Secure")
        );
    }

    #[test]
    fn the_csrf_token_does_not_give_the_secret_away() {
        let session = Session::new("00".repeat(32));
        assert!(session.proves(&session.csrf.clone()));
        assert!(!session.proves("") && !session.proves(&"00".repeat(32)));
        assert!(!format!("{session:?}").contains(&"00".repeat(32)));
        assert_ne!(session.csrf, digest(&"00".repeat(32), ""));
    }

    #[tokio::test]
    async fn a_hash_knows_its_password() {
        let hash = hash("correct horse").await;
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
