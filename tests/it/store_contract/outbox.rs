//! The outbox: written with its cause, claimed by one worker, finished once.

use headcount::domain::occasion::OccasionEdit;
use headcount::domain::outbox::{Channel, HOLDS_UP, MailKind, NewRow, Row, RowState};
use headcount::store::outbox::{Budget, Claimed, Finish, OutboxFilter, Want};

use super::*;

both_databases!(
    a_commit_writes_its_mails_and_only_with_a_mail_server,
    a_moved_event_becomes_a_mail_for_everybody_who_is_left,
    rows_of_one_recipient_are_claimed_one_after_the_other,
    a_row_that_always_fails_holds_up_the_later_ones_for_a_while,
    a_lease_ends_and_the_next_worker_decides,
    a_budget_holds_mail_back_for_an_hour,
);

pub(super) const SECOND: i64 = 1_000;
pub(super) const HOUR: i64 = 3_600 * SECOND;
pub(super) const DAY: i64 = 24 * HOUR;

/// A stage whose store sends mail.
pub(super) async fn mailing(stage: Stage) -> Stage {
    let store = stage.store.with_mail().await.unwrap();
    Stage { store, ..stage }
}

impl Stage {
    pub(super) fn pass(&self, millis: i64) {
        self.clock.fetch_add(millis, Ordering::SeqCst);
    }

    pub(super) async fn claim(
        &self,
        owner: &str,
        channel: Channel,
        budget: Option<Budget>,
    ) -> Claimed {
        let now = self.clock().now();
        let want = Want {
            channel,
            owner,
            now,
            until: now.plus(Duration::from_secs(45)),
            limit: 100,
            budget,
            per_lane: None,
        };
        self.store.claim_outbox(&want).await.unwrap()
    }

    pub(super) async fn mails(&self, owner: &str) -> Vec<Row> {
        self.claim(owner, Channel::Mail, None).await.rows
    }

    pub(super) async fn finish(&self, owner: &str, row: &Row, finish: Finish) {
        let ended = [(row.clone(), finish)];
        let now = self.clock().now();
        self.store.finish_outbox(owner, &ended, now).await.unwrap();
    }

    pub(super) async fn outbox(&self) -> Vec<Row> {
        let filter = OutboxFilter {
            limit: 1_000,
            ..OutboxFilter::default()
        };
        let mut rows = self.store.outbox(&filter).await.unwrap();
        rows.reverse();
        rows
    }
}

fn kinds(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row.kind.as_str()).collect()
}

fn cancelled(registration: &Registration, by: Actor) -> Command {
    Command::Cancel {
        locator: registration.locator,
        secret: None,
        by,
    }
}

async fn a_commit_writes_its_mails_and_only_with_a_mail_server(stage: Stage) {
    let event = stage.event("gala", Some(1), true).await;
    stage.registers(event.id, "before").await;
    assert_eq!(stage.outbox().await, []);
    let stage = mailing(stage).await;
    let event = stage.event("dinner", Some(1), true).await;
    let ada = stage.registers(event.id, "ada").await;
    let bob = stage.registers(event.id, "bob").await;
    stage.does(event.id, cancelled(&ada, Actor::Owner)).await;
    stage.does(event.id, cancelled(&bob, Actor::Visitor)).await;
    // A refusal leaves nothing.
    stage.registers(event.id, "cy").await;
    let again = stage.one(event.id, register("cy")).await.0;
    assert!(again.is_err(), "{again:?}");
    let rows = stage.outbox().await;
    assert_eq!(
        kinds(&rows),
        ["confirmed", "waiting", "cancelled", "promoted", "confirmed"]
    );
    let numbers: Vec<_> = rows.iter().map(|row| row.number).collect();
    assert_eq!(numbers, [1, 2, 1, 2, 3].map(Some));
    assert_eq!(rows[0].recipient, rows[2].recipient);
    assert_ne!(rows[0].recipient, rows[1].recipient);
    assert!(rows.iter().all(|row| row.recipient.len() == 32
        && row.state == RowState::Waiting
        && !format!("{row:?}").contains("example.org")));
}

async fn a_moved_event_becomes_a_mail_for_everybody_who_is_left(stage: Stage) {
    let stage = mailing(stage).await;
    let event = stage.event("gala", None, false).await;
    let people: Vec<_> = (0..600).map(|n| register(&format!("guest{n}"))).collect();
    for decision in stage.commit(event.id, people).await.decisions {
        accepted(decision);
    }
    let first = Locator {
        event: event.id,
        round: 1,
        number: 1,
    };
    let first = stage.store.registration(first).await.unwrap().unwrap();
    stage
        .does(event.id, cancelled(&first.registration, Actor::Visitor))
        .await;
    let edit = |edit| Command::Edit {
        edit,
        expected: None,
        by: Actor::Owner,
    };
    let renamed = Edit {
        title: Some("Another title".into()),
        ..Edit::default()
    };
    stage.does(event.id, edit(renamed)).await;
    assert_eq!(stage.claim("a", Channel::Fanout, None).await.rows, []);
    let moved = Edit {
        occasion: Box::new(OccasionEdit {
            location: Some("Hall 2".into()),
            ..OccasionEdit::default()
        }),
        ..Edit::default()
    };
    stage.does(event.id, edit(moved)).await;
    let fanouts = stage.claim("a", Channel::Fanout, None).await.rows;
    assert_eq!(fanouts.len(), 1);
    assert_eq!(
        fanouts[0].payload["settings"],
        serde_json::json!(["location"])
    );
    let (mut after, mut portions) = (Some(0), 0);
    while let Some(number) = after {
        let now = stage.clock().now();
        after = stage
            .store
            .spread_outbox(&fanouts[0], number, now)
            .await
            .unwrap();
        // A worker that repeats a portion writes nothing.
        let repeated = stage.store.spread_outbox(&fanouts[0], number, now).await;
        assert_eq!(repeated.unwrap(), None);
        portions += 1;
    }
    assert_eq!(portions, 3);
    let rows = stage.outbox().await;
    let changed: Vec<_> = rows
        .iter()
        .filter(|row| row.kind == "changed" && row.channel == Channel::Mail)
        .filter_map(|row| row.number)
        .collect();
    assert_eq!(changed, (2..=600).collect::<Vec<_>>());
    let fanout = rows.iter().find(|row| row.channel == Channel::Fanout);
    assert_eq!(fanout.unwrap().state, RowState::Sent);
}

async fn a_row_that_always_fails_holds_up_the_later_ones_for_a_while(stage: Stage) {
    let stage = mailing(stage).await;
    let gala = stage.event("gala", None, false).await;
    let hall = stage.event("hall", None, false).await;
    stage.registers(gala.id, "ada").await;
    stage.registers(hall.id, "ada").await;
    for attempt in 1..=HOLDS_UP {
        let claimed = stage.mails("a").await;
        let tried: Vec<_> = claimed
            .iter()
            .map(|row| (row.event, row.attempts))
            .collect();
        assert_eq!(tried, [(gala.id, attempt)]);
        assert_eq!(stage.mails("a").await, [], "it is under way");
        let due = stage.clock().now().plus(Duration::from_mins(1));
        let error = Some("450 later".to_owned());
        stage
            .finish("a", &claimed[0], Finish::Again { due, error })
            .await;
        if attempt < HOLDS_UP {
            stage.pass(61 * SECOND);
        }
    }
    // It has failed five times: the next one need not wait for the sixth.
    let next = stage.mails("a").await;
    let next: Vec<_> = next.iter().map(|row| (row.event, row.attempts)).collect();
    assert_eq!(next, [(hall.id, 1)]);
}

async fn rows_of_one_recipient_are_claimed_one_after_the_other(stage: Stage) {
    let stage = mailing(stage).await;
    let gala = stage.event("gala", None, false).await;
    let hall = stage.event("hall", None, false).await;
    stage.registers(gala.id, "ada").await;
    stage.registers(hall.id, "ada").await;
    stage.registers(hall.id, "bob").await;
    let first = stage.mails("a").await;
    assert_eq!(
        first
            .iter()
            .map(|row| (row.event, row.number))
            .collect::<Vec<_>>(),
        [(gala.id, Some(1)), (hall.id, Some(2))]
    );
    assert_eq!(stage.mails("b").await, []);
    // Tried again later: the next one of the same person waits as well.
    let due = stage.clock().now().plus(Duration::from_mins(10));
    let error = Some("450 later".to_owned());
    stage
        .finish("a", &first[0], Finish::Again { due, error })
        .await;
    assert_eq!(stage.mails("b").await, []);
    stage.pass(601 * SECOND);
    let again = stage.mails("b").await;
    assert_eq!((again[0].id, again[0].attempts), (first[0].id, 2));
    stage.finish("b", &again[0], Finish::Sent).await;
    let last = stage.mails("b").await;
    assert_eq!((last.len(), last[0].event), (1, hall.id));
    // What is to be sent next week keeps nobody waiting.
    stage.finish("b", &last[0], Finish::Sent).await;
    let ada = last[0].locator().unwrap();
    let row = |kind, days: u64| {
        let due = stage.clock().now().plus(Duration::from_hours(24 * days));
        NewRow::mail(kind, ada, "ada@example.org", due)
    };
    let rows = [row(MailKind::Reminder, 7), row(MailKind::Link, 0)];
    let now = stage.clock().now();
    stage.store.write_outbox(&rows, now).await.unwrap();
    assert_eq!(kinds(&stage.mails("b").await), ["link"]);
}

async fn a_lease_ends_and_the_next_worker_decides(stage: Stage) {
    let stage = mailing(stage).await;
    let event = stage.event("gala", None, false).await;
    stage.registers(event.id, "ada").await;
    stage.registers(event.id, "bob").await;
    let dead = stage.mails("dead").await;
    stage.pass(44 * SECOND);
    assert_eq!(stage.mails("next").await, []);
    stage.pass(2 * SECOND);
    let next = stage.mails("next").await;
    assert_eq!(next.len(), 2);
    // It was not dead but slow: only what it has sent counts.
    let due = stage.clock().now();
    let again = Finish::Again { due, error: None };
    stage.finish("dead", &dead[0], again).await;
    stage.finish("dead", &dead[1], Finish::Sent).await;
    assert_eq!(stage.mails("third").await, []);
    let until = stage.clock().now().plus(Duration::from_secs(90));
    stage
        .store
        .renew_outbox("next", Channel::Mail, until)
        .await
        .unwrap();
    stage.pass(60 * SECOND);
    assert_eq!(stage.mails("third").await, []);
    stage.pass(31 * SECOND);
    assert_eq!(stage.mails("third").await.len(), 1);
    let states: Vec<_> = stage.outbox().await.iter().map(|row| row.state).collect();
    assert_eq!(states, [RowState::Waiting, RowState::Sent]);
}

async fn a_budget_holds_mail_back_for_an_hour(stage: Stage) {
    let stage = mailing(stage).await;
    let gala = stage.event("gala", None, false).await;
    let hall = stage.event("hall", None, false).await;
    for person in ["a", "b", "c", "d"] {
        stage.registers(gala.id, person).await;
    }
    stage.registers(hall.id, "e").await;
    let budget = Some(Budget {
        per_event: 3,
        total: 4,
    });
    let first = stage.claim("a", Channel::Mail, budget).await;
    assert_eq!(first.rows.len(), 4);
    for row in &first.rows[1..] {
        stage.finish("a", row, Finish::Sent).await;
    }
    let held = stage.claim("a", Channel::Mail, budget).await;
    assert!(held.rows.is_empty() && held.held);
    // One attempt was not a mail, so another may be sent in its place.
    let due = stage.clock().now().plus(Duration::from_hours(1));
    let again = Finish::Again { due, error: None };
    stage.finish("a", &first.rows[0], again).await;
    let fourth = stage.claim("a", Channel::Mail, budget).await;
    assert_eq!((fourth.rows.len(), fourth.rows[0].number), (1, Some(4)));
    stage.finish("a", &fourth.rows[0], Finish::Sent).await;
    assert_eq!(
        stage.store.mails_used(stage.clock().now()).await.unwrap(),
        [(gala.id, 3), (hall.id, 1)].into()
    );
    stage.pass(HOUR + SECOND);
    let last = stage.claim("a", Channel::Mail, budget).await;
    assert_eq!((last.rows.len(), last.rows[0].number), (1, Some(1)));
    assert!(!last.held);
}
