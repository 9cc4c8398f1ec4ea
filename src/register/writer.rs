//! One event's writer: takes all that waits, commits it in one transaction, publishes, answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::{Author, Document, Failure, Told};
use crate::domain::clock::Clock;
use crate::domain::command::{Answer, Command, Decision};
use crate::domain::event::EventId;
use crate::domain::registration::Registration;
use crate::live::cluster::Broadcaster;
use crate::live::hub::Hub;
use crate::store::{Store, StoreError};

/// The most commands in one transaction: bounds how long the event's lock is held, and the last visitor's wait.
const BATCH: usize = 512;
/// So many in two batches one after the other are a crowd, of which more are on their way. A commit costs as much as a dozen of its rows, so
/// letting them join is won back.
const CROWD: usize = 5;
/// For so long a batch tells something of the next one.
const MEMORY: Duration = Duration::from_millis(10);
/// The most turns in which somebody may join.
const TURNS: usize = 8;

/// A command and who asks for it.
pub(super) struct Job {
    pub(super) command: Command,
    pub(super) asker: Asker,
}

/// Where an answer goes, and what is made for it in the time that the database takes.
pub(super) struct Asker {
    answer: oneshot::Sender<Result<Told, Failure>>,
    author: Option<Author>,
    prepared: Option<(Arc<Registration>, Document)>,
}

impl Asker {
    pub(super) fn new(
        answer: oneshot::Sender<Result<Told, Failure>>,
        author: Option<Author>,
    ) -> Self {
        Self {
            answer,
            author,
            prepared: None,
        }
    }

    /// Makes the document of a registration that is about to be stored, or is already.
    fn prepare(&mut self, decision: &Decision) {
        if let (Some(author), Ok(Answer::Registered { registration, .. })) =
            (&self.author, decision)
        {
            self.prepared = Some((Arc::clone(registration), author(registration)));
        }
    }

    fn tell(self, outcome: Result<Decision, Failure>) {
        let told = outcome.map(|decision| {
            // What was prepared of another registration, of a batch that was refused, is nobody's.
            let document = match (&decision, self.prepared) {
                (Ok(Answer::Registered { registration, .. }), Some((of, document)))
                    if Arc::ptr_eq(registration, &of) =>
                {
                    Some(document)
                }
                _ => None,
            };
            Told { decision, document }
        });
        // A visitor who has gone away keeps the place; the idempotency key finds it again.
        let _ = self.answer.send(told);
    }
}

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

    /// Runs until every sender of `jobs` is gone and all that waited is answered.
    pub(super) async fn run(self, mut jobs: mpsc::Receiver<Job>) {
        let (mut waiting, mut commands, mut askers) = (
            Vec::with_capacity(BATCH),
            Vec::with_capacity(BATCH),
            Vec::with_capacity(BATCH),
        );
        let (mut before, mut ended) = (0, Instant::now());
        while jobs.recv_many(&mut waiting, BATCH).await > 0 {
            if is_crowd(before, ended.elapsed(), waiting.len()) {
                gather(&mut jobs, &mut waiting).await;
            }
            before = waiting.len();
            for job in waiting.drain(..) {
                commands.push(job.command);
                askers.push(job.asker);
            }
            self.commit(&commands, &mut askers).await;
            ended = Instant::now();
            commands.clear();
        }
    }

    async fn commit(&self, commands: &[Command], askers: &mut Vec<Asker>) {
        metrics::histogram!("headcount_batch_size")
            .record(u32::try_from(commands.len()).unwrap_or(u32::MAX));
        let begun = Instant::now();
        let underway = self.hub.commits().begin();
        let seen = self
            .hub
            .channel_by_id(self.event)
            .map(|channel| channel.newest().event);
        let mut prepare = |decisions: &[Decision]| {
            askers
                .iter_mut()
                .zip(decisions)
                .for_each(|(asker, decision)| asker.prepare(decision));
        };
        let committed = self
            .store
            .commit_telling(
                self.event,
                seen.as_deref(),
                commands,
                &self.clock,
                &mut prepare,
            )
            .await;
        drop(underway);
        metrics::histogram!("headcount_commit_seconds").record(begun.elapsed());
        match committed {
            Ok(commit) => {
                // Publish before answering: whoever has an answer finds its revision in the next read.
                if let Some(last) = commit.changes.last() {
                    self.broadcaster
                        .committed(self.event, last.headcount.revision);
                }
                if commit.decisions.contains(&Ok(Answer::Deleted)) {
                    self.broadcaster.invalidated(self.event);
                }
                match commit.event {
                    Some(event) => self.hub.publish(event),
                    None => self.hub.remove(self.event),
                }
                count(&commit.decisions);
                for (asker, decision) in askers.drain(..).zip(commit.decisions) {
                    asker.tell(Ok(decision));
                }
            }
            Err(error) => {
                tracing::error!(%error, event = self.event, commands = commands.len(), "a batch was not committed");
                let failure = match error {
                    StoreError::Unreachable(_) => Failure::DatabaseUnreachable,
                    StoreError::Busy
                    | StoreError::Unexpected(_)
                    | StoreError::Unreadable(_)
                    | StoreError::Migration(_) => Failure::Internal,
                };
                metrics::counter!("headcount_registrations_total", "outcome" => "failed")
                    .increment(askers.len() as u64);
                for asker in askers.drain(..) {
                    asker.tell(Err(failure));
                }
            }
        }
    }
}

/// Whether more than those who are waiting are on their way: by them, and by the batch before, which ended `ago`.
fn is_crowd(before: usize, ago: Duration, waiting: usize) -> bool {
    waiting + if ago <= MEMORY { before } else { 0 } >= CROWD
}

/// Lets those join whose requests are being read, until a turn brings nobody. Waits for nothing: in a turn runs what was ready to run, some
/// hundred tasks at most, and then sockets are looked at.
async fn gather(jobs: &mut mpsc::Receiver<Job>, waiting: &mut Vec<Job>) {
    for _ in 0..TURNS {
        if waiting.len() >= BATCH {
            return;
        }
        tokio::task::yield_now().await;
        if jobs.is_empty() {
            return;
        }
        jobs.recv_many(waiting, BATCH - waiting.len()).await;
    }
}

/// Counts registrations by outcome, a run of one outcome at a time.
fn count(decisions: &[Decision]) {
    for run in decisions.chunk_by(|one, next| outcome(one) == outcome(next)) {
        if let Some(outcome) = outcome(&run[0]) {
            metrics::counter!("headcount_registrations_total", "outcome" => outcome)
                .increment(run.len() as u64);
        }
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
        Ok(Answer::Event(_) | Answer::Deleted | Answer::Noted) => None,
        Err(_) => Some("refused"),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::FutureExt as _;
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;
    use crate::domain::audit::Actor;
    use crate::domain::clock::Timestamp;
    use crate::domain::command::Refusal;
    use crate::domain::person::{Email, Name};
    use crate::domain::registration::{Locator, Secret, Status};

    fn ada(accepted_waiting: Option<u32>) -> Arc<Registration> {
        Arc::new(Registration {
            locator: Locator {
                event: 1,
                round: 1,
                number: 1,
            },
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
        Answer::Registered {
            registration: ada(accepted_waiting),
            replayed,
        }
    }

    /// Asks for something that tells who came when.
    fn job(number: u32) -> Job {
        let locator = Locator {
            event: 1,
            round: 1,
            number,
        };
        Job {
            command: Command::Cancel {
                locator,
                secret: None,
                by: Actor::Visitor,
            },
            asker: Asker::new(oneshot::channel().0, None),
        }
    }

    fn numbers(waiting: &[Job]) -> Vec<u32> {
        let number = |job: &Job| match &job.command {
            Command::Cancel { locator, .. } => locator.number,
            other => panic!("{other:?}"),
        };
        waiting.iter().map(number).collect()
    }

    /// Gathers, while somebody sends `turns` times, after a turn each, as many jobs as fit; gives who joined the first one.
    async fn gathered(turns: u32, each: u32) -> Vec<u32> {
        let (queue, mut jobs) = mpsc::channel(4 * BATCH);
        let kept_open = queue.clone();
        let crowd = tokio::spawn(async move {
            for turn in 0..turns {
                for one in 1..=each {
                    queue.try_send(job(turn * each + one)).expect("room");
                }
                tokio::task::yield_now().await;
            }
        });
        let mut waiting = vec![job(0)];
        gather(&mut jobs, &mut waiting).await;
        crowd.abort();
        drop(kept_open);
        numbers(&waiting)
    }

    #[test]
    fn a_crowd_is_known_by_two_batches_and_forgotten() {
        let (now, later) = (Duration::ZERO, MEMORY + Duration::from_nanos(1));
        for (before, ago, waiting, crowd) in [
            (0, now, 1, false),
            (1, now, 1, false),
            (0, now, CROWD - 1, false),
            (0, now, CROWD, true),
            (CROWD - 1, MEMORY, 1, true),
            (BATCH, later, 1, false),
        ] {
            assert_eq!(
                is_crowd(before, ago, waiting),
                crowd,
                "{before}, {ago:?} ago, then {waiting}"
            );
        }
    }

    #[tokio::test]
    async fn whoever_is_on_the_way_joins_in_order_until_nobody_comes() {
        assert_eq!(gathered(0, 0).await, [0], "nobody is waited for");
        assert_eq!(gathered(3, 2).await, [0, 1, 2, 3, 4, 5, 6]);
    }

    #[tokio::test]
    async fn a_crowd_without_end_does_not_keep_a_batch_from_its_commit() {
        let endless = gathered(100, 1).await;
        assert_eq!(endless.len(), 1 + TURNS, "{endless:?}");
        let large = gathered(3, 500).await;
        assert!(
            large.iter().copied().eq(0..u32::try_from(BATCH).unwrap()),
            "{} in a batch",
            large.len()
        );
    }

    #[tokio::test]
    async fn a_full_batch_goes_at_once() {
        let (queue, mut jobs) = mpsc::channel(1);
        queue.try_send(job(0)).expect("room");
        let mut waiting: Vec<Job> = (0..u32::try_from(BATCH).unwrap()).map(job).collect();
        assert!(
            gather(&mut jobs, &mut waiting).now_or_never().is_some(),
            "it has taken a turn"
        );
    }

    #[test]
    fn a_document_goes_with_the_registration_that_it_was_made_of() {
        let told = |hoped: &[&Decision], came: &Decision| {
            let (answer, mut decided) = oneshot::channel();
            let author: Author = Box::new(|row| Document {
                address: row.locator.to_string(),
                text: Bytes::new(),
            });
            let mut asker = Asker::new(answer, Some(author));
            for decision in hoped {
                asker.prepare(decision);
            }
            asker.tell(Ok(came.clone()));
            decided
                .try_recv()
                .expect("an answer")
                .expect("a decision")
                .document
                .map(|document| document.address)
        };
        let (one, other, none) = (
            Ok(registered(None, false)),
            Ok(registered(None, false)),
            Err(Refusal::EventFull),
        );
        assert_eq!(told(&[&one], &one).as_deref(), Some("1-1-1"));
        assert_eq!(
            told(&[&other, &one], &one).as_deref(),
            Some("1-1-1"),
            "the second attempt's"
        );
        assert_eq!(told(&[&other], &one), None, "another one's, however alike");
        assert_eq!(told(&[&none], &one), None);
        assert_eq!(told(&[&one], &none), None);
    }

    /// What the metrics say of a batch, by outcome.
    fn counted(decisions: &[Decision]) -> Vec<String> {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || count(decisions));
        let rendered = recorder.handle().render();
        let lines = rendered
            .lines()
            .filter_map(|line| line.strip_prefix("headcount_registrations_total"));
        let mut counted: Vec<_> = lines.map(ToOwned::to_owned).collect();
        counted.sort();
        counted
    }

    #[test]
    fn every_decision_is_counted_by_its_outcome() {
        let decisions = [
            (Ok(registered(None, false)), Some("confirmed")),
            (Ok(registered(Some(1), false)), Some("waiting")),
            (Ok(registered(None, true)), Some("replayed")),
            (Ok(registered(Some(1), true)), Some("replayed")),
            (Ok(Answer::Cancelled(ada(None))), Some("cancelled")),
            (Err(Refusal::EventFull), Some("refused")),
            (Ok(Answer::Deleted), None),
            (Ok(Answer::Noted), None),
        ];
        for (decision, outcome) in &decisions {
            let expected: Vec<_> = outcome
                .iter()
                .map(|outcome| format!("{{outcome=\"{outcome}\"}} 1"))
                .collect();
            assert_eq!(
                counted(std::slice::from_ref(decision)),
                expected,
                "{decision:?}"
            );
        }
        let batch: Vec<_> = decisions
            .iter()
            .chain(&decisions)
            .map(|(decision, _)| decision.clone())
            .collect();
        let all = [
            ("cancelled", 2),
            ("confirmed", 2),
            ("refused", 2),
            ("replayed", 4),
            ("waiting", 2),
        ];
        assert_eq!(
            counted(&batch),
            all.map(|(outcome, times)| format!("{{outcome=\"{outcome}\"}} {times}"))
        );
        assert_eq!(counted(&[]), [""; 0]);
    }
}
