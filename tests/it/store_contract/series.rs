//! Series: the change log added up by steps, and samples of watchers.

use std::collections::{BTreeMap, HashMap};

use headcount::domain::series::{Counts, Step};
use headcount::stats::series::{self, POINTS_MAX, Range};

use super::*;

both_databases!(
    every_step_ends_with_the_counts_of_the_log,
    a_sample_keeps_the_highest_number_and_ages,
    a_series_of_a_million_people_is_read_at_once,
);

const MINUTE: i64 = 60_000;
const HOUR: i64 = 3_600_000;
const DAY: i64 = 86_400_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn range(step: Step, from: i64, to: i64) -> Range {
    Range {
        step,
        from: step.start(at(from)),
        to: at(to),
    }
}

/// The counts at the end of each step with a change. Cancelled people are counted by hand.
fn naive(changes: &[Change], step: Step) -> BTreeMap<Timestamp, Counts> {
    let (mut steps, mut cancelled, mut before) = (BTreeMap::new(), 0, 0);
    let mut archived = Vec::new();
    for change in changes {
        let count = &change.headcount;
        match change.kind {
            Kind::Cancelled => cancelled += before - (count.registered + count.waiting),
            Kind::Reset => archived.push(std::mem::take(&mut cancelled)),
            Kind::Restored => cancelled = archived.pop().unwrap(),
            _ => {}
        }
        before = count.registered + count.waiting;
        let counts = Counts {
            registered: count.registered,
            waiting: count.waiting,
            cancelled,
            capacity: count.capacity.get(),
        };
        steps.insert(step.start(count.at), counts);
    }
    steps
}

async fn every_step_ends_with_the_counts_of_the_log(stage: Stage) {
    let event = stage.event("gala", Some(6), true).await;
    let other = Store::open(&stage.url, None).await.unwrap();
    let mut people = Vec::new();
    for turn in 0..24_i64 {
        // Up to three changes a minute, then a quiet hour, then the next day.
        let pause = match turn {
            8 | 16 => HOUR,
            20 => DAY,
            _ => 25_000,
        };
        stage.clock.fetch_add(pause, Ordering::SeqCst);
        let party_size = party(1 + turn % 3);
        let applicant = Applicant {
            party_size,
            ..applicant(&format!("guest{turn}"))
        };
        let (decision, _) = stage.one(event.id, Command::Register(applicant)).await;
        people.push(accepted(decision));
        match turn {
            5 | 11 | 17 => {
                let gone = people.swap_remove(usize::try_from(turn % 4).unwrap());
                stage.does(event.id, cancel(&gone)).await;
            }
            7 => stage.does(event.id, capacity(9)).await,
            13 => {
                stage.does(event.id, reset()).await;
                stage.does(event.id, undo()).await;
            }
            20 => stage.does(event.id, reset()).await,
            _ => {}
        }
        // Two nodes add up at once, and neither all.
        let (one, two) = tokio::join!(
            stage.store.add_up(event.id, 1),
            other.add_up(event.id, u32::from(turn % 5 == 0))
        );
        assert!(one.unwrap() <= 1 && two.unwrap() <= 1);
    }
    let changes = stage.check(event.id).await;
    let now = stage.clock().now();
    for added_up in [false, true] {
        if added_up {
            while stage.store.add_up(event.id, 7).await.unwrap() > 0 {}
        }
        for step in Step::ALL {
            let expected = naive(&changes, step);
            let from = NOON - 2 * step.millis();
            let length = (now.as_millis() - from).min((POINTS_MAX - 1) * step.millis());
            let range = range(step, from, from + length);
            let read = series::read(&other, event.id, range, now).await.unwrap();
            let mut last = Counts::default();
            for (point, start) in read
                .iter()
                .zip((range.from.as_millis()..).step_by(usize::try_from(step.millis()).unwrap()))
            {
                assert_eq!(point.at, at(start), "no step is left out");
                last = expected.get(&point.at).copied().unwrap_or(last);
                let seen = Counts {
                    registered: point.registered,
                    waiting: point.waiting,
                    cancelled: point.cancelled,
                    capacity: point.capacity,
                };
                assert_eq!(seen, last, "{step:?} {} {added_up}", point.at);
            }
            if step != Step::Minute {
                let end = changes.last().unwrap();
                assert_eq!(last.registered, end.headcount.registered);
            }
        }
    }
    other.close().await;
}

async fn a_sample_keeps_the_highest_number_and_ages(stage: Stage) {
    let event = stage.event("gala", None, false).await;
    let gone = event.id + 1_000;
    let watching = |watchers| HashMap::from([(event.id, watchers), (gone, 1)]);
    for (watchers, after) in [(3, 0), (8, 10_000), (5, 20_000), (2, 2 * MINUTE)] {
        stage
            .store
            .sample(&watching(watchers), at(NOON + after))
            .await
            .unwrap();
    }
    // Nobody watches in the fourth minute, and nobody counts in the second.
    stage
        .store
        .sample(&HashMap::new(), at(NOON + 3 * MINUTE))
        .await
        .unwrap();
    let seen = async |step: Step| {
        let end = NOON + 4 * MINUTE;
        let range = range(step, NOON, end);
        let points = series::read(&stage.store, event.id, range, at(end)).await;
        let points = points.unwrap().into_iter();
        points.map(|point| point.watching).collect::<Vec<_>>()
    };
    assert_eq!(seen(Step::Minute).await, [Some(8), None, Some(2), Some(0)]);
    assert_eq!(seen(Step::Hour).await, [Some(8)]);
    assert_eq!(seen(Step::Day).await, [Some(8)]);
    // Minutes are too old, hours are not.
    let later = at(NOON + MINUTE);
    stage
        .store
        .prune_series(later, at(NOON - DAY))
        .await
        .unwrap();
    assert_eq!(seen(Step::Minute).await, [None, None, Some(2), Some(0)]);
    assert_eq!(seen(Step::Hour).await, [Some(8)]);
    stage
        .store
        .prune_series(later, at(NOON + DAY))
        .await
        .unwrap();
    assert_eq!(seen(Step::Hour).await, [None]);
    let of_gone = range(Step::Minute, NOON, NOON + 4 * MINUTE);
    let recorded = stage
        .store
        .recorded(gone, Step::Minute, of_gone.from, of_gone.to, 1)
        .await;
    assert!(
        recorded.unwrap().watched.is_empty(),
        "its event does not exist"
    );
}

/// As many steps as a million registrations make in 400 days: two each minute.
async fn a_series_of_a_million_people_is_read_at_once(stage: Stage) {
    const DAYS: i64 = 400;
    /// What the issue asks for.
    const BOUND: Duration = Duration::from_millis(100);
    let event = stage.event("gala", None, false).await;
    while stage.store.add_up(event.id, 10).await.unwrap() > 0 {}
    let numbers = "WITH RECURSIVE numbers(n) AS
        (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 576000) SELECT n FROM numbers";
    for (length, each) in [(MINUTE, 1), (HOUR, 60), (DAY, 1_440)] {
        let (id, end) = (event.id, NOON - NOON % DAY + DAY * DAYS);
        let first = end - DAY * DAYS;
        let sql = format!(
            "INSERT INTO series (event_id, step, at, registered, waiting, cancelled, capacity)
            SELECT {id}, {length}, {first} + CAST(n / {each} AS BIGINT) * {length}, n * 2, 0, 0, NULL
            FROM ({numbers}) AS numbers WHERE n % {each} = 0 ON CONFLICT DO NOTHING"
        );
        stage.tamper(sql.leak()).await;
    }
    let now = NOON - NOON % DAY + DAY * DAYS;
    let mut fastest = Duration::MAX;
    for _ in 0..10 {
        let started = Instant::now();
        for step in Step::ALL {
            let from = (now - (POINTS_MAX - 1) * step.millis()).max(NOON);
            let range = range(step, from, now);
            let points = series::read(&stage.store, event.id, range, at(now))
                .await
                .unwrap();
            let last = points.last().unwrap();
            assert!(last.registered > 1_000_000, "{last:?}");
        }
        fastest = fastest.min(started.elapsed());
    }
    assert!(fastest < BOUND, "three series took {fastest:?}");
}
