use std::sync::Arc;

use futures_util::FutureExt as _;
use metrics_exporter_prometheus::PrometheusBuilder;

use super::*;
use crate::domain::audit::Actor;
use crate::domain::clock::Timestamp;
use crate::domain::command::Refusal;
use crate::domain::language::Language;
use crate::domain::person::{Email, Name};
use crate::domain::questions::Answers;
use crate::domain::registration::{Locator, PartySize, Registration, Secret, Status};

fn ada(accepted_waiting: Option<u32>) -> Arc<Registration> {
    Arc::new(Registration {
        locator: Locator {
            event: 1,
            round: 1,
            number: 1,
        },
        secret: Secret::draw(),
        name: Name::parse("Ada").unwrap(),
        email: Some(Email::parse("ada@example.org").unwrap()),
        party_size: PartySize::ONE,
        key: None,
        answers: Answers::default(),
        status: Status::Confirmed,
        accepted_waiting,
        accepted_revision: 2,
        revision: 2,
        at: Timestamp::from_millis(0),
        added_by: None,
        erased_at: None,
        language: Language::default(),
        email_proven_at: None,
        unsubscribed_at: None,
        renamed_at: None,
    })
}

fn registered(accepted_waiting: Option<u32>, replayed: bool) -> Answer {
    Answer::Registered {
        registration: ada(accepted_waiting),
        replayed,
    }
}

/// A job with a number.
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
        responder: oneshot::channel().0,
        queued: Queued::begin(),
    }
}

fn numbers(waiting: &[Job]) -> Vec<u32> {
    let number = |job: &Job| match &job.command {
        Command::Cancel { locator, .. } => locator.number,
        other => panic!("{other:?}"),
    };
    waiting.iter().map(number).collect()
}

/// Fills a batch while somebody sends `each` jobs in each of `turns` turns; returns the numbers
/// of the jobs in it.
async fn filled(turns: u32, each: u32) -> Vec<u32> {
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
    fill_batch(&mut jobs, &mut waiting).await;
    crowd.abort();
    drop(kept_open);
    numbers(&waiting)
}

#[test]
fn two_batches_make_a_crowd_and_it_is_forgotten() {
    let (now, later) = (Duration::ZERO, CROWD_WINDOW + Duration::from_nanos(1));
    for (before, ago, waiting, crowd) in [
        (0, now, 1, false),
        (1, now, 1, false),
        (0, now, CROWD - 1, false),
        (0, now, CROWD, true),
        (CROWD - 1, CROWD_WINDOW, 1, true),
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
async fn jobs_join_in_order_until_a_turn_brings_none() {
    assert_eq!(filled(0, 0).await, [0], "it waits for nobody");
    assert_eq!(filled(3, 2).await, [0, 1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn an_endless_crowd_does_not_delay_the_commit() {
    let endless = filled(100, 1).await;
    assert_eq!(endless.len(), 1 + TURNS, "{endless:?}");
    let large = filled(3, 500).await;
    assert!(
        large.iter().copied().eq(0..u32::try_from(BATCH).unwrap()),
        "{} in a batch",
        large.len()
    );
}

#[tokio::test]
async fn a_full_batch_is_committed_at_once() {
    let (queue, mut jobs) = mpsc::channel(1);
    queue.try_send(job(0)).expect("room");
    let mut waiting: Vec<Job> = (0..u32::try_from(BATCH).unwrap()).map(job).collect();
    assert!(
        fill_batch(&mut jobs, &mut waiting).now_or_never().is_some(),
        "it has taken a turn"
    );
}

/// The counters after a batch, by outcome.
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
        (Ok(Answer::Restored(ada(None))), Some("restored")),
        (Ok(Answer::Changed(ada(None))), Some("changed")),
        (Ok(Answer::Erased(ada(None))), Some("erased")),
        (Err(Refusal::EventFull { remaining: 0 }), Some("refused")),
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
        ("changed", 2),
        ("confirmed", 2),
        ("erased", 2),
        ("refused", 2),
        ("replayed", 4),
        ("restored", 2),
        ("waiting", 2),
    ];
    assert_eq!(
        counted(&batch),
        all.map(|(outcome, times)| format!("{{outcome=\"{outcome}\"}} {times}"))
    );
    assert_eq!(counted(&[]), [""; 0]);
}
