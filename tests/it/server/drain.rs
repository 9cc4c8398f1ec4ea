//! From the stop signal to the last closed socket.

use std::time::Duration;

use headcount::server::{Config, Deadlines, Drained};
use tokio::net::TcpStream;

use super::host::{Host, config, until};
use super::wire::Ending;

#[tokio::test]
async fn idle_and_silent_connections_are_closed_at_once() {
    let host = Host::start(config());
    // A browser opens a spare connection and says nothing on it.
    let mut spare = host.connect().await;
    let mut idle = host.connect().await;
    idle.get("/hello").await;
    assert_eq!(idle.answer().await.1, "hello");
    let mut half = host.connect().await;
    half.send("PRI * HT").await;
    host.stop();
    for wire in [&mut spare, &mut idle, &mut half] {
        assert!(wire.rest().await.0.is_empty());
    }
    assert_eq!(host.drained().await.cut, 0);
}

/// A load balancer learns of the drain at its next look at `/health/ready`, and sends requests on
/// its idle connections until then.
#[tokio::test]
async fn what_a_proxy_sends_before_it_has_noticed_is_answered() {
    let deadlines = Deadlines {
        settle: Duration::from_millis(300),
        ..config().deadlines
    };
    let host = Host::start(Config {
        trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()],
        deadlines,
        ..config()
    });
    let (mut asking, mut idle) = (host.connect().await, host.connect().await);
    for wire in [&mut asking, &mut idle] {
        wire.get("/hello").await;
        wire.answer().await;
    }
    host.stop();
    asking.is_silent().await;
    asking.get("/hello").await;
    let (head, body) = asking.answer().await;
    assert!(head.contains("connection: close"), "{head}");
    assert_eq!(body, "hello");
    for wire in [&mut asking, &mut idle] {
        assert_eq!(wire.rest().await, (vec![], Ending::Closed));
    }
    assert_eq!(host.drained().await.cut, 0);
}

#[tokio::test]
async fn a_request_that_is_being_answered_is_answered() {
    let host = Host::start(config());
    let mut wire = host.connect().await;
    wire.get("/wait").await;
    // When a second request on a later connection is answered, the application has seen the first.
    let mut later = host.connect().await;
    later.get("/hello").await;
    later.answer().await;
    host.stop();
    later.rest().await;
    wire.is_silent().await;
    host.feed.release.notify_waiters();
    let (head, body) = wire.answer().await;
    assert!(head.contains("connection: close"), "{head}");
    assert_eq!(body, "released");
    assert_eq!(wire.rest().await, (vec![], Ending::Closed));
    assert_eq!(host.drained().await.cut, 0);
}

/// The client is connected and has sent its request. That the server has not accepted yet must not
/// matter.
#[tokio::test]
async fn a_request_that_has_already_arrived_is_answered() {
    let host = Host::start(config());
    let mut wire = host.connect().await;
    wire.get("/hello").await;
    // One thread, no await: the server sees the request and the stop together.
    host.stop();
    assert_eq!(wire.answer().await.1, "hello");
    assert_eq!(wire.rest().await, (vec![], Ending::Closed));
    assert_eq!(host.drained().await.cut, 0);
}

/// A stream that starts now could miss the farewell of those before it.
#[tokio::test]
async fn a_stream_requested_during_the_drain_gets_a_farewell() {
    let host = Host::start(config());
    let mut wire = host.connect().await;
    wire.get("/stream").await;
    // One thread, no await: the server sees the request and the stop together.
    host.stop();
    assert_eq!(wire.answer().await.1, "bye drain");
    assert_eq!(host.drained().await.cut, 0);
}

#[tokio::test]
async fn no_new_connection_is_accepted_during_a_drain() {
    let host = Host::start(config());
    let mut wire = host.connect().await;
    wire.get("/wait").await;
    wire.is_silent().await;
    host.stop();
    let addr = host.addr;
    let mut refused = false;
    while !refused {
        refused = TcpStream::connect(addr).await.is_err();
    }
    host.feed.release.notify_waiters();
    wire.answer().await;
    host.drained().await;
}

#[tokio::test]
async fn streams_end_by_their_farewell() {
    for handoff in [true, false] {
        let host = Host::start(Config {
            handoff,
            ..config()
        });
        let mut wire = host.connect().await;
        wire.get("/stream").await;
        wire.head().await;
        assert_eq!(wire.chunk().await.unwrap(), "first");
        host.stop();
        wire.is_silent().await;
        host.feed.publish("bye");
        assert_eq!(wire.chunk().await.unwrap(), "bye");
        host.feed.end();
        assert_eq!(wire.chunk().await, None);
        assert_eq!(wire.rest().await, (vec![], Ending::Closed));
        assert_eq!(host.drained().await.cut, 0);
    }
}

#[tokio::test]
async fn what_does_not_end_is_cut_at_the_deadline() {
    for handoff in [true, false] {
        let host = Host::start(Config {
            handoff,
            drain: Duration::from_millis(100),
            ..config()
        });
        let mut stream = host.connect().await;
        stream.get("/stream").await;
        stream.head().await;
        stream.chunk().await;
        let mut waiting = host.connect().await;
        waiting.get("/wait").await;
        waiting.is_silent().await;
        let feed = host.feed.clone();
        assert_eq!(host.drained().await, Drained { open: 2, cut: 2 });
        // The server cut it: this test's runtime is still running.
        stream.rest().await;
        waiting.rest().await;
        until(|| feed.watchers() == 0).await;
    }
}

#[tokio::test]
async fn a_lost_stop_sender_stops() {
    let listener = headcount::server::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let (_, stop) = tokio::sync::watch::channel(false);
    let app = warp::service(warp::Filter::map(warp::any(), || ""));
    assert_eq!(
        headcount::server::serve(listener, app, config(), stop).await,
        Drained { open: 0, cut: 0 }
    );
}
