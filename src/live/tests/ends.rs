//! How a subscription ends.

use super::super::subscription::RETRY_MS;
use super::*;
use crate::wire::message::Reason;

#[tokio::test(start_paused = true)]
async fn farewells_are_spread_over_the_window_and_differ() {
    const WINDOW: Duration = Duration::from_secs(10);
    let (hub, channel) = hub(1);
    let mut watchers: Vec<_> = (0..40).map(|_| watch(&channel, None)).collect();
    for watcher in &mut watchers {
        revision(watcher.next().await);
    }
    hub.drain(WINDOW);
    let began = Instant::now();
    let mut ends = Vec::new();
    for mut watcher in watchers {
        ends.push(tokio::spawn(async move {
            // The window is longer than the shortest time to a heartbeat.
            let (reason, retry_ms) = loop {
                match watcher.next().await {
                    Some(Item::Heartbeat) => {}
                    Some(Item::End { reason, retry_ms }) => break (reason, retry_ms),
                    other => panic!("no farewell: {other:?}"),
                }
            };
            assert_eq!(reason, Reason::Drain);
            assert!(RETRY_MS.contains(&retry_ms), "{retry_ms}");
            assert!(watcher.next().await.is_none(), "nothing follows");
            (began.elapsed(), retry_ms)
        }));
    }
    let mut farewells = Vec::new();
    for end in ends {
        farewells.push(end.await.unwrap());
    }
    let (first, last) = (
        farewells.iter().min().unwrap().0,
        farewells.iter().max().unwrap().0,
    );
    assert!(
        first < WINDOW / 4 && last > WINDOW / 2 && last < WINDOW,
        "{first:?} to {last:?}"
    );
    farewells.sort_unstable_by_key(|(_, retry_ms)| *retry_ms);
    farewells.dedup_by_key(|(_, retry_ms)| *retry_ms);
    assert!(farewells.len() > 30, "drawn for each");

    // A watcher that comes now gets the count and the farewell at once.
    let mut late = watch(&channel, None);
    assert_eq!(revision(late.next().await), 1);
    let began = Instant::now();
    assert!(matches!(
        late.next().await,
        Some(Item::End {
            reason: Reason::Drain,
            ..
        })
    ));
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_drain_longer_than_the_heartbeat_still_beats_and_still_counts() {
    let (hub, channel) = hub(1);
    let mut watcher = watch(&channel, None);
    revision(watcher.next().await);
    hub.drain(Duration::from_hours(1));
    hub.publish(event(2));
    assert_eq!(revision(watcher.next().await), 2);
    let began = Instant::now();
    let item = watcher.next().await;
    assert!(
        matches!(item, Some(Item::Heartbeat | Item::End { .. })),
        "{item:?}"
    );
    assert!(began.elapsed() <= HEARTBEAT);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_event_says_so_at_once_after_its_last_count() {
    let (hub, channel) = hub(1);
    let mut watcher = watch(&channel, None);
    revision(watcher.next().await);
    sleep(INTERVAL * 2).await;
    hub.publish(event(2));
    hub.remove(1);
    drop(channel);
    assert_eq!(revision(watcher.next().await), 2);
    assert!(matches!(
        watcher.next().await,
        Some(Item::End {
            reason: Reason::Deleted,
            ..
        })
    ));
    assert!(watcher.next().await.is_none());
}
