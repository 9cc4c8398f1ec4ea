//! Opening and closing times that are due.

use super::*;

both_databases!(a_due_opening_or_closing_is_a_change_of_its_own);

async fn a_due_opening_or_closing_is_a_change_of_its_own(stage: Stage) {
    let at = |seconds: i64| Some(Timestamp::from_millis(NOON + seconds * 1000));
    let new = NewEvent {
        opens_at: at(10),
        closes_at: at(20),
        ..new_event("gala", Some(5), false)
    };
    let event = stage
        .store
        .create(new, "token", Timestamp::from_millis(NOON))
        .await
        .unwrap();
    assert_eq!(
        (event.state(), event.next_due()),
        (State::Scheduled, at(10))
    );
    assert_eq!(
        stage.one(event.id, register("ada")).await,
        (Err(Refusal::EventNotOpen { opens_at: at(10) }), vec![])
    );
    assert_eq!(
        stage.one(event.id, Command::ApplySchedule).await,
        (Ok(Answer::Noted), vec![])
    );

    stage.clock.store(NOON + 10_000, Ordering::SeqCst);
    // The first visitor at that moment finds it open; the opening is a separate change.
    let (decision, kinds) = stage.one(event.id, register("ada")).await;
    assert_eq!(
        (accepted(decision).at, kinds),
        (at(10).unwrap(), vec![Kind::Opened, Kind::Registered])
    );
    stage.clock.store(NOON + 20_000, Ordering::SeqCst);
    assert_eq!(
        stage.one(event.id, Command::ApplySchedule).await,
        (Ok(Answer::Noted), vec![Kind::Closed])
    );
    assert_eq!(
        stage.one(event.id, Command::ApplySchedule).await,
        (Ok(Answer::Noted), vec![])
    );
    let closed = stage.store.event_by_id(event.id).await.unwrap().unwrap();
    assert_eq!(
        (closed.state(), closed.next_due(), Some(closed.at)),
        (State::Closed, None, at(20))
    );

    // After the clock was set back, no change is older than the one before.
    stage.clock.store(NOON, Ordering::SeqCst);
    let later = changed(
        stage
            .one(
                event.id,
                edit(Edit {
                    closes_at: Some(at(60)),
                    ..Edit::default()
                }),
            )
            .await
            .0,
    );
    assert_eq!((later.state(), Some(later.at)), (State::Open, at(20)));
    stage.check(event.id).await;
}
