//! What every transport relies on, with paused time.

mod ends;
mod long_poll;
mod waking;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, advance, sleep, timeout};

use super::channel::Channel;
use super::hub::Hub;
use super::presence::Transport;
use super::subscription::{Item, Subscription};
use crate::domain::clock::Timestamp;
use crate::domain::event::{Capacity, Event, NewEvent, Slug};
use crate::domain::position::Position;
use crate::wire::message::Payload;

const INTERVAL: Duration = Duration::from_millis(50);
const HEARTBEAT: Duration = Duration::from_secs(15);

fn event(revision: i64) -> Event {
    let slug = Slug::parse("gala").unwrap();
    let new = NewEvent::new(slug, "Gala", Capacity::UNLIMITED);
    let event = new.open("q7f2k9".parse().unwrap(), Timestamp::from_millis(0));
    Event {
        id: 1,
        revision,
        registered: u32::try_from(revision).unwrap() - 1,
        ..event
    }
}

fn hub(revision: i64) -> (Hub, Arc<Channel>) {
    let hub = Hub::new(INTERVAL);
    hub.publish(event(revision));
    let channel = hub.channel_by_id(1).unwrap();
    (hub, channel)
}

fn at(epoch: &str, revision: i64) -> Position {
    Position {
        epoch: epoch.parse().unwrap(),
        revision,
    }
}

fn watch(channel: &Channel, after: Option<&Position>) -> Subscription {
    Subscription::open(channel, Transport::Sse, after, HEARTBEAT)
}

/// The revision of a count that must be next, without waiting longer than `within`.
#[track_caller]
fn revision(item: Option<Item>) -> i64 {
    match item {
        Some(Item::Message(message)) => match message.payload() {
            Payload::Count(headcount) => headcount.revision,
            other => panic!("no count: {other:?}"),
        },
        other => panic!("no count: {other:?}"),
    }
}

/// Whether nothing comes for that long.
async fn silent(subscription: &mut Subscription, long: Duration) -> bool {
    timeout(long, subscription.next()).await.is_err()
}

#[tokio::test(start_paused = true)]
async fn the_first_change_goes_out_at_once_and_the_last_of_a_burst_always() {
    let (hub, channel) = hub(1);
    let mut watcher = watch(&channel, None);
    assert_eq!(revision(watcher.next().await), 1);
    sleep(INTERVAL * 3).await;

    let began = Instant::now();
    hub.publish(event(2));
    assert_eq!(revision(watcher.next().await), 2);
    assert_eq!(
        began.elapsed(),
        Duration::ZERO,
        "the leading edge does not wait"
    );

    for newer in 3..=40 {
        hub.publish(event(newer));
    }
    assert_eq!(revision(watcher.next().await), 40, "a burst is one count");
    assert!(
        began.elapsed() <= INTERVAL + Duration::from_millis(2),
        "{:?}",
        began.elapsed()
    );
    assert!(
        silent(&mut watcher, INTERVAL * 4).await,
        "and it is pushed once"
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_watcher_gets_the_newest_and_nothing_before_it() {
    let (hub, channel) = hub(1);
    let mut watcher = watch(&channel, None);
    assert_eq!(revision(watcher.next().await), 1);
    for newer in 2..=20 {
        hub.publish(event(newer));
        sleep(INTERVAL * 2).await;
    }
    assert_eq!(revision(watcher.next().await), 20);
    assert!(silent(&mut watcher, HEARTBEAT / 4).await);
}

#[tokio::test(start_paused = true)]
async fn a_current_position_gets_no_first_count() {
    let (_hub, channel) = hub(7);
    assert!(matches!(
        watch(&channel, Some(&at("q7f2k9", 7))).next().await,
        Some(Item::Heartbeat)
    ));
    for after in [
        None,
        Some(at("q7f2k9", 6)),
        Some(at("q7f2k9", 8)),
        Some(at("zzzzzz", 7)),
    ] {
        assert_eq!(
            revision(watch(&channel, after.as_ref()).next().await),
            7,
            "{after:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_committed_while_subscribing_is_not_lost() {
    let (hub, channel) = hub(1);
    sleep(INTERVAL * 2).await;
    // The first push opens the interval; the second state is known and not pushed yet.
    hub.publish(event(2));
    hub.publish(event(3));
    let mut watcher = watch(&channel, Some(&at("q7f2k9", 2)));
    assert_eq!(
        revision(watcher.next().await),
        3,
        "the newest, ahead of what is pushed"
    );
    assert!(
        silent(&mut watcher, INTERVAL * 3).await,
        "neither the same count nor the older one is pushed again"
    );
    hub.publish(event(4));
    assert_eq!(revision(watcher.next().await), 4);

    let mut current = watch(&channel, Some(&at("q7f2k9", 4)));
    hub.publish(event(5));
    assert!(matches!(current.next().await, Some(Item::Heartbeat)));
    assert_eq!(revision(current.next().await), 5);
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_comes_every_interval_unless_a_push_comes_first() {
    let (hub, channel) = hub(1);
    let mut watcher = watch(&channel, None);
    revision(watcher.next().await);
    let mut last = Instant::now();
    for beat in 0..5 {
        assert!(
            matches!(watcher.next().await, Some(Item::Heartbeat)),
            "{beat}"
        );
        assert!(last.elapsed() <= HEARTBEAT, "{:?}", last.elapsed());
        last = Instant::now();
    }
    sleep(HEARTBEAT / 2).await;
    hub.publish(event(2));
    revision(watcher.next().await);
    last = Instant::now();
    assert!(matches!(watcher.next().await, Some(Item::Heartbeat)));
    assert!(
        last.elapsed() > HEARTBEAT / 2 && last.elapsed() <= HEARTBEAT,
        "{:?}",
        last.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn stale_is_pushed_and_after_recovery_the_count_again_with_the_same_id() {
    let (hub, channel) = hub(4);
    let mut watcher = watch(&channel, None);
    revision(watcher.next().await);
    hub.set_stale(Some(Timestamp::from_millis(1)));
    let Some(Item::Message(stale)) = watcher.next().await else {
        panic!("nothing")
    };
    assert_eq!(*stale.payload(), Payload::Stale(Timestamp::from_millis(1)));

    // A watcher that comes now gets both, even at the newest position.
    let mut late = watch(&channel, Some(&at("q7f2k9", 4)));
    let Some(Item::Message(count)) = late.next().await else {
        panic!("nothing")
    };
    let Payload::Count(headcount) = count.payload() else {
        panic!("no count")
    };
    assert_eq!(headcount.stale_since, Some(Timestamp::from_millis(1)));
    assert!(
        matches!(late.next().await, Some(Item::Message(message)) if matches!(message.payload(), Payload::Stale(_)))
    );

    hub.set_stale(None);
    for watcher in [&mut watcher, &mut late] {
        let Some(Item::Message(count)) = watcher.next().await else {
            panic!("nothing")
        };
        let Payload::Count(headcount) = count.payload() else {
            panic!("no count")
        };
        assert_eq!((headcount.revision, headcount.stale_since), (4, None));
        assert_eq!(count.committed_at(), None, "it tells nothing new");
    }
}

#[tokio::test(start_paused = true)]
async fn a_restored_database_replaces_the_count() {
    let (hub, channel) = hub(9);
    let mut watcher = watch(&channel, None);
    revision(watcher.next().await);
    hub.publish(event(5));
    assert!(
        silent(&mut watcher, INTERVAL * 2).await,
        "an older state is a late one"
    );
    hub.publish_restored(event(5));
    assert_eq!(revision(watcher.next().await), 5);
}

#[tokio::test(start_paused = true)]
async fn an_item_survives_a_cancelled_wait() {
    let (hub, channel) = hub(1);
    let mut watcher = watch(&channel, None);
    revision(watcher.next().await);
    for newer in 2..30 {
        assert!(silent(&mut watcher, Duration::from_millis(1)).await);
        hub.publish(event(newer));
        advance(INTERVAL * 2).await;
        assert_eq!(revision(watcher.next().await), newer);
    }
}

#[tokio::test(start_paused = true)]
async fn watchers_are_counted_while_they_are_open() {
    let (_hub, channel) = hub(1);
    let watchers: Vec<_> = (0..3).map(|_| watch(&channel, None)).collect();
    assert_eq!(channel.presence.open(), 3);
    drop(watchers);
    assert_eq!(channel.presence.open(), 0);
    assert_eq!(channel.presence.ever_open(), 3);
}
