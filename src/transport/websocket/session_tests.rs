//! A session over a pipe, with paused time.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, advance, sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::session::{self, Session};
use super::{PING_EVERY, PONG_WITHIN, STALL};
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::event::{Capacity, Event, NewEvent, Slug};
use crate::live::hub::Hub;
use crate::live::presence::Transport;
use crate::live::subscription::Subscription;
use crate::wire::message::Reason;

fn event(revision: i64) -> Event {
    let slug = Slug::parse("gala").unwrap();
    let new = NewEvent::new(slug, "Gala", Capacity::UNLIMITED);
    Event {
        id: 1,
        revision,
        ..new.open("q7f2k9".parse().unwrap(), Timestamp::from_millis(0))
    }
}

/// A session over a pipe that holds `room` bytes, and the client's end of it.
fn session_over_a_pipe(hub: &Hub, room: usize) -> (DuplexStream, tokio::task::JoinHandle<()>) {
    let (server, client) = duplex(room);
    let channel = hub.channel_by_id(1).unwrap();
    let subscription = Subscription::open(&channel, Transport::WebSocket, None, session::QUIET);
    let task = tokio::spawn(
        Box::new(Session::new(
            server,
            subscription,
            Clock::Manual(std::sync::Arc::default()),
        ))
        .run(),
    );
    (client, task)
}

async fn started() -> (
    Hub,
    WebSocketStream<DuplexStream>,
    tokio::task::JoinHandle<()>,
) {
    let hub = Hub::new(Duration::from_millis(50));
    hub.publish(event(1));
    let (client, task) = session_over_a_pipe(&hub, 64 * 1024);
    (
        hub,
        WebSocketStream::from_raw_socket(client, Role::Client, None).await,
        task,
    )
}

async fn text(client: &mut WebSocketStream<DuplexStream>) -> String {
    loop {
        match client.next().await {
            Some(Ok(Message::Text(text))) => return text.as_str().to_owned(),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            other => panic!("no text: {other:?}"),
        }
    }
}

async fn closed(client: &mut WebSocketStream<DuplexStream>) -> u16 {
    loop {
        match client.next().await {
            Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
            Some(Ok(_)) => {}
            other => panic!("not closed: {other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn counts_and_pongs_go_both_ways() {
    let (hub, mut client, _task) = started().await;
    assert!(text(&mut client).await.contains(r#""revision":1"#));
    client
        .send(Message::text(r#"{"type":"ping","id":[7]}"#))
        .await
        .unwrap();
    assert_eq!(
        text(&mut client).await,
        r#"{"type":"pong","id":[7],"at":"1970-01-01T00:00:00.000Z"}"#
    );
    hub.publish(event(2));
    assert!(text(&mut client).await.contains(r#""revision":2"#));
}

#[tokio::test(start_paused = true)]
async fn each_mistake_has_its_code() {
    for (message, code) in [
        (Message::binary(vec![1]), CloseCode::Unsupported),
        (Message::text("hello"), CloseCode::Policy),
        (Message::text(r#"{"type":"count"}"#), CloseCode::Policy),
        (Message::text("x".repeat(4097)), CloseCode::Size),
    ] {
        let (_hub, mut client, task) = started().await;
        client.send(message).await.unwrap();
        assert_eq!(closed(&mut client).await, u16::from(code));
        drop(client);
        task.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_of_the_largest_size_is_read() {
    let (_hub, mut client, _task) = started().await;
    text(&mut client).await;
    let id = "x".repeat(4096 - r#"{"type":"ping","id":""}"#.len());
    client
        .send(Message::text(format!(r#"{{"type":"ping","id":"{id}"}}"#)))
        .await
        .unwrap();
    assert!(text(&mut client).await.contains(&id));
}

#[tokio::test(start_paused = true)]
async fn a_drain_says_goodbye_and_1001_and_a_deleted_event_1000() {
    let (hub, mut client, task) = started().await;
    text(&mut client).await;
    hub.drain(Duration::from_secs(1));
    assert!(
        text(&mut client)
            .await
            .starts_with(r#"{"type":"bye","reason":"drain","retry_ms":"#)
    );
    assert_eq!(closed(&mut client).await, 1001);
    drop(client);
    task.await.unwrap();

    let (hub, mut client, _task) = started().await;
    text(&mut client).await;
    hub.remove(1);
    assert!(text(&mut client).await.contains("deleted"));
    assert_eq!(closed(&mut client).await, 1000);
}

#[tokio::test(start_paused = true)]
async fn a_farewell_is_not_lost_when_the_client_speaks_the_moment_it_is_due() {
    let (hub, mut client, _task) = started().await;
    text(&mut client).await;
    let window = Duration::from_secs(1);
    hub.drain(window);
    // The farewell's time is drawn.
    sleep(Duration::from_millis(1)).await;
    // Two tasks are ready now. The session runs first, before the fan-out has read the clock.
    client
        .send(Message::text(r#"{"type":"ping","id":7}"#))
        .await
        .unwrap();
    advance(window).await;
    let farewell = async { while !text(&mut client).await.contains("bye") {} };
    timeout(window, farewell)
        .await
        .expect("inside the window, or soon after");
}

#[tokio::test(start_paused = true)]
async fn over_a_limit_it_is_1013() {
    let (server, client) = duplex(1024);
    tokio::spawn(session::refuse(server, Reason::Limit));
    let mut client = WebSocketStream::from_raw_socket(client, Role::Client, None).await;
    assert!(text(&mut client).await.contains(r#""reason":"limit""#));
    assert_eq!(closed(&mut client).await, 1013);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_no_ping_is_closed_and_one_that_answers_stays() {
    let (hub, mut client, task) = started().await;
    // Reading answers pings.
    let stays = timeout(PING_EVERY * 10, async {
        while client.next().await.is_some() {}
    })
    .await;
    assert!(stays.is_err() && !task.is_finished(), "who answers stays");
    drop(client);
    task.await.unwrap();
    assert_eq!(hub.channel_by_id(1).unwrap().presence.open(), 0);

    let (mut client, task) = session_over_a_pipe(&hub, 64 * 1024);
    let began = Instant::now();
    // Reads everything and answers nothing.
    while matches!(client.read(&mut [0; 256]).await, Ok(1..)) {}
    task.await.unwrap();
    assert!(
        began.elapsed() <= PING_EVERY + PONG_WITHIN + Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    assert!(began.elapsed() >= PING_EVERY / 2 + PONG_WITHIN);
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_gets_the_newest_and_a_stalled_one_is_closed() {
    let hub = Hub::new(Duration::from_millis(50));
    hub.publish(event(1));
    // Less than one message fits: the first is stuck.
    let (client, task) = session_over_a_pipe(&hub, 64);
    for revision in 2..=50 {
        sleep(Duration::from_millis(100)).await;
        hub.publish(event(revision));
    }
    let mut client = WebSocketStream::from_raw_socket(client, Role::Client, None).await;
    assert!(
        text(&mut client).await.contains(r#""revision":1,"#),
        "what was begun is finished"
    );
    assert!(
        text(&mut client).await.contains(r#""revision":50,"#),
        "nothing was queued behind it"
    );
    sleep(Duration::from_secs(1)).await;
    hub.publish(event(51));
    let began = Instant::now();
    task.await.unwrap();
    assert!(
        began.elapsed() <= STALL + Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn garbage_on_the_wire_is_1002() {
    let (hub, client, _task) = started().await;
    drop(client);
    let (mut client, task) = session_over_a_pipe(&hub, 64 * 1024);
    // An unmasked frame (RFC 6455, section 5.1).
    client.write_all(b"\x81\x02hi").await.unwrap();
    let mut all = Vec::new();
    let began = Instant::now();
    client.read_to_end(&mut all).await.unwrap();
    assert_eq!(
        began.elapsed(),
        Duration::ZERO,
        "the end comes with the close frame"
    );
    drop(client);
    task.await.unwrap();
    let close = all
        .windows(4)
        .position(|window| window[0] == 0x88 && window[2..4] == 1002u16.to_be_bytes());
    assert!(close.is_some(), "{}", all.escape_ascii());
}
