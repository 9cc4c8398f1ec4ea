//! The bot check: whoever registers may need a proof of work (docs/protocol.md, section 8).
//!
//! Owns who needs one and whether it is right. Programs with a token never need one. A proof is used
//! once; the database knows those that were used, for all nodes.

use std::net::IpAddr;

use sha2::{Digest as _, Sha256};
use warp::reply::Response;

use super::field_value::FieldValue;
use super::session::hex;
use super::{auth, find, reply};
use crate::context::head::RequestHead;
use crate::context::{Context, Hidden, Shared};
use crate::domain::clock::Timestamp;
use crate::domain::event::{Event, EventId};
use crate::domain::invalid::Invalid;
use crate::domain::proof_of_work::ProofOfWork;
use crate::domain::registration::IdempotencyKey;
use crate::problem::{Code, Problem};
use altcha::{Challenge, Solved, Unsolved};

mod altcha;

/// The field of the solution.
pub(super) const FIELD: &str = "proof";
/// Where the key is stored that signs challenges.
const KEY: &str = "proof_key";

/// `GET /api/v1/events/{slug}/challenge`; [`reply::json`] says `no-store`.
pub(super) async fn get(slug: String, context: Shared) -> Result<Response, Problem> {
    let event = find::event(&context, &slug).await?;
    let key = key(&context).await?;
    let challenge = Challenge::draw(key, &event.epoch, context.clock.now());
    Ok(reply::json(&challenge))
}

/// One attempt to register.
#[derive(Debug)]
pub(super) struct Attempt {
    event: EventId,
    address: IpAddr,
    /// Whether it may be a sign of a surge.
    is_watched: bool,
    /// What it must show.
    pub(super) asked: Option<Asked>,
}

impl Attempt {
    /// Notes an attempt, and finds out whether it needs a proof.
    pub(super) async fn new(
        context: &Context,
        head: &RequestHead,
        event: &Event,
    ) -> Result<Self, Problem> {
        let mut attempt = Self {
            event: event.id,
            address: head.peer.ip,
            is_watched: false,
            asked: None,
        };
        if event.proof_of_work != ProofOfWork::Off {
            // Boxed: rare, and large enough to make every request's future large.
            Box::pin(attempt.ask(context, head, event)).await?;
        }
        Ok(attempt)
    }

    async fn ask(
        &mut self,
        context: &Context,
        head: &RequestHead,
        event: &Event,
    ) -> Result<(), Problem> {
        if auth::is_program(context, head, event.slug.as_str()).await {
            return Ok(());
        }
        let now = context.clock.now();
        let is_asked = match event.proof_of_work {
            ProofOfWork::Off => false,
            ProofOfWork::On => true,
            ProofOfWork::Auto => {
                self.is_watched = true;
                if context.surges.note_attempt(event.id, self.address, now) {
                    log_surge(event.id);
                }
                context.surges.is_on(event.id, now)
            }
        };
        if is_asked {
            let key = key(context).await?.clone();
            self.asked = Some(Asked { key, now });
        }
        Ok(())
    }

    /// Notes that it was refused.
    pub(super) fn refused(&self, context: &Context, problem: &Problem) {
        let now = context.clock.now();
        if self.is_watched
            && is_suspicious(problem)
            && context.surges.note_failure(self.event, self.address, now)
        {
            log_surge(self.event);
        }
    }
}

fn log_surge(event: EventId) {
    tracing::warn!(
        event,
        "registrations look like a program's; visitors need a proof of work for ten minutes"
    );
}

/// Whether people rarely are refused for this. A full or closed event refuses everybody, and pages
/// send no proof until they are asked for one.
fn is_suspicious(problem: &Problem) -> bool {
    let code = problem.code();
    if code == Code::ValidationFailed {
        let mut mistakes = problem.mistakes().iter();
        return mistakes.any(|mistake| mistake.field != FIELD || mistake.reason != "missing");
    }
    matches!(code, Code::AlreadyRegistered | Code::IdempotencyMismatch)
}

/// That an attempt needs a proof.
#[derive(Debug)]
pub(super) struct Asked {
    key: Hidden,
    now: Timestamp,
}

impl Asked {
    /// Checks what was sent as the proof.
    pub(super) fn check(&self, event: &Event, sent: &FieldValue<'_>) -> Result<Proof, Invalid> {
        let text = sent.optional_text(FIELD)?.unwrap_or_default();
        if text.trim().is_empty() {
            return Err(Invalid::new(
                FIELD,
                "missing",
                "proof is missing; solve a challenge of this event and send the solution",
            ));
        }
        match altcha::solved(&self.key, &event.epoch, text, self.now) {
            Ok(solved) => Ok(Proof {
                solved,
                now: self.now,
            }),
            Err(Unsolved::Wrong) => Err(Invalid::new(
                FIELD,
                "wrong",
                "proof is not the solution of a challenge of this event",
            )),
            Err(Unsolved::Expired) => Err(Invalid::new(
                FIELD,
                "expired",
                "proof is too old; solve another challenge",
            )),
        }
    }
}

/// A proof that is right.
#[derive(Debug)]
pub(super) struct Proof {
    solved: Solved,
    now: Timestamp,
}

impl Proof {
    /// Uses it for the attempt with this key. The same attempt may be sent again, because one key
    /// registers once. Fails if another attempt has used it.
    pub(super) async fn use_for(
        &self,
        context: &Context,
        key: Option<&IdempotencyKey>,
    ) -> Result<(), Problem> {
        let attempt = key.map(|key| hex(&Sha256::digest(key.as_str())));
        let Solved {
            challenge,
            expires_at,
        } = &self.solved;
        let used = context
            .store
            .use_proof(challenge, attempt.as_deref(), *expires_at, self.now);
        if used.await? {
            return Ok(());
        }
        let used = "proof was used already; solve another challenge";
        Err(Problem::invalid(&[Invalid::new(FIELD, "used", used)]))
    }
}

/// The key that signs challenges, the same on all nodes.
async fn key(context: &Context) -> Result<&Hidden, Problem> {
    let read = context.proof_key.get_or_try_init(|| async {
        // 256 bits.
        let drawn = hex(&rand::random::<[u8; 32]>());
        let stored = context.store.setting_or_insert(KEY, &drawn).await?;
        Ok::<_, Problem>(Hidden::new(stored))
    });
    read.await
}
