//! `headcount watch --json` behind websocketd (the Debian package): any program that prints lines
//! is a WebSocket server.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

use super::run::{Run, TIMEOUT};
use crate::support::app::App;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_line_is_a_message() {
    let app = App::sqlite().await;
    app.event("gala", 100).await;
    // websocketd does not print a port that it chooses itself, so the test chooses a free one.
    let port = TcpListener::bind("127.0.0.1:0")
        .expect("a free port")
        .local_addr()
        .expect("an address")
        .port();
    let url = format!("http://{}/e/gala", app.address());
    let daemon = Run::start(
        "websocketd",
        &[
            "--address=127.0.0.1",
            &format!("--port={port}"),
            env!("CARGO_BIN_EXE_headcount"),
            "watch",
            "--json",
            &url,
        ],
    );

    let (mut socket, _) = client_async(format!("ws://127.0.0.1:{port}/"), connect(port).await)
        .await
        .expect("a WebSocket");
    let mut next = async || {
        let message = timeout(TIMEOUT, socket.next())
            .await
            .expect("a message in time")
            .expect("an open socket")
            .expect("a message");
        let Message::Text(text) = message else {
            panic!("no text: {message:?}")
        };
        serde_json::from_str::<Value>(&text).expect("a whole line of JSON")
    };
    assert_eq!(next().await["registered"], 0);
    app.register("gala", "Ada", "ada@example.org").await;
    assert_eq!(next().await["registered"], 1);
    // SIGKILL: websocketd cannot stop its child, so the child must notice that nobody reads any
    // more.
    drop(daemon);
    assert!(ended(&url).await, "the watch continues without a reader");
}

/// Whether no process with that argument is left, within a while.
async fn ended(argument: &str) -> bool {
    let deadline = Instant::now() + TIMEOUT;
    while runs(argument) {
        if Instant::now() > deadline {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    true
}

fn runs(argument: &str) -> bool {
    let processes = std::fs::read_dir("/proc").expect("a /proc").flatten();
    let mut lines =
        processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.any(|line| {
        line.split(|byte| *byte == 0)
            .any(|part| part == argument.as_bytes())
    })
}

async fn connect(port: u16) -> TcpStream {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        match TcpStream::connect(("127.0.0.1", port)).await {
            Ok(stream) => return stream,
            Err(error) => assert!(
                Instant::now() < deadline,
                "websocketd does not listen: {error}"
            ),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
