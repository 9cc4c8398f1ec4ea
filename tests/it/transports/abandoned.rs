//! Thousands of clients disconnect in the middle of a poll: the server must free everything of
//! theirs.

use std::cell::Cell;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use headcount::transport::socketio;
use tokio::time::timeout;

use super::gala;
use crate::support::app::App;
use crate::support::memory::{allocated, measured, measuring};

/// How many clients disconnect, over all.
const ABANDONED: usize = 10_000;
/// How many of them are connected at the same time.
const WAVE: usize = 100;
/// How many bytes all of them together may leave allocated. A leaked session has more than 3 KiB,
/// so not one client in a hundred may leak.
const BOUND: usize = ABANDONED / 100 * 3 * 1024;

#[test]
fn abandoned_long_polls_leave_memory_where_it_was() {
    if measuring() {
        return measure(&long_poll);
    }
    bounded("transports::abandoned::abandoned_long_polls_leave_memory_where_it_was");
}

#[test]
fn abandoned_socketio_polls_leave_memory_where_it_was() {
    if measuring() {
        return measure(&polling);
    }
    bounded("transports::abandoned::abandoned_socketio_polls_leave_memory_where_it_was");
}

#[track_caller]
fn bounded(test: &str) {
    let allocated = measured(test, "before and after, bytes:");
    println!(
        "{ABANDONED} abandoned polls leave {} bytes of {}",
        allocated[1].saturating_sub(allocated[0]),
        allocated[0]
    );
    assert!(allocated[1] < allocated[0] + BOUND, "{allocated:?}");
}

/// Many clients start `poll`, and each disconnects while the server holds it.
fn measure(poll: &impl AsyncFn(&App, &str, &Cell<usize>)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (app, position) = gala(&[]).await;
        let channel = app
            .running
            .context
            .hub
            .channels()
            .into_iter()
            .find(|channel| channel.newest().event.slug.as_str() == "gala")
            .unwrap();
        let tasks = runtime.metrics().num_alive_tasks();
        let round = async |clients: usize| {
            for _ in 0..clients / WAVE {
                let asking = Cell::new(0);
                let clients = join_all((0..WAVE).map(|_| poll(&app, &position, &asking)));
                let address = app.address();
                // A session that is between two polls when its client leaves, or whose poll the
                // server has not read yet, is left to the pings: three quarters of a minute.
                let all = becomes("all poll", || {
                    asking.get() == WAVE
                        && channel.presence.open() >= WAVE as u64
                        && unread(address) == 0
                });
                tokio::select! {
                    _ = clients => unreachable!("a poll goes on until its client leaves"),
                    () = all => {}
                }
                becomes("most have left", || channel.presence.open() <= WAVE as u64).await;
            }
            becomes("nobody watches", || channel.presence.open() == 0).await;
            // By then every task of every client has ended: connections, sessions, pings.
            becomes("every task has ended", || {
                runtime.metrics().num_alive_tasks() <= tasks
            })
            .await;
        };
        // The first clients fill pools and tables.
        round(ABANDONED / 2).await;
        let before = allocated();
        round(ABANDONED).await;
        println!("before and after, bytes: {before} {}", allocated());
        app.stop().await;
    });
}

/// Waits longer than a session without pongs lasts.
async fn becomes(what: &str, condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(2 * (socketio::PING_EVERY + socketio::PONG_WITHIN), wait)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}

/// How many ends of the server's connections have unread bytes in the kernel.
fn unread(server: SocketAddr) -> usize {
    let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
    let port = format!(":{:04X}", server.port());
    // slot, local address, remote address, state, bytes to be sent and to be read, ...
    let columns = table.lines().skip(1).map(str::split_ascii_whitespace);
    columns
        .filter(|columns| {
            let mut ends = columns.clone().skip(1).take(2);
            ends.any(|end| end.ends_with(&port))
        })
        .filter(|columns| {
            columns
                .clone()
                .nth(4)
                .is_some_and(|queues| !queues.ends_with(":00000000"))
        })
        .count()
}

async fn long_poll(app: &App, position: &str, asking: &Cell<usize>) {
    let mut wire = app.wire().await;
    wire.get(&format!("/api/v1/events/gala?after={position}&wait=60"))
        .await;
    asking.update(|asking| asking + 1);
    wire.answer().await;
}

/// Opens a session, joins, and polls. If the server closes the session, it opens another one, as a
/// real client does.
async fn polling(app: &App, position: &str, asking: &Cell<usize>) {
    const PATH: &str = "/socket.io/?EIO=4&transport=polling";
    let mut wire = app.wire().await;
    loop {
        wire.get(PATH).await;
        let (_, open) = wire.answer().await;
        let sid = open
            .split("\"sid\":\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .expect("a session");
        let path = format!("{PATH}&sid={sid}");
        let join = format!("40{{\"event\":\"gala\",\"after\":\"{position}\"}}");
        wire.send(format!("POST {path} HTTP/1.1\r\nhost: test\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{join}", join.len())).await;
        wire.answer().await;
        let mut joined = false;
        loop {
            wire.get(&path).await;
            // Waits, but for news of how many watch.
            let waits = usize::from(joined);
            asking.update(|asking| asking + waits);
            let (head, packets) = wire.answer().await;
            asking.update(|asking| asking - waits);
            if !head.starts_with("http/1.1 200 ") {
                break;
            }
            for packet in packets.split('\x1e') {
                joined |= packet.starts_with("40");
            }
        }
    }
}
