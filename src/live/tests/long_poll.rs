//! A long poll's single wait.

use super::super::long_poll::{self, Waited};
use super::*;

async fn held(channel: &Channel, revision: i64, wait_s: u64) -> (Waited, Duration) {
    let (has, began) = (at("q7f2k9", revision), Instant::now());
    let waited = long_poll::changed(
        channel,
        |position| *position == has,
        Duration::from_secs(wait_s),
    )
    .await;
    (waited, began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_is_answered_by_the_change_it_waits_for() {
    let (hub, channel) = hub(3);
    assert!(
        matches!(
            held(&channel, 2, 20).await,
            (Waited::Changed(_), Duration::ZERO)
        ),
        "not held at all when behind"
    );
    assert!(
        matches!(
            held(&channel, 4, 20).await,
            (Waited::Changed(_), Duration::ZERO)
        ),
        "nor from the future"
    );
    let (waited, long) = held(&channel, 3, 20).await;
    assert!(
        matches!(waited, Waited::Unchanged(_)) && long.abs_diff(Duration::from_secs(20)) < INTERVAL,
        "{long:?}"
    );

    let publish = async {
        sleep(Duration::from_secs(5)).await;
        assert_eq!(channel.presence.open(), 1, "counted while it waits");
        hub.publish(event(4));
    };
    let ((waited, long), ()) = tokio::join!(held(&channel, 3, 20), publish);
    let Waited::Changed(newest) = waited else {
        panic!("not answered")
    };
    assert_eq!(newest.event.revision, 4);
    assert!(
        long.abs_diff(Duration::from_secs(5)) < INTERVAL * 2,
        "{long:?}"
    );
    assert_eq!(channel.presence.open(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_answers_an_outage_once_and_then_waits_until_its_end() {
    let (hub, channel) = hub(3);
    let outage = async {
        sleep(Duration::from_secs(1)).await;
        hub.set_stale(Some(Timestamp::from_millis(1)));
    };
    let ((waited, long), ()) = tokio::join!(held(&channel, 3, 20), outage);
    assert!(matches!(waited, Waited::Changed(newest) if newest.stale_since.is_some()));
    assert!(long < Duration::from_secs(2));

    let (waited, long) = held(&channel, 3, 10).await;
    assert!(
        matches!(waited, Waited::Unchanged(newest) if newest.stale_since.is_some()),
        "no hot loop while it lasts"
    );
    assert!(long >= Duration::from_secs(10));

    let recovery = async {
        sleep(Duration::from_secs(1)).await;
        hub.set_stale(None);
    };
    let ((waited, long), ()) = tokio::join!(held(&channel, 3, 20), recovery);
    assert!(matches!(waited, Waited::Changed(newest) if newest.stale_since.is_none()));
    assert!(long < Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_ends_inside_the_drain_and_with_the_event() {
    let (hub, channel) = hub(3);
    let drain = async {
        sleep(Duration::from_secs(1)).await;
        hub.drain(Duration::from_secs(10));
    };
    let ((waited, long), ()) = tokio::join!(held(&channel, 3, 60), drain);
    assert!(
        matches!(waited, Waited::Unchanged(_)) && long < Duration::from_secs(11),
        "{long:?}"
    );
    assert!(
        matches!(held(&channel, 3, 60).await, (Waited::Unchanged(_), long) if long < INTERVAL),
        "who comes in the drain is not held"
    );

    let (hub, channel) = self::hub(3);
    let delete = async {
        sleep(Duration::from_secs(1)).await;
        hub.remove(1);
    };
    let ((waited, _), ()) = tokio::join!(held(&channel, 3, 60), delete);
    assert!(matches!(waited, Waited::Deleted));
}
