//! Faults of one node, or of its connection to the database; the other node continues.

use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection};
use tokio::time::sleep;

use super::row;
use super::stage::Stage;
use crate::support::postgres::shared;
use crate::support::proxy::Line;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_killed() {
    let stage = Stage::set(&shared().new_database().await, shared().address()).await;
    let [first, second] = &stage.nodes;
    first.watcher.move_to(second.process.address);
    let fault = Instant::now();
    first.process.signal("KILL");
    // Its watcher reconnects to the other node, which has worked all the time.
    let cut = first
        .watcher
        .first(fault, "the cut", |received| received.name == "end")
        .await
        .at;
    let recovered = stage.is_right_again(&[0], cut).await;
    stage.is_right_again(&[1], fault).await;
    assert_eq!(stage.stales(fault), [0, 0], "the database was never away");
    let tally = stage.end(&[1]).await;
    row(
        "a node killed (`kill -9`)",
        "its own: cut, and back at the other node; the others: nothing",
        &tally.tell(),
        recovered,
    );
}

/// The worst moment: the frozen node holds the event's lock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_freezes_in_the_middle_of_a_commit_and_thaws() {
    let stage = Stage::set(&shared().new_database().await, shared().address()).await;
    let [first, second] = &stage.nodes;
    // While another transaction holds the row, both nodes wait for it. The frozen node gets it and
    // keeps it.
    let mut holder = PgConnection::connect(&stage.url)
        .await
        .expect("the database");
    sqlx::raw_sql("BEGIN; SELECT * FROM events FOR UPDATE")
        .execute(&mut holder)
        .await
        .expect("the lock");
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND \
        wait_event_type = 'Lock'";
    let mut observer = PgConnection::connect(&stage.url)
        .await
        .expect("the database");
    while sqlx::query_scalar::<_, i64>(waiting)
        .fetch_one(&mut observer)
        .await
        .expect("an answer")
        < 2
    {
        sleep(Duration::from_millis(10)).await;
    }
    let fault = Instant::now();
    first.process.signal("STOP");
    sqlx::raw_sql("ROLLBACK")
        .execute(&mut holder)
        .await
        .expect("the lock is free");
    // A running node leaves its transaction idle for a moment only.
    let held = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND state = 'idle in transaction' AND state_change < clock_timestamp() - interval '500 ms'";
    while sqlx::query_scalar::<_, i64>(held)
        .fetch_one(&mut observer)
        .await
        .expect("an answer")
        == 0
    {
        assert!(
            fault.elapsed() < Duration::from_secs(10),
            "the frozen node never got the lock"
        );
        sleep(Duration::from_millis(5)).await;
    }
    let taken = Instant::now();
    // The server takes the lock from an idle transaction.
    let truth = stage.truth().await;
    let free = second
        .watcher
        .first(taken, "a commit of the other node", |received| {
            received.is_live_count() && received.revision() > truth.revision
        })
        .await;
    assert!(
        free.at - taken < super::RIGHT_WITHIN * super::SLACK,
        "the other node waited for {:?}",
        free.at - taken
    );
    sleep(Duration::from_secs(2)).await;
    first.process.signal("CONT");
    let recovered = stage.is_right_again(&[0, 1], Instant::now()).await;
    let tally = stage.end(&[0, 1]).await;
    let watchers = format!(
        "its own: nothing until it thaws; the others: no news for {:.1} s, then as always",
        (free.at - fault).as_secs_f64()
    );
    row(
        "a node frozen (`SIGSTOP`) while it holds the event's lock, thawed",
        &watchers,
        &tally.tell(),
        recovered,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_network_between_one_node_and_the_database_is_gone_for_ten_seconds() {
    let stage = Stage::set(&shared().new_database().await, shared().address()).await;
    let line = &stage.nodes[0].line;
    let fault = Instant::now();
    line.set(Line::Gone);
    let stale = stage.await_stale(&[0], fault).await;
    // Meanwhile the other node serves everybody.
    stage.is_right_again(&[1], fault + stale).await;
    assert_eq!(stage.stales(fault)[1], 0);
    sleep(Duration::from_secs(10).saturating_sub(fault.elapsed())).await;
    line.set(Line::Open);
    let recovered = stage.is_right_again(&[0, 1], Instant::now()).await;
    let tally = stage.end(&[0, 1]).await;
    assert!(tally.unavailable > 0, "{}", tally.tell());
    let watchers = format!(
        "its own: `stale` after {:.1} s; the others: nothing",
        stale.as_secs_f64()
    );
    row(
        "no network between a node and the database for 10 s",
        &watchers,
        &tally.tell(),
        recovered,
    );
}

/// The commit is durable, but its answer is lost: it is looked up by its key, not guessed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answers_to_commits_are_lost() {
    let stage = Stage::set(&shared().new_database().await, shared().address()).await;
    let [first, _] = &stage.nodes;
    let fault = Instant::now();
    first.line.set(Line::LosesCommits);
    // Nobody was notified of the commit, so both nodes find it by their polls.
    let truth = stage.truth().await;
    sleep(Duration::from_secs(6)).await;
    stage.is_right_again(&[0, 1], fault).await;
    assert!(stage.truth().await.revision > truth.revision);
    first.line.set(Line::Open);
    let recovered = stage.is_right_again(&[0, 1], Instant::now()).await;
    let stales = stage.stales(fault);
    let tally = stage.end(&[0, 1]).await;
    // The node looked it up, or a retry found it by its key: either way somebody waited, and has
    // one place.
    row(
        "the database's answers to one node's commits lost for 6 s",
        &format!("`stale` {stales:?} times at the nodes"),
        &tally.tell(),
        recovered,
    );
}
