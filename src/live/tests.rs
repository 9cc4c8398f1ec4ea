//! What every transport relies on, with time held by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use tokio::time::{Instant, advance, sleep, timeout};

use super::channel::Channel;
use super::hub::Hub;
use super::subscription::{Item, RETRY_MS, Subscription};
use super::wait::{self, Waited};
use super::watchers::Transport;
use crate::domain::clock::Timestamp;
use crate::domain::event::{Capacity, Event, NewEvent, Slug};
use crate::domain::position::Position;
use crate::wire::message::{Body, Reason};

const INTERVAL: Duration = Duration::from_millis(50);
const HEARTBEAT: Duration = Duration::from_secs(15);

fn event(revision: i64) -> Event {
    let new = NewEvent {
        slug: Slug::parse("gala").unwrap(),
        title: "Gala".into(),
        description: String::new(),
        capacity: Capacity::UNLIMITED,
        waitlist: false,
        opens_at: None,
        closes_at: None,
    };
    let event = new.open("q7f2k9".parse().unwrap(), Timestamp::from_millis(0));
    Event { id: 1, revision, registered: u32::try_from(revision).unwrap() - 1, ..event }
}

fn hub(revision: i64) -> (Hub, Arc<Channel>) {
    let hub = Hub::new(INTERVAL);
    hub.publish(event(revision));
    let channel = hub.channel_by_id(1).unwrap();
    (hub, channel)
}

fn at(epoch: &str, revision: i64) -> Position {
    Position { epoch: epoch.parse().unwrap(), revision }
}

fn watch(channel: &Channel, after: Option<&Position>) -> Subscription {
    Subscription::open(channel, Transport::Sse, after, HEARTBEAT)
}

/// The revision of a count that must be next, without waiting longer than `within`.
#[track_caller]
fn revision(item: Option<Item>) -> i64 {
    match item {
        Some(Item::Message(message)) => match message.body() {
            Body::Count(headcount) => headcount.revision,
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
    assert_eq!(began.elapsed(), Duration::ZERO, "the leading edge does not wait");

    for newer in 3..=40 {
        hub.publish(event(newer));
    }
    assert_eq!(revision(watcher.next().await), 40, "a burst is one count");
    assert!(began.elapsed() <= INTERVAL + Duration::from_millis(2), "{:?}", began.elapsed());
    assert!(silent(&mut watcher, INTERVAL * 4).await, "and it is told once");
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
async fn only_a_current_position_spares_the_first_count() {
    let (_hub, channel) = hub(7);
    assert!(matches!(watch(&channel, Some(&at("q7f2k9", 7))).next().await, Some(Item::Heartbeat)));
    for after in [None, Some(at("q7f2k9", 6)), Some(at("q7f2k9", 8)), Some(at("zzzzzz", 7))] {
        assert_eq!(revision(watch(&channel, after.as_ref()).next().await), 7, "{after:?}");
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
    assert_eq!(revision(watcher.next().await), 3, "the newest, ahead of what is pushed");
    assert!(silent(&mut watcher, INTERVAL * 3).await, "the push of the same count is not told again, nor the older one");
    hub.publish(event(4));
    assert_eq!(revision(watcher.next().await), 4);

    let mut current = watch(&channel, Some(&at("q7f2k9", 4)));
    hub.publish(event(5));
    assert!(matches!(current.next().await, Some(Item::Heartbeat)));
    assert_eq!(revision(current.next().await), 5);
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_comes_at_least_every_interval_and_pushes_put_it_off() {
    let (hub, channel) = hub(1);
    let mut watcher = watch(&channel, None);
    revision(watcher.next().await);
    let mut last = Instant::now();
    for beat in 0..5 {
        assert!(matches!(watcher.next().await, Some(Item::Heartbeat)), "{beat}");
        assert!(last.elapsed() <= HEARTBEAT, "{:?}", last.elapsed());
        last = Instant::now();
    }
    sleep(HEARTBEAT / 2).await;
    hub.publish(event(2));
    revision(watcher.next().await);
    last = Instant::now();
    assert!(matches!(watcher.next().await, Some(Item::Heartbeat)));
    assert!(last.elapsed() > HEARTBEAT / 2 && last.elapsed() <= HEARTBEAT, "{:?}", last.elapsed());
}

#[tokio::test(start_paused = true)]
async fn stale_is_told_and_the_recovered_count_again_with_the_same_id() {
    let (hub, channel) = hub(4);
    let mut watcher = watch(&channel, None);
    revision(watcher.next().await);
    hub.set_stale(Some(Timestamp::from_millis(1)));
    let Some(Item::Message(stale)) = watcher.next().await else { panic!("nothing") };
    assert_eq!(*stale.body(), Body::Stale(Timestamp::from_millis(1)));

    // Who comes now is told both, even at the newest position.
    let mut late = watch(&channel, Some(&at("q7f2k9", 4)));
    let Some(Item::Message(count)) = late.next().await else { panic!("nothing") };
    let Body::Count(headcount) = count.body() else { panic!("no count") };
    assert_eq!(headcount.stale_since, Some(Timestamp::from_millis(1)));
    assert!(matches!(late.next().await, Some(Item::Message(message)) if matches!(message.body(), Body::Stale(_))));

    hub.set_stale(None);
    for watcher in [&mut watcher, &mut late] {
        let Some(Item::Message(count)) = watcher.next().await else { panic!("nothing") };
        let Body::Count(headcount) = count.body() else { panic!("no count") };
        assert_eq!((headcount.revision, headcount.stale_since), (4, None));
        assert_eq!(count.committed_at(), None, "it tells nothing new");
    }
}

#[tokio::test(start_paused = true)]
async fn a_restored_database_is_believed() {
    let (hub, channel) = hub(9);
    let mut watcher = watch(&channel, None);
    revision(watcher.next().await);
    hub.publish(event(5));
    assert!(silent(&mut watcher, INTERVAL * 2).await, "an older state is a late one");
    hub.publish_restored(event(5));
    assert_eq!(revision(watcher.next().await), 5);
}

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
    let mut told = Vec::new();
    for end in ends {
        told.push(end.await.unwrap());
    }
    let (first, last) = (told.iter().min().unwrap().0, told.iter().max().unwrap().0);
    assert!(first < WINDOW / 4 && last > WINDOW / 2 && last < WINDOW, "{first:?} to {last:?}");
    told.sort_unstable_by_key(|(_, retry_ms)| *retry_ms);
    told.dedup_by_key(|(_, retry_ms)| *retry_ms);
    assert!(told.len() > 30, "drawn for each");

    // Who comes now is told the count and goodbye at once.
    let mut late = watch(&channel, None);
    assert_eq!(revision(late.next().await), 1);
    let began = Instant::now();
    assert!(matches!(late.next().await, Some(Item::End { reason: Reason::Drain, .. })));
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
    assert!(matches!(item, Some(Item::Heartbeat | Item::End { .. })), "{item:?}");
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
    assert!(matches!(watcher.next().await, Some(Item::End { reason: Reason::Deleted, .. })));
    assert!(watcher.next().await.is_none());
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
    assert_eq!(channel.watchers.open(), 3);
    drop(watchers);
    assert_eq!(channel.watchers.open(), 0);
    assert_eq!(channel.watchers.come(), 3);
}

async fn held(channel: &Channel, revision: i64, wait_s: u64) -> (Waited, Duration) {
    let (has, began) = (at("q7f2k9", revision), Instant::now());
    let waited = wait::changed(channel, |position| *position == has, Duration::from_secs(wait_s)).await;
    (waited, began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_is_answered_by_the_change_it_waits_for() {
    let (hub, channel) = hub(3);
    assert!(matches!(held(&channel, 2, 20).await, (Waited::Changed(_), Duration::ZERO)), "not held at all when behind");
    assert!(matches!(held(&channel, 4, 20).await, (Waited::Changed(_), Duration::ZERO)), "nor from the future");
    let (waited, long) = held(&channel, 3, 20).await;
    assert!(matches!(waited, Waited::Unchanged(_)) && long.abs_diff(Duration::from_secs(20)) < INTERVAL, "{long:?}");

    let publish = async {
        sleep(Duration::from_secs(5)).await;
        assert_eq!(channel.watchers.open(), 1, "counted while it waits");
        hub.publish(event(4));
    };
    let ((waited, long), ()) = tokio::join!(held(&channel, 3, 20), publish);
    let Waited::Changed(newest) = waited else { panic!("not answered") };
    assert_eq!(newest.event.revision, 4);
    assert!(long.abs_diff(Duration::from_secs(5)) < INTERVAL * 2, "{long:?}");
    assert_eq!(channel.watchers.open(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_is_told_of_an_outage_once_and_then_held_until_its_end() {
    let (hub, channel) = hub(3);
    let outage = async {
        sleep(Duration::from_secs(1)).await;
        hub.set_stale(Some(Timestamp::from_millis(1)));
    };
    let ((waited, long), ()) = tokio::join!(held(&channel, 3, 20), outage);
    assert!(matches!(waited, Waited::Changed(newest) if newest.stale_since.is_some()));
    assert!(long < Duration::from_secs(2));

    let (waited, long) = held(&channel, 3, 10).await;
    assert!(matches!(waited, Waited::Unchanged(newest) if newest.stale_since.is_some()), "no hot loop while it lasts");
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
    assert!(matches!(waited, Waited::Unchanged(_)) && long < Duration::from_secs(11), "{long:?}");
    assert!(matches!(held(&channel, 3, 60).await, (Waited::Unchanged(_), long) if long < INTERVAL), "who comes in the drain is not held");

    let (hub, channel) = self::hub(3);
    let delete = async {
        sleep(Duration::from_secs(1)).await;
        hub.remove(1);
    };
    let ((waited, _), ()) = tokio::join!(held(&channel, 3, 60), delete);
    assert!(matches!(waited, Waited::Deleted));
}

/// A subscription as its task sees it, and how often the task was woken.
fn counted(channel: &Channel) -> (Subscription, Arc<Wakes>) {
    (watch(channel, None), Arc::default())
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Takes what there is; how often the task was woken since the last time.
fn drained(subscription: &mut Subscription, wakes: &Arc<Wakes>) -> usize {
    let waker: Waker = Arc::clone(wakes).into();
    while subscription.poll_next(&Context::from_waker(&waker)).is_ready() {}
    wakes.0.swap(0, Ordering::SeqCst)
}

#[tokio::test(start_paused = true)]
async fn an_idle_watcher_is_woken_for_its_heartbeat_and_for_nothing_else() {
    const WATCHERS: usize = 200;
    let (_hub, channel) = hub(1);
    let mut watchers: Vec<_> = (0..WATCHERS).map(|_| counted(&channel)).collect();
    for (subscription, wakes) in &mut watchers {
        drained(subscription, wakes);
    }
    let mut woken = 0;
    let began = Instant::now();
    while began.elapsed() < HEARTBEAT * 10 {
        sleep(Duration::from_millis(20)).await;
        // As a task does: it looks only when it was woken.
        let called = watchers.iter_mut().filter(|(_, wakes)| wakes.0.load(Ordering::SeqCst) > 0);
        woken += called.map(|(subscription, wakes)| drained(subscription, wakes)).sum::<usize>();
    }
    // The first beat comes early, so that a crowd's do not fall together.
    assert!((WATCHERS * 9..=WATCHERS * 12).contains(&woken), "{woken} wake-ups of {WATCHERS} watchers in ten heartbeats");
}

#[tokio::test(start_paused = true)]
async fn everybody_is_woken_once_for_a_push_and_others_have_their_turn_meanwhile() {
    const WATCHERS: usize = 1_000;
    let (hub, channel) = hub(1);
    let mut watchers: Vec<_> = (0..WATCHERS).map(|_| counted(&channel)).collect();
    for (subscription, wakes) in &mut watchers {
        drained(subscription, wakes);
    }
    sleep(INTERVAL * 2).await;
    hub.publish(event(2));
    let woken = |watchers: &[(Subscription, Arc<Wakes>)]| watchers.iter().map(|(_, wakes)| wakes.0.load(Ordering::SeqCst)).sum::<usize>();
    let mut turns = 0;
    while woken(&watchers) < WATCHERS {
        tokio::task::yield_now().await;
        turns += 1;
        assert!(turns < WATCHERS * 10, "all are woken");
    }
    assert!(turns > 10, "another task had {turns} turns meanwhile");
    sleep(INTERVAL * 2).await;
    assert!(watchers.iter_mut().all(|(subscription, wakes)| drained(subscription, wakes) == 1));
}

#[tokio::test(start_paused = true)]
async fn whoever_leaves_frees_their_place_and_others_are_still_woken() {
    let (hub, channel) = hub(1);
    let mut stays = watch(&channel, None);
    revision(stays.next().await);
    for newer in 2..=20 {
        let mut leaves = watch(&channel, None);
        leaves.next().await;
        drop(leaves);
        sleep(INTERVAL * 2).await;
        hub.publish(event(newer));
        assert_eq!(revision(timeout(INTERVAL * 2, stays.next()).await.expect("in time")), newer);
    }
    drop(stays);
    // Nobody is left and the walker has gone; who comes now has a new one.
    sleep(INTERVAL * 2).await;
    let mut comes = watch(&channel, None);
    revision(comes.next().await);
    assert!(matches!(timeout(HEARTBEAT, comes.next()).await, Ok(Some(Item::Heartbeat))));
}
