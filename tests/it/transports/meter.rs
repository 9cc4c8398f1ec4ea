//! The histogram from commit to writing: what counts as a delivery.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::SOON;
use crate::server::wire::Wire;
use crate::support::app::{call, register};
use crate::support::port::free_address;
use crate::support::process::Process;
use crate::support::sqlite::File;
use crate::support::sse::Stream;

type Client = WebSocketStream<TcpStream>;

async fn connect(process: &Process, path: &str) -> Client {
    let stream = TcpStream::connect(process.address)
        .await
        .expect("a connection");
    client_async(format!("ws://{}{path}", process.address), stream)
        .await
        .expect("a handshake")
        .0
}

/// Reads until a message has `text`.
async fn receive(client: &mut Client, text: &str) {
    let received = async {
        loop {
            match client.next().await {
                Some(Ok(Message::Text(said))) if said.contains(text) => return,
                Some(Ok(_)) => {}
                other => panic!("{other:?} before {text}"),
            }
        }
    };
    timeout(SOON, received)
        .await
        .unwrap_or_else(|_| panic!("never {text}"));
}

/// How many deliveries the histogram has for SSE, WebSocket, Socket.IO and the frame.
async fn noted(metrics: SocketAddr) -> [u32; 4] {
    let scrape = call(metrics, "GET", "/metrics", &[], "").await.body;
    ["sse", "ws", "socketio", "frame"].map(|transport| {
        let series =
            format!("headcount_commit_to_write_seconds_count{{transport=\"{transport}\"}} ");
        scrape
            .lines()
            .find_map(|line| line.strip_prefix(&series))
            .map_or(0, |count| count.parse().expect("a number"))
    })
}

/// A registration is answered before every watcher has received it, and not every stream is read
/// here.
async fn noted_in_the_end(metrics: SocketAddr, expected: [u32; 4]) {
    let mut last = [0; 4];
    let asking = async {
        while last != expected {
            tokio::time::sleep(Duration::from_millis(20)).await;
            last = noted(metrics).await;
        }
    };
    let asked = timeout(SOON * 3, asking).await;
    assert!(asked.is_ok(), "{last:?} instead of {expected:?}");
}

/// The first count of a connection is as old as the event's last change, and does not measure the
/// server.
#[tokio::test]
async fn the_first_count_of_a_connection_is_no_delivery() {
    let metrics = free_address();
    let file = File::new();
    let process = Process::start(&file.text(), &["--metrics-listen", &metrics.to_string()]);
    let mut stream = Stream::open_at(process.address, "/api/v1/events/welcome/stream", "").await;
    stream.next("count").await;
    // The canary uses SSE too. Once it is connected, it receives every count.
    let mut registered = 0;
    let watches_itself = async {
        while !call(metrics, "GET", "/metrics", &[], "")
            .await
            .body
            .contains("headcount_canary_up 1")
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON * 3, watches_itself)
        .await
        .expect("the server watches itself");
    let mut register_one = async || {
        registered += 1;
        assert_eq!(
            register(
                process.address,
                "welcome",
                "Ada",
                &format!("ada{registered}@example.org")
            )
            .await
            .status,
            201
        );
        format!("\"registered\":{registered},")
    };
    register_one().await;
    noted_in_the_end(metrics, [2, 0, 0, 0]).await;

    let mut streams = Stream::open_at(process.address, "/api/v1/events/welcome/stream", "").await;
    streams.next("count").await;
    let mut socket = connect(&process, "/api/v1/events/welcome/ws").await;
    receive(&mut socket, "\"registered\":1,").await;
    let mut socketio = connect(&process, "/socket.io/?EIO=4&transport=websocket").await;
    receive(&mut socketio, "0{").await;
    socketio
        .send(Message::Text("40{\"event\":\"welcome\"}".into()))
        .await
        .expect("it is taken");
    receive(&mut socketio, "\"registered\":1,").await;
    let mut frame = Wire::connect(process.address).await;
    frame.get("/api/v1/events/welcome/frame").await;
    frame.head().await;
    let document = frame.chunk().await.expect("a document");
    assert!(document.ends_with(">1 / 100</p>\n"), "{document}");
    assert_eq!(noted(metrics).await, [2, 0, 0, 0]);

    let second = register_one().await;
    receive(&mut socket, &second).await;
    receive(&mut socketio, &second).await;
    noted_in_the_end(metrics, [5, 1, 1, 1]).await;
}
