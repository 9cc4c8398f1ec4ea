//! A log that cannot be written: the reader of standard error is gone, the disk is full, or nobody
//! reads. Nothing may panic, wait or end because of that.

use std::fs::OpenOptions;
use std::io::{PipeReader, pipe};
use std::process::{Command, Stdio};
use std::time::Instant;

use tokio::time::timeout;

use crate::server::host::TIMEOUT;
use crate::support::app::{call, register};
use crate::support::postgres::shared;
use crate::support::process::Process;
use crate::support::proxy::Proxy;
use crate::support::sqlite::File;
use crate::support::watcher::{Received, Watcher};

#[derive(Debug, Clone, Copy)]
enum Broken {
    ClosedPipe,
    FullDisk,
    NobodyReads,
}

const ALL: [Broken; 3] = [Broken::ClosedPipe, Broken::FullDisk, Broken::NobodyReads];

/// A server with such a log. Keep the reader for as long as nobody may read.
fn start(broken: Broken, url: &str, flags: &[&str]) -> (Process, Option<PipeReader>) {
    let (stderr, reader) = match broken {
        Broken::FullDisk => {
            let full = OpenOptions::new().write(true).open("/dev/full");
            (Stdio::from(full.expect("a full disk")), None)
        }
        Broken::ClosedPipe => {
            let (_, writer) = pipe().expect("a pipe");
            (Stdio::from(writer), None)
        }
        Broken::NobodyReads => {
            let (reader, writer) = pipe().expect("a pipe");
            (Stdio::from(writer), Some(reader))
        }
    };
    let command = Command::new(env!("CARGO_BIN_EXE_headcount"));
    // The finest level writes more than a pipe holds.
    let flags = [&["--log", "trace", "--drain", "1s"], flags].concat();
    let process = Process::spawn_logging(command, url, &flags, stderr);
    (process, reader)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_log_cannot_be_written_serves_and_drains() {
    for broken in ALL {
        let file = File::new();
        let (process, _reader) = start(broken, &file.text(), &[]);
        for n in 0..40 {
            let email = format!("ada-{n}@example.org");
            let served = timeout(TIMEOUT, register(process.address, "welcome", "Ada", &email));
            let answer = served
                .await
                .unwrap_or_else(|_| panic!("{broken:?}: frozen"));
            assert_eq!(answer.status, 201, "{broken:?}: {}", answer.body);
        }
        let ready = call(process.address, "GET", "/health/ready", &[], "").await;
        assert_eq!(ready.status, 200, "{broken:?}");
        let mut stream = crate::support::sse::Stream::open_at(
            process.address,
            "/api/v1/events/welcome/stream",
            "",
        )
        .await;
        assert_eq!(stream.next("count").await.json()["registered"], 40);
        process.signal("TERM");
        assert_eq!(
            stream.next("bye").await.json()["reason"],
            "drain",
            "{broken:?}"
        );
        assert_eq!(process.exit_code(), Some(0), "{broken:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_log_cannot_be_written_follows_the_others() {
    for broken in ALL {
        let url = shared().new_database().await;
        let well = Process::start(&url, &[]);
        let line = Proxy::start(shared().address()).await;
        let through = url.replacen(
            &shared().address().to_string(),
            &line.address.to_string(),
            1,
        );
        let (process, _reader) = start(broken, &through, &[]);
        let watcher = Watcher::open(process.address, "welcome");
        for n in 1..=3 {
            // The follower logs that its connection is lost, and continues.
            line.cut();
            let begun = Instant::now();
            let email = format!("ada-{n}@example.org");
            let answer = register(well.address, "welcome", "Ada", &email).await;
            assert_eq!(answer.status, 201, "{}", answer.body);
            let right =
                |received: &Received| received.is_live_count() && received.data["registered"] == n;
            watcher.first(begun, "the other node's number", right).await;
        }
        process.signal("TERM");
        assert_eq!(process.exit_code(), Some(0), "{broken:?}");
    }
}

/// A supervisor learns of a mistake by the exit code, also when nobody reads why.
#[test]
fn a_mistake_has_its_exit_code_although_it_cannot_be_logged() {
    for (flags, code) in [
        (&["--listen", "nowhere"][..], 2),
        (&["--trusted-proxies", "0.0.0.0/0"], 2),
        (&["--public-url", "https://ada:secret@example.org"], 2),
        (&["--listen", "192.0.2.1:1"], 1),
    ] {
        let (_, writer) = pipe().expect("a pipe");
        let status = Command::new(env!("CARGO_BIN_EXE_headcount"))
            .args(flags)
            .stderr(writer)
            .status();
        assert_eq!(status.expect("it runs").code(), Some(code), "{flags:?}");
    }
}
