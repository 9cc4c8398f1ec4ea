//! The console's sessions.
//!
//! A session's secret lives in the browser's cookie only. The database knows a digest of it. For the
//! account `owner` that digest includes the hash of its password, so that a new password ends every
//! session, also on nodes of another version.

mod cookie;
mod own_password;
mod password;
mod proof;

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use warp::http::{HeaderMap, HeaderValue, header};

use self::cookie::cookie;
use self::password::{PASSWORD, verify};
use super::rate::too_many;
use crate::context::password_queue::TooMany;
use crate::context::{Context, Peer};
use crate::domain::access::{Permission, Role};
use crate::domain::account::{AccountId, Handle, OWNER, PASSWORD_MAX};
use crate::domain::audit::Actor;
use crate::domain::clock::Timestamp;
use crate::problem::{Code, Problem};
use crate::store::{NewSession as StoredSession, SignedIn};
use crate::trace;
use crate::wire::digits::hex;

pub use self::cookie::COOKIE;
pub(super) use self::cookie::cookie_value;
pub use self::own_password::change_password;
pub use self::password::{ensure_password, hash};
pub use self::proof::{Csrf, is_proof, proof};

/// How long a session lasts: a working day and the evening of the event.
const TTL: Duration = Duration::from_hours(12);
/// How exactly it is known when a session or a token was last used: a write for each request would
/// cost more than the request.
pub const SEEN_EVERY: Duration = Duration::from_mins(1);
/// So much of what a browser calls itself is kept.
const AGENT_MAX: usize = 200;

/// A console that is signed in.
#[derive(Debug, Clone)]
pub struct Session {
    /// Whose it is, for the audit log.
    pub actor: Actor,
    /// What they may do.
    pub role: Role,
    /// The account.
    pub account: AccountId,
    /// The account's name.
    pub name: Handle,
    /// The database's key of this session.
    pub digest: String,
    /// The CSRF token for forms and for `X-CSRF-Token`.
    pub csrf: Csrf,
}

impl Session {
    fn new(secret: &str, signed_in: SignedIn) -> Self {
        let SignedIn {
            digest,
            account,
            name,
            role,
            ..
        } = signed_in;
        Self {
            csrf: Csrf::new(secret, account),
            actor: match account {
                OWNER => Actor::Owner,
                _ => Actor::Account(name.shared()),
            },
            role,
            account,
            name,
            digest,
        }
    }

    /// Whether the signed-in account may do this, at every event.
    pub fn has(&self, permission: Permission) -> bool {
        self.role.has(permission)
    }

    /// Whether `token` is this session's CSRF token; in constant time.
    pub fn proves(&self, token: &str) -> bool {
        self.csrf.is(token)
    }
}

/// A session that has just begun.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// `Set-Cookie`.
    pub cookie: HeaderValue,
    /// The session.
    pub session: Session,
}

/// What somebody signs in with.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// The account's name; empty for `owner`.
    pub name: &'a str,
    /// Its password.
    pub password: &'a str,
    /// What the browser calls itself.
    pub agent: &'a str,
}

/// The password of the account `owner` alone.
impl<'a> From<&'a str> for Credentials<'a> {
    fn from(password: &'a str) -> Self {
        Self {
            name: "",
            password,
            agent: "",
        }
    }
}

/// The account that somebody names, and the hash of its password. For an unknown account it is the
/// owner's hash, so that the check takes as long as any other; it then never succeeds.
struct Claimed {
    account: AccountId,
    hash: String,
    exists: bool,
}

/// Signs somebody in. 401 for a wrong name or password, 429 for too
/// many attempts, 503 while too many wait.
pub async fn sign_in<'a>(
    context: &Context,
    peer: Peer,
    credentials: impl Into<Credentials<'a>>,
) -> Result<NewSession, Problem> {
    let credentials = credentials.into();
    let too_many = |wait| too_many("too many wrong passwords from this address", wait);
    let limiter = &context.throttle.passwords;
    // An address over its limit does not wait for a permit.
    let arrival = limiter.arrive(peer.ip).map_err(too_many)?;
    let has_failed = limiter.has_failed(peer.ip);
    let permit = context.throttle.password_checks.take(peer.ip, has_failed);
    let Ok(permit) = permit.await.map_err(|TooMany| ()) else {
        arrival.refused();
        return Err(too_many_wait());
    };
    // Read while holding the permit: thousands who wait must not keep the database's readers from others.
    let claimed = match claimed(context, credentials.name).await {
        Ok(Some(claimed)) => claimed,
        Ok(None) => {
            arrival.refused();
            tracing::error!("nobody can sign in: no password is stored");
            return Err(wrong_password());
        }
        Err(problem) => {
            arrival.refused();
            return Err(problem);
        }
    };
    let attempt = arrival.attempt().map_err(too_many)?;
    let password = credentials.password;
    let is_right = password.len() <= PASSWORD_MAX && verify(permit, password, &claimed.hash).await;
    if !(is_right && claimed.exists) {
        tracing::warn!(address = %peer.ip, "wrong password at the console's sign-in");
        return Err(wrong_password());
    }
    attempt.succeed();
    begin(context, peer, &claimed, credentials.agent).await
}

async fn claimed(context: &Context, name: &str) -> Result<Option<Claimed>, Problem> {
    let Some(owners) = context.store.setting(PASSWORD).await? else {
        return Ok(None);
    };
    let name = match name.trim() {
        "" => None,
        name => Some(Handle::parse(name)),
    };
    let named = match name {
        None => Some((OWNER, Some(owners.clone()))),
        Some(Ok(name)) if name.is_owner() => Some((OWNER, Some(owners.clone()))),
        Some(Ok(name)) => context.store.account_password(&name).await?,
        Some(Err(_)) => None,
    };
    Ok(Some(match named {
        Some((account, Some(hash))) => Claimed {
            account,
            hash,
            exists: true,
        },
        Some((_, None)) | None => Claimed {
            account: OWNER,
            hash: owners,
            exists: false,
        },
    }))
}

/// Begins a session of an account that has just set its password, which has this hash.
pub async fn begin_for(
    context: &Context,
    peer: Peer,
    (account, hash): (AccountId, String),
    agent: &str,
) -> Result<NewSession, Problem> {
    let claimed = Claimed {
        account,
        hash,
        exists: true,
    };
    begin(context, peer, &claimed, agent).await
}

async fn begin(
    context: &Context,
    peer: Peer,
    claimed: &Claimed,
    agent: &str,
) -> Result<NewSession, Problem> {
    // 256 bits.
    let secret = hex(&rand::random::<[u8; 32]>());
    let digest = match claimed.account {
        OWNER => digest_of_owner(&secret, &claimed.hash),
        _ => digest(&secret),
    };
    let now = context.clock.now();
    let new = StoredSession {
        digest: &digest,
        account: claimed.account,
        password: &claimed.hash,
        agent: &shown_agent(agent),
        expires_at: now.plus(TTL),
    };
    // A password that was replaced while it was checked opens nothing.
    if !context.store.create_session(&new, now).await? {
        return Err(wrong_password());
    }
    // Deleted in this very moment.
    let signed_in = context.store.session([&digest, &digest]).await?;
    let signed_in = signed_in.ok_or_else(wrong_password)?;
    let secure = context.settings.has_secure_cookies(peer);
    Ok(NewSession {
        cookie: cookie(&secret, TTL, secure),
        session: Session::new(&secret, signed_in),
    })
}

/// What a browser calls itself, as far as it can be shown.
fn shown_agent(agent: &str) -> String {
    let visible = agent.chars().filter(|c| !c.is_control());
    visible.take(AGENT_MAX).collect()
}

/// Ends the session, if there is one; the answer is the `Set-Cookie` that makes the browser forget
/// it.
pub async fn sign_out(
    context: &Context,
    peer: Peer,
    headers: &HeaderMap,
) -> Result<HeaderValue, Problem> {
    if let Some(session) = session(context, headers).await? {
        context.store.delete_session(&session.digest).await?;
    }
    let secure = context.settings.has_secure_cookies(peer);
    Ok(cookie("", Duration::ZERO, secure))
}

/// Whether a request names a session, which may have ended.
pub fn has_cookie(headers: &HeaderMap) -> bool {
    cookie_value(headers, COOKIE).is_some()
}

/// The session of a request, if its cookie names one that has not ended.
pub async fn session(context: &Context, headers: &HeaderMap) -> Result<Option<Session>, Problem> {
    let Some(secret) = cookie_value(headers, COOKIE).filter(|secret| is_secret(secret)) else {
        return Ok(None);
    };
    let Some(hash) = context.store.setting(PASSWORD).await? else {
        return Ok(None);
    };
    let digests = [digest_of_owner(secret, &hash), digest(secret)];
    let found = context.store.session([&digests[0], &digests[1]]).await?;
    let now = context.clock.now();
    let Some(found) = found.filter(|found| found.expires_at > now) else {
        return Ok(None);
    };
    if is_due(Some(found.seen_at), now) {
        // Not worth a moment of the reader's time.
        let (store, digest) = (context.store.clone(), found.digest.clone());
        trace::spawn(async move {
            if let Err(error) = store.touch_session(&digest, now).await {
                tracing::warn!(%error, "cannot store that a session is used");
            }
        });
    }
    Ok(Some(Session::new(secret, found)))
}

/// Whether it is time to store that something is used.
pub fn is_due(last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_none_or(|last| now.since(last) >= SEEN_EVERY)
}

fn wrong_password() -> Problem {
    Problem::new(Code::Unauthorized, "the name or the password is wrong").header(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static(r#"Bearer realm="headcount""#),
    )
}

pub(super) fn too_many_wait() -> Problem {
    let detail = "too many sign-ins wait at this moment, from this address or in all; try again";
    Problem::new(Code::Busy, detail).retry_after(Duration::from_secs(1))
}

/// The database's key of a session of the account `owner`.
fn digest_of_owner(secret: &str, password_hash: &str) -> String {
    hex(&Sha256::new()
        .chain_update(secret)
        .chain_update(b"\0")
        .chain_update(password_hash)
        .finalize())
}

/// The database's key of any other account's session, of a link for a password and of a token.
pub fn digest(secret: &str) -> String {
    hex(&Sha256::digest(secret))
}

fn is_secret(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed_in() -> SignedIn {
        SignedIn {
            digest: String::new(),
            account: OWNER,
            name: Handle::stored("owner"),
            role: Role::Owner,
            expires_at: Timestamp::default(),
            seen_at: Timestamp::default(),
        }
    }

    #[test]
    fn the_csrf_token_does_not_give_the_secret_away() {
        let session = Session::new(&"00".repeat(32), signed_in());
        assert!(session.proves(&session.csrf.to_string()));
        assert!(!session.proves("") && !session.proves(&"00".repeat(32)));
        assert!(!format!("{session:?}").contains(&"00".repeat(32)));
        assert_ne!(session.csrf.to_string(), digest(&"00".repeat(32)));
    }
}
