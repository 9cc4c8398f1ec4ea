//! How often a task is woken, and whether other tasks run meanwhile.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use super::*;

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

/// Takes all items; returns how often the task was woken since the last call.
fn drained(subscription: &mut Subscription, wakes: &Arc<Wakes>) -> usize {
    let waker: Waker = Arc::clone(wakes).into();
    while subscription
        .poll_next(&mut Context::from_waker(&waker))
        .is_ready()
    {}
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
        // Like a task, it polls only when it was woken.
        let called = watchers
            .iter_mut()
            .filter(|(_, wakes)| wakes.0.load(Ordering::SeqCst) > 0);
        woken += called
            .map(|(subscription, wakes)| drained(subscription, wakes))
            .sum::<usize>();
    }
    // The first heartbeat comes sooner, so that those of a crowd do not coincide.
    assert!(
        (WATCHERS * 9..=WATCHERS * 12).contains(&woken),
        "{woken} wake-ups of {WATCHERS} watchers in ten heartbeats"
    );
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
    let woken = |watchers: &[(Subscription, Arc<Wakes>)]| {
        watchers
            .iter()
            .map(|(_, wakes)| wakes.0.load(Ordering::SeqCst))
            .sum::<usize>()
    };
    let mut turns = 0;
    while woken(&watchers) < WATCHERS {
        tokio::task::yield_now().await;
        turns += 1;
        assert!(turns < WATCHERS * 10, "all are woken");
    }
    assert!(turns > 10, "another task had {turns} turns meanwhile");
    sleep(INTERVAL * 2).await;
    assert!(
        watchers
            .iter_mut()
            .all(|(subscription, wakes)| drained(subscription, wakes) == 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_watcher_that_leaves_frees_its_waiter_and_others_are_still_woken() {
    let (hub, channel) = hub(1);
    let mut stays = watch(&channel, None);
    revision(stays.next().await);
    for newer in 2..=20 {
        let mut leaves = watch(&channel, None);
        leaves.next().await;
        drop(leaves);
        sleep(INTERVAL * 2).await;
        hub.publish(event(newer));
        assert_eq!(
            revision(timeout(INTERVAL * 2, stays.next()).await.expect("in time")),
            newer
        );
    }
    drop(stays);
    // No waiter is left, and the fan-out task has ended. A new waiter starts another.
    sleep(INTERVAL * 2).await;
    let mut comes = watch(&channel, None);
    revision(comes.next().await);
    assert!(matches!(
        timeout(HEARTBEAT, comes.next()).await,
        Ok(Some(Item::Heartbeat))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_watcher_after_a_quiet_time_gets_a_current_clock() {
    let (_hub, channel) = hub(1);
    let mut first = Subscription::open(&channel, Transport::WebSocket, None, HEARTBEAT * 1_000);
    revision(first.next().await);
    assert!(silent(&mut first, INTERVAL).await);
    // The fan-out task sleeps by now, and does not read the clock.
    advance(HEARTBEAT * 2).await;
    let mut late = watch(&channel, None);
    assert!(late.is_fresh());
    revision(late.next().await);
    assert!(!late.is_fresh());
    assert!(
        silent(&mut late, HEARTBEAT / 3).await,
        "its heartbeat is due from now on"
    );
}
