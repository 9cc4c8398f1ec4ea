//! Changing one's own password.

use super::password::{hash, verify};
use super::{Session, too_many_wait};
use crate::context::{Context, Peer};
use crate::domain::account::PASSWORD_MAX;
use crate::http::rate::too_many;
use crate::problem::Problem;

/// Replaces the password of the session's account and ends its other sessions. `false` if `current`
/// is wrong; guesses are limited like those of the sign-in.
pub async fn change_password(
    context: &Context,
    peer: Peer,
    session: &Session,
    current: &str,
    new: &str,
) -> Result<bool, Problem> {
    let limiter = &context.throttle.passwords;
    let attempt = limiter.attempt(peer.ip);
    let attempt =
        attempt.map_err(|wait| too_many("too many wrong passwords from this address", wait))?;
    let old = match context.store.account_hash(session.account).await {
        Ok(old) => old,
        Err(error) => {
            // Nobody has guessed wrong.
            attempt.succeed();
            return Err(error.into());
        }
    };
    let Some(old) = old.filter(|_| current.len() <= PASSWORD_MAX) else {
        return Ok(false);
    };
    let has_failed = limiter.has_failed(peer.ip);
    let permit = context.throttle.password_checks.take(peer.ip, has_failed);
    let Ok(permit) = permit.await else {
        attempt.succeed();
        return Err(too_many_wait());
    };
    if !verify(permit, current, &old).await {
        return Ok(false);
    }
    attempt.succeed();
    let permit = context.throttle.password_checks.take(peer.ip, false).await;
    let permit = permit.map_err(|_| too_many_wait())?;
    let new = hash(permit, new).await;
    let now = context.clock.now();
    let passwords = (old.as_str(), new.as_str());
    let store = &context.store;
    Ok(store
        .change_account_password(session.account, passwords, &session.digest, now)
        .await?)
}
