//! One event's writer: receives queued commands, fills a batch, commits it in one transaction,
//! publishes the new state, and answers.

use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::Failure;
use super::spans::{Batch, Queued};
use crate::domain::clock::Clock;
use crate::domain::command::{Answer, Command, Decision, Imported, Refusal};
use crate::domain::event::{Event, EventId};
use crate::domain::position::Revision;
use crate::live::broadcast::Broadcaster;
use crate::live::hub::Hub;
use crate::store::{Commit, Store, StoreError};

/// The most commands in one transaction. It bounds how long the event's lock is held and how long
/// the last visitor waits.
const BATCH: usize = 512;
/// This many commands across two batches mean that more are coming. A commit costs as much as a
/// dozen of its rows, so letting more commands join pays off.
const CROWD: usize = 5;
/// How long the size of a batch predicts that of the next one.
const CROWD_WINDOW: Duration = Duration::from_millis(10);
/// The most scheduler turns in which commands may join a batch.
const TURNS: usize = 8;

/// A command, and where its answer goes.
pub(super) struct Job {
    pub(super) command: Command,
    pub(super) responder: Responder,
    pub(super) queued: Queued,
}

/// Where the answer to one command goes.
pub(super) type Responder = oneshot::Sender<Result<Decision, Failure>>;

/// Commits the commands of one event.
#[derive(Debug)]
pub(super) struct Writer {
    event: EventId,
    store: Store,
    hub: Hub,
    clock: Clock,
    broadcaster: Broadcaster,
}

impl Writer {
    pub(super) fn new(
        event: EventId,
        store: Store,
        hub: Hub,
        clock: Clock,
        broadcaster: Broadcaster,
    ) -> Self {
        Self {
            event,
            store,
            hub,
            clock,
            broadcaster,
        }
    }

    /// Runs until every sender of `jobs` is gone and every queued command is answered.
    pub(super) async fn run(self, mut jobs: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(BATCH);
        let (mut before, mut ended) = (0, Instant::now());
        while jobs.recv_many(&mut batch, BATCH).await > 0 {
            if is_crowd(before, ended.elapsed(), batch.len()) {
                fill_batch(&mut jobs, &mut batch).await;
            }
            before = batch.len();
            let (mut commands, mut responders, mut queued) = room(batch.len());
            for job in batch.drain(..) {
                commands.push(job.command);
                responders.push(job.responder);
                queued.push(job.queued);
            }
            let spans = Batch::begin(queued);
            spans
                .scope(self.carry_out(&commands, responders, &spans))
                .await;
            ended = Instant::now();
        }
    }

    /// Commits, publishes and answers one batch.
    async fn carry_out(&self, commands: &[Command], responders: Vec<Responder>, spans: &Batch) {
        let committing = spans.commit();
        let committed = self.commit(commands).await;
        drop(committing);
        match committed {
            Ok(Commit {
                event,
                changes,
                decisions,
            }) => {
                // Publish before answering: a client that has its answer finds that revision in its
                // next read.
                let revision = changes.last().map(|change| change.headcount.revision);
                let deleted = decisions.contains(&Ok(Answer::Deleted));
                let publishing = spans.publish();
                self.publish(event, revision, deleted);
                drop(publishing);
                self.count_refusals(&decisions);
                answer(responders, decisions);
            }
            Err(error) => self.refuse(responders, &error),
        }
    }

    async fn commit(&self, commands: &[Command]) -> Result<Commit, StoreError> {
        metrics::histogram!("headcount_batch_size")
            .record(u32::try_from(commands.len()).unwrap_or(u32::MAX));
        let begun = Instant::now();
        let underway = self.hub.commits().begin();
        let committed = self.store.commit(self.event, commands, &self.clock).await;
        drop(underway);
        metrics::histogram!("headcount_commit_seconds").record(begun.elapsed());
        committed
    }

    /// Publishes the event as it is now, here and on the other nodes. `revision` is the batch's
    /// newest; `None` when it made none.
    fn publish(&self, event: Option<Event>, revision: Option<Revision>, deleted: bool) {
        if let Some(revision) = revision {
            self.broadcaster.committed(self.event, revision);
        }
        if deleted {
            self.broadcaster.invalidated(self.event);
        }
        match event {
            Some(event) => self.hub.publish(event),
            None => self.hub.remove(self.event),
        }
    }

    /// For the dashboard.
    fn count_refusals(&self, decisions: &[Decision]) {
        let mut refused = decisions.iter().filter_map(refused).peekable();
        if refused.peek().is_none() {
            return;
        }
        if let Some(channel) = self.hub.channel_by_id(self.event) {
            refused.for_each(|code| channel.refusals.add(code));
        }
    }

    fn refuse(&self, responders: Vec<Responder>, error: &StoreError) {
        let commands = responders.len();
        let failure = match error {
            // The health check has logged the outage, once. Visitors who try again must not fill the
            // log.
            StoreError::Unreachable(_) => {
                tracing::debug!(%error, event = self.event, commands, "a batch was not committed");
                Failure::DatabaseUnreachable
            }
            StoreError::Busy
            | StoreError::Unexpected(_)
            | StoreError::Unreadable(_)
            | StoreError::NewerSchema(_)
            | StoreError::Migration(_) => {
                tracing::error!(%error, event = self.event, commands, "a batch was not committed");
                Failure::Internal
            }
        };
        metrics::counter!("headcount_registrations_total", "outcome" => "failed")
            .increment(responders.len() as u64);
        for responder in responders {
            respond(responder, Err(failure));
        }
    }
}

/// Room for the parts of this many commands.
fn room<A, B, C>(commands: usize) -> (Vec<A>, Vec<B>, Vec<C>) {
    (
        Vec::with_capacity(commands),
        Vec::with_capacity(commands),
        Vec::with_capacity(commands),
    )
}

/// Whether more commands are likely to come. It compares the size of this batch, plus that of the
/// previous batch if it ended recently (`ago`), with [`CROWD`].
fn is_crowd(before: usize, ago: Duration, waiting: usize) -> bool {
    waiting + if ago <= CROWD_WINDOW { before } else { 0 } >= CROWD
}

/// Adds commands whose requests are being read, until a scheduler turn brings none. It never waits
/// for a client: one turn runs the tasks that are ready and then polls the sockets.
async fn fill_batch(jobs: &mut mpsc::Receiver<Job>, batch: &mut Vec<Job>) {
    for _ in 0..TURNS {
        if batch.len() >= BATCH {
            return;
        }
        tokio::task::yield_now().await;
        if jobs.is_empty() {
            return;
        }
        jobs.recv_many(batch, BATCH - batch.len()).await;
    }
}

fn answer(responders: Vec<Responder>, decisions: Vec<Decision>) {
    count(&decisions);
    for (responder, decision) in responders.into_iter().zip(decisions) {
        respond(responder, Ok(decision));
    }
}

fn respond(responder: Responder, outcome: Result<Decision, Failure>) {
    // If the client is gone, its place stays; a retry with the same idempotency key finds it.
    let _ = responder.send(outcome);
}

/// Counts registrations by outcome, one metric call for each run of equal outcomes.
fn count(decisions: &[Decision]) {
    for run in decisions.chunk_by(|one, next| outcome(one) == outcome(next)) {
        if let Some(outcome) = outcome(&run[0]) {
            metrics::counter!("headcount_registrations_total", "outcome" => outcome)
                .increment(run.len() as u64);
        }
    }
    let imported = decisions.iter().filter_map(|decision| match decision {
        Ok(Answer::Imported(imported)) if imported.is_stored => Some(imported),
        _ => None,
    });
    for Imported {
        confirmed, waiting, ..
    } in imported
    {
        for (outcome, registrations) in [("confirmed", *confirmed), ("waiting", *waiting)] {
            metrics::counter!("headcount_registrations_total", "outcome" => outcome)
                .increment(registrations.into());
        }
    }
}

/// The problem code of a registration that was refused; `None` for anything else.
fn refused(decision: &Decision) -> Option<&'static str> {
    match decision.as_ref().err()? {
        Refusal::EventFull { .. } => Some("event-full"),
        Refusal::EventClosed => Some("event-closed"),
        Refusal::EventNotOpen { .. } => Some("event-not-open"),
        Refusal::AlreadyRegistered => Some("already-registered"),
        Refusal::IdempotencyMismatch => Some("idempotency-mismatch"),
        // Of a registration that exists, or of the organiser.
        Refusal::RegistrationNotFound
        | Refusal::RegistrationCancelled
        | Refusal::RegistrationErased
        | Refusal::EventNotFound
        | Refusal::NotEmpty(_)
        | Refusal::ChangedMeanwhile
        | Refusal::Invalid(_) => None,
    }
}

fn outcome(decision: &Decision) -> Option<&'static str> {
    match decision {
        Ok(Answer::Registered { replayed: true, .. }) => Some("replayed"),
        Ok(Answer::Registered { registration, .. }) if registration.accepted_waiting.is_some() => {
            Some("waiting")
        }
        Ok(Answer::Registered { .. }) => Some("confirmed"),
        Ok(Answer::Cancelled(_)) => Some("cancelled"),
        Ok(Answer::Changed(_)) => Some("changed"),
        Ok(Answer::Restored(_)) => Some("restored"),
        Ok(Answer::Erased(_)) => Some("erased"),
        // An import has many registrations, and so has what is due to be erased.
        Ok(
            Answer::Imported(_)
            | Answer::Event(_)
            | Answer::Deleted
            | Answer::ErasedDue(_)
            | Answer::Noted,
        ) => None,
        Err(_) => Some("refused"),
    }
}

#[cfg(test)]
mod tests;
