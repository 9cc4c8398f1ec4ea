//! Trace ids: in each problem document, and in each log line of its request.

#[cfg(feature = "otlp")]
mod otlp;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::host::TIMEOUT;
use crate::server::wire::Wire;
use crate::support::app::{App, call, register};
use crate::support::process::Process;
use crate::support::sqlite::File;

const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The program as a process, and its log.
struct Logged {
    process: Process,
    folder: TempDir,
}

impl Logged {
    fn start(url: &str, flags: &[&str]) -> Self {
        Self::of(Command::new(env!("CARGO_BIN_EXE_headcount")), url, flags)
    }

    fn of(command: Command, url: &str, flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let process = Process::spawn_logging(command, url, flags, log.into());
        Self { process, folder }
    }

    fn address(&self) -> SocketAddr {
        self.process.address
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// The first line with this text, once it is written.
    async fn line(&self, text: &str) -> String {
        let begun = Instant::now();
        loop {
            let log = fs::read_to_string(self.log()).unwrap();
            if let Some(line) = log.lines().find(|line| line.contains(text)) {
                return line.to_owned();
            }
            assert!(begun.elapsed() < TIMEOUT, "no {text:?} in {log}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[track_caller]
fn id_of(document: &Value) -> String {
    let id = document["trace_id"]
        .as_str()
        .expect("a trace id")
        .to_owned();
    let lower = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    assert!(id.len() == 32 && id.chars().all(lower), "{id}");
    id
}

/// A request that is refused, and logged.
async fn wrong_token(address: SocketAddr, traceparent: Option<&str>) -> Value {
    let mut headers = vec![("authorization", "Bearer guessed")];
    headers.extend(traceparent.map(|value| ("traceparent", value)));
    let path = "/api/v1/events/welcome/registrations";
    let refused = call(address, "GET", path, &headers, "").await;
    assert_eq!(refused.status, 401);
    refused.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_and_its_log_line_have_the_id_of_the_request() {
    for json in [false, true] {
        let format = if json { "json" } else { "text" };
        let file = File::new();
        let server = Logged::start(&file.text(), &["--log-format", format]);
        let own = id_of(&wrong_token(server.address(), None).await);
        let next = id_of(&wrong_token(server.address(), None).await);
        let given = id_of(&wrong_token(server.address(), Some(TRACEPARENT)).await);
        assert!(own != next && given == ID, "{own} {next} {given}");
        for id in [own, next, given] {
            let line = server.line(&id).await;
            assert!(line.contains("wrong admin token"), "{line}");
            if json {
                let line: Value = serde_json::from_str(&line).expect("a line of JSON");
                assert_eq!(line["trace_id"], id);
            } else {
                assert!(line.ends_with(&format!(" trace_id={id}")), "{line}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_a_batch_names_the_requests_that_it_failed() {
    let file = File::new();
    let flags = ["--log-format", "json", "--log", "headcount=debug"];
    let server = Logged::start(&file.text(), &flags);
    fs::rename(file.path(), file.path().with_extension("away")).unwrap();
    let failed = register(server.address(), "welcome", "Ada", "ada@example.org").await;
    assert_eq!(failed.status, 503, "{}", failed.body);
    let id = id_of(&failed.json());
    let line = server.line(&id).await;
    let line: Value = serde_json::from_str(&line).expect("a line of JSON");
    assert_eq!(
        (&line["message"], &line["trace_ids"]),
        (&json!("a batch was not committed"), &json!([id]))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_before_every_route_have_an_id_too() {
    let app = App::sqlite().await;
    let traced = format!("traceparent: {TRACEPARENT}\r\n");
    for (request, code) in [
        ("GET / HTTP/1.1\r\n", "400"),
        (
            "CONNECT example.org:443 HTTP/1.1\r\nhost: example.org\r\n",
            "405",
        ),
        ("GET /nowhere HTTP/1.1\r\nhost: test\r\n", "404"),
        (
            "GET /api/v1/events/welcome/ws HTTP/1.1\r\nhost: test\r\n",
            "426",
        ),
        ("GET / HTTP/2.1\r\nhost: test\r\n", "505"),
    ] {
        for (fields, given) in [("", None), (traced.as_str(), Some(ID))] {
            let mut wire = app.wire().await;
            let accept = "accept: application/json\r\n";
            wire.send(format!("{request}{accept}{fields}\r\n")).await;
            let (head, body) = wire.answer().await;
            assert!(head[8..].starts_with(&format!(" {code} ")), "{head}");
            let id = id_of(&serde_json::from_str(&body).expect("a document"));
            assert!(given.is_none_or(|given| given == id), "{request}: {id}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_has_many_traces() {
    let app = App::sqlite().await;
    let mut wire: Wire = app.wire().await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        wire.send("GET /api/v1/nowhere HTTP/1.1\r\nhost: test\r\n\r\n")
            .await;
        let (_, body) = wire.answer().await;
        seen.push(id_of(&serde_json::from_str(&body).expect("a document")));
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 3, "{seen:?}");
}

/// Without the feature the option is a mistake, and not silently without effect.
#[cfg(not(feature = "otlp"))]
#[test]
fn a_build_without_traces_says_so() {
    let done = Command::new(env!("CARGO_BIN_EXE_headcount"))
        .args(["--otlp-endpoint", "http://127.0.0.1:4318"])
        .output()
        .expect("the binary runs");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(
        done.status.code() == Some(2) && said.contains("--features otlp"),
        "{done:?}"
    );
}
