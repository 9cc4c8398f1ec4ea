//! Runs one history through a subject and the naive model. After every step it compares answers,
//! rows, revisions and the audit log.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use headcount::domain::audit::{Actor, AuditEntry};
use headcount::domain::change::Change;
use headcount::domain::clock::{Clock, Timestamp};
use headcount::domain::command::{Command, Refusal};
use headcount::domain::event::{Event, EventId, NewEvent, Slug};
use headcount::domain::registration::Registration;
use headcount::store::Commit;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::history::{Ask, Step};
use super::naive::Model;
use super::outcome::{as_seen, hints, is_without_effect, word};
use super::people::gala;
use super::{compare, invariants};

/// Who creates the events.
pub(super) const WHO: &str = "token";

/// What is tested: it decides and stores.
pub(super) trait Subject {
    async fn create(&mut self, new: NewEvent, now: Timestamp) -> Event;
    async fn commit(&mut self, event: EventId, commands: &[Command]) -> Commit;
    /// Begins to commit and is cut off `after` some steps of its own; all is stored, or nothing is.
    async fn abandon(&mut self, event: EventId, commands: &[Command], after: usize);
    /// Forgets everything but what was written.
    async fn restart(&mut self);
    async fn dump(&mut self, event: &Event) -> Dump;
}

/// All that is stored about an event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dump {
    pub(crate) event: Option<Event>,
    /// Of every round, by round and number.
    pub(crate) registrations: Vec<Registration>,
    pub(crate) changes: Vec<Change>,
    /// Of the slug, oldest first.
    pub(crate) audit: Vec<AuditEntry>,
}

/// A clock that the test sets.
#[derive(Debug, Clone)]
pub(super) struct Hand(Arc<AtomicI64>);

impl Hand {
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_795_251_600_000)))
    }

    pub(super) fn clock(&self) -> Clock {
        Clock::Manual(Arc::clone(&self.0))
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock().now()
    }

    fn turn(&self, by_ms: i64) {
        self.0.fetch_add(by_ms, Ordering::SeqCst);
    }
}

/// Outcomes that happened at least once: kinds of changes, codes of refusals, and those of
/// [`word`].
pub(super) type Seen = BTreeSet<&'static str>;

pub(super) async fn run(
    subject: &mut impl Subject,
    hand: &Hand,
    history: &[Step],
) -> Result<Seen, TestCaseError> {
    let mut machine = Machine::begin(subject, hand).await;
    for step in history {
        machine.step(step).await?;
    }
    Ok(machine.seen)
}

pub(super) struct Machine<'a, S> {
    subject: &'a mut S,
    pub(super) hand: &'a Hand,
    pub(super) model: Model,
    pub(super) event: Event,
    dump: Dump,
    /// How many secrets were drawn.
    pub(super) secrets: u32,
    seen: Seen,
}

impl<'a, S: Subject> Machine<'a, S> {
    async fn begin(subject: &'a mut S, hand: &'a Hand) -> Self {
        static SLUGS: AtomicU32 = AtomicU32::new(0);
        let slug = Slug::parse(&format!(
            "history-{}",
            SLUGS.fetch_add(1, Ordering::Relaxed)
        ))
        .expect("a slug");
        let event = subject.create(gala(slug), hand.now()).await;
        let dump = subject.dump(&event).await;
        Self {
            model: Model::new(&event, WHO, Vec::new()),
            subject,
            hand,
            event,
            dump,
            secrets: 0,
            seen: Seen::new(),
        }
    }

    async fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Clock(by_ms) => self.hand.turn(*by_ms),
            Step::Restart => {
                self.subject.restart().await;
                self.check().await?;
            }
            Step::Batch(asks) => self.batch(asks).await?,
            Step::Lost(asks, after) => self.lost(asks, *after).await?,
        }
        if self.model.gone {
            self.begin_again().await?;
        }
        Ok(())
    }

    async fn batch(&mut self, asks: &[Ask]) -> Result<(), TestCaseError> {
        let (commands, now, former) = (self.commands(asks), self.hand.now(), self.model.clone());
        let commit = self.subject.commit(self.event.id, &commands).await;
        let hints = hints(&commit.decisions);
        let expected: Vec<_> = commands
            .iter()
            .map(|command| self.model.decide(command, now, &hints, former.log.len()))
            .collect();
        let answered: Vec<_> = commit.decisions.iter().map(as_seen).collect();
        for (index, (answered, expected)) in answered.iter().zip(&expected).enumerate() {
            prop_assert_eq!(answered, expected, "the answer to {:?}", commands[index]);
        }
        prop_assert_eq!(answered.len(), commands.len());
        self.seen.extend(
            answered
                .iter()
                .map(word)
                .chain(commit.changes.iter().map(|change| change.kind.as_str())),
        );
        prop_assert_eq!(&commit.changes, &self.model.log[former.log.len()..]);
        prop_assert_eq!(
            &commit.event,
            &(!self.model.gone).then(|| self.model.event())
        );
        let before = self.check().await?;
        if expected.iter().all(is_without_effect) && self.model.log.len() == former.log.len() {
            compare::unchanged(&before, &self.dump)?;
        }
        Ok(())
    }

    async fn lost(&mut self, asks: &[Ask], after: usize) -> Result<(), TestCaseError> {
        let (commands, now, mut since) =
            (self.commands(asks), self.hand.now(), self.model.log.len());
        self.subject.abandon(self.event.id, &commands, after).await;
        // An abandoned batch that is still running holds the event's lock, so this commit waits for
        // it.
        self.subject
            .commit(self.event.id, &[Command::ApplySchedule])
            .await;
        let dump = self.subject.dump(&self.event).await;
        let hints = dump
            .registrations
            .iter()
            .map(|row| (row.secret.reveal().to_owned(), row.accepted_revision))
            .collect();
        let mut stored = self.model.clone();
        for (index, command) in commands.iter().enumerate() {
            // After a deletion no row says which registrations share a revision. Adjacent
            // visits do.
            if dump.event.is_none()
                && !(command.is_batched() && index > 0 && commands[index - 1].is_batched())
            {
                since = stored.log.len();
            }
            let _ = stored.decide(command, now, &hints, since);
        }
        let decide_due =
            |model: &mut Model| model.decide(&Command::ApplySchedule, now, &hints, model.log.len());
        let _ = (decide_due(&mut stored), decide_due(&mut self.model));
        if dump == compare::expected(&stored) {
            self.seen.insert("stored without an answer");
            self.model = stored;
        } else {
            self.seen.insert("lost");
        }
        self.check().await?;
        Ok(())
    }

    /// Compares everything that is stored with the model. Returns the dump before this one.
    async fn check(&mut self) -> Result<Dump, TestCaseError> {
        let before = std::mem::replace(&mut self.dump, self.subject.dump(&self.event).await);
        compare::stored(&self.dump, &self.model)?;
        invariants::hold(&self.dump)?;
        Ok(before)
    }

    /// After a deletion the event is not found, and its slug is free for a new event.
    async fn begin_again(&mut self) -> Result<(), TestCaseError> {
        let commit = self
            .subject
            .commit(
                self.event.id,
                &[
                    Command::ApplySchedule,
                    Command::Undo {
                        expected: None,
                        by: Actor::Owner,
                    },
                ],
            )
            .await;
        prop_assert_eq!(&commit.event, &None);
        prop_assert!(
            commit
                .decisions
                .iter()
                .all(|decision| *decision == Err(Refusal::EventNotFound)),
            "{:?}",
            commit.decisions
        );
        let former = self.event.clone();
        self.event = self
            .subject
            .create(gala(former.slug.clone()), self.hand.now())
            .await;
        prop_assert_ne!(&self.event.epoch, &former.epoch);
        prop_assert_ne!(self.event.id, former.id);
        self.model = Model::new(&self.event, WHO, self.model.audit.clone());
        self.check().await?;
        Ok(())
    }
}
