//! The bot check: registering may need a proof of work (docs/protocol.md, section 8).
//!
//! Owns who needs one and whether it is right. Programs with a token never need one. A proof is used
//! once; the database knows those that were used, for all nodes.

use std::net::IpAddr;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use warp::reply::Response;

use super::field_value::FieldValue;
use super::{auth, find, reply};
use crate::context::head::RequestHead;
use crate::context::{Context, Hidden, Shared};
use crate::domain::clock::Timestamp;
use crate::domain::command::Applicant;
use crate::domain::event::{Event, EventId};
use crate::domain::invalid::Invalid;
use crate::domain::person::Email;
use crate::domain::proof_of_work::ProofOfWork;
use crate::domain::registration::{Locator, Registration};
use crate::problem::{Code, Problem};
use crate::store::ProofUse;
use crate::wire::digits::hex;
use altcha::{Challenge, Solved, Unsolved};

mod altcha;

/// The field of the solution.
pub(super) const FIELD: &str = "proof";
/// Where the key is stored that signs challenges.
const KEY: &str = "proof_key";

/// `GET /api/v1/events/{slug}/challenge`; [`reply::json`] says `no-store`.
pub(super) async fn get(slug: String, context: Shared) -> Result<Response, Problem> {
    let event = find::known_to_all(&context, &slug).await?;
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
                key: self.key.clone(),
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
    key: Hidden,
    now: Timestamp,
}

/// A proof that was used for an attempt to register.
#[derive(Debug)]
pub(super) struct Used {
    challenge: String,
    /// `None` if nobody can repeat the attempt.
    attempt: Option<String>,
    /// What the same attempt has registered before: it gets that again, and nothing new.
    pub(super) registered: Option<Registration>,
}

impl Proof {
    /// Uses it for an attempt. The very same attempt may be sent again if it has an idempotency key.
    /// Fails if the proof was used for another one, or if what it registered is not there any more:
    /// who erases a registration must not get a second one for the same proof.
    pub(super) async fn use_for(
        self,
        context: &Context,
        event: &Event,
        applicant: &Applicant,
    ) -> Result<Used, Problem> {
        let attempt = self.attempt(applicant);
        let Solved {
            challenge,
            expires_at,
        } = self.solved;
        let used = context
            .store
            .use_proof(&challenge, attempt.as_deref(), expires_at, self.now);
        let registered = match used.await? {
            ProofUse::First | ProofUse::Repeated => None,
            ProofUse::Registered(made) => Some(
                again(context, event, applicant, made)
                    .await?
                    .ok_or_else(spent)?,
            ),
            ProofUse::Spent => return Err(spent()),
        };
        Ok(Used {
            challenge,
            attempt,
            registered,
        })
    }

    /// Names an attempt with everything that it asks for. It is keyed, because nobody must find out
    /// from it whom an erased registration was for.
    fn attempt(&self, applicant: &Applicant) -> Option<String> {
        let key = applicant.key.as_ref()?;
        let email = applicant.email.as_ref().map(Email::as_str);
        let asked = serde_json::json!([
            key.as_str(),
            applicant.name.as_str(),
            email,
            applicant.party_size.get(),
            applicant.answers.stored(),
        ]);
        // HMAC takes a key of any length.
        let mac = Hmac::<Sha256>::new_from_slice(self.key.reveal().as_bytes());
        let mut mac = mac.expect("a key of any length");
        // No challenge begins with it, so that no digest is a challenge's signature.
        mac.update(b"attempt ");
        mac.update(asked.to_string().as_bytes());
        Some(hex(&mac.finalize().into_bytes()))
    }
}

impl Used {
    /// Notes what the attempt has registered. It is noted before the answer, so nobody can erase the
    /// registration earlier.
    pub(super) async fn note(&self, context: &Context, made: Locator) {
        let Some(attempt) = &self.attempt else {
            return;
        };
        let noted = context.store.note_proof(&self.challenge, attempt, made);
        if let Err(error) = noted.await {
            tracing::warn!(%error, "cannot note what a proof of work has registered");
        }
    }
}

/// What the same attempt has registered, while its key belongs to it and to the present round.
async fn again(
    context: &Context,
    event: &Event,
    applicant: &Applicant,
    made: Locator,
) -> Result<Option<Registration>, Problem> {
    let found = context.store.registration(made).await?;
    let row = found.map(|listed| listed.registration);
    Ok(row.filter(|row| row.key == applicant.key && row.locator.round == event.round))
}

fn spent() -> Problem {
    let used = "proof was used already; solve another challenge";
    Problem::invalid(&[Invalid::new(FIELD, "used", used)])
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
