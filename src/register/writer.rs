//! One event's writer: takes all that waits, commits it in one transaction, publishes, answers.

use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

use super::Failure;
use crate::domain::clock::Clock;
use crate::domain::command::{Answer, Command, Decision};
use crate::domain::event::EventId;
use crate::live::cluster::Announcer;
use crate::live::hub::Hub;
use crate::store::{Store, StoreError};

/// The most commands in one transaction: bounds how long the event's lock is held, and the last visitor's wait.
const BATCH: usize = 512;

/// A command and where its answer goes.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) command: Command,
    pub(super) answer: oneshot::Sender<Result<Decision, Failure>>,
}

/// Commits the commands of one event.
#[derive(Debug)]
pub(super) struct Writer {
    event: EventId,
    store: Store,
    hub: Hub,
    clock: Clock,
    announcer: Announcer,
}

impl Writer {
    pub(super) fn new(event: EventId, store: Store, hub: Hub, clock: Clock, announcer: Announcer) -> Self {
        Self { event, store, hub, clock, announcer }
    }

    /// Runs until every sender of `jobs` is gone and all that waited is answered.
    pub(super) async fn run(self, mut jobs: mpsc::Receiver<Job>) {
        let (mut waiting, mut commands, mut answers) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
        while jobs.recv_many(&mut waiting, BATCH).await > 0 {
            for job in waiting.drain(..) {
                commands.push(job.command);
                answers.push(job.answer);
            }
            self.commit(&commands, &mut answers).await;
            commands.clear();
        }
    }

    async fn commit(&self, commands: &[Command], answers: &mut Vec<oneshot::Sender<Result<Decision, Failure>>>) {
        metrics::histogram!("headcount_batch_size").record(u32::try_from(commands.len()).unwrap_or(u32::MAX));
        let begun = Instant::now();
        let underway = self.hub.commits().begin();
        let committed = self.store.commit(self.event, commands, &self.clock).await;
        drop(underway);
        metrics::histogram!("headcount_commit_seconds").record(begun.elapsed());
        match committed {
            Ok(commit) => {
                // Publish before answering: whoever has an answer finds its revision in the next read.
                if let Some(last) = commit.changes.last() {
                    self.announcer.committed(self.event, last.headcount.revision);
                }
                if commit.decisions.contains(&Ok(Answer::Deleted)) {
                    self.announcer.touched(self.event);
                }
                match commit.event {
                    Some(event) => self.hub.publish(event),
                    None => self.hub.remove(self.event),
                }
                for (answer, decision) in answers.drain(..).zip(commit.decisions) {
                    count(&decision);
                    // A visitor who has gone away keeps the place; the idempotency key finds it again.
                    let _ = answer.send(Ok(decision));
                }
            }
            Err(error) => {
                tracing::error!(%error, event = self.event, commands = commands.len(), "a batch was not committed");
                let failure = match error {
                    StoreError::Unreachable(_) => Failure::DatabaseUnreachable,
                    StoreError::Unexpected(_) | StoreError::Unreadable(_) | StoreError::Migration(_) => Failure::Internal,
                };
                for answer in answers.drain(..) {
                    metrics::counter!("headcount_registrations_total", "outcome" => "failed").increment(1);
                    let _ = answer.send(Err(failure));
                }
            }
        }
    }
}

/// Registrations by outcome.
fn count(decision: &Decision) {
    let outcome = match decision {
        Ok(Answer::Registered { replayed: true, .. }) => "replayed",
        Ok(Answer::Registered { registration, .. }) if registration.accepted_waiting.is_some() => "waiting",
        Ok(Answer::Registered { .. }) => "confirmed",
        Ok(Answer::Cancelled(_)) => "cancelled",
        Ok(Answer::Event(_) | Answer::Deleted | Answer::Noted) => return,
        Err(_) => "refused",
    };
    metrics::counter!("headcount_registrations_total", "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;
    use crate::domain::clock::Timestamp;
    use crate::domain::command::Refusal;
    use crate::domain::person::{Email, Name};
    use crate::domain::registration::{Locator, Registration, Secret, Status};

    fn ada(accepted_waiting: Option<u32>) -> Box<Registration> {
        Box::new(Registration {
            locator: Locator { event: 1, round: 1, number: 1 },
            secret: Secret::draw(),
            name: Name::parse("Ada").unwrap(),
            email: Email::parse("ada@example.org").unwrap(),
            key: None,
            status: Status::Confirmed,
            accepted_waiting,
            accepted_revision: 2,
            revision: 2,
            at: Timestamp::from_millis(0),
        })
    }

    fn registered(accepted_waiting: Option<u32>, replayed: bool) -> Answer {
        Answer::Registered { registration: ada(accepted_waiting), replayed }
    }

    #[test]
    fn every_decision_is_counted_by_its_outcome() {
        for (decision, outcome) in [
            (Ok(registered(None, false)), Some("confirmed")),
            (Ok(registered(Some(1), false)), Some("waiting")),
            (Ok(registered(None, true)), Some("replayed")),
            (Ok(registered(Some(1), true)), Some("replayed")),
            (Ok(Answer::Cancelled(ada(None))), Some("cancelled")),
            (Err(Refusal::EventFull), Some("refused")),
            (Ok(Answer::Deleted), None),
            (Ok(Answer::Noted), None),
        ] {
            let recorder = PrometheusBuilder::new().build_recorder();
            metrics::with_local_recorder(&recorder, || count(&decision));
            let rendered = recorder.handle().render();
            let counted: Vec<_> = rendered.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
            let expected: Vec<_> = outcome.iter().map(|outcome| format!("headcount_registrations_total{{outcome=\"{outcome}\"}} 1")).collect();
            assert_eq!(counted, expected, "{decision:?}");
        }
    }
}
