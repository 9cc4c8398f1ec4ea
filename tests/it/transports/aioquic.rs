//! The client in Python, which shares no code with this crate.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use super::SOON;

/// Where `scripts/setup` installs what `tests/it/requirements.txt` lists.
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/python/bin/python");
const PROGRAM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/it/transports/webtransport.py"
);

/// One connection, and what it has received.
pub(super) struct Aioquic {
    child: Child,
    events: UnboundedReceiver<Value>,
}

impl Aioquic {
    /// Asks for `path` at that port. `modes` are explained in the program.
    pub(super) fn start(port: u16, path: &str, hash: &str, modes: &[&str]) -> Self {
        let mut child = Command::new(PYTHON)
            .args([PROGRAM, &port.to_string(), path, hash])
            .args(modes)
            .stdout(Stdio::piped())
            .spawn()
            .expect("scripts/setup has installed Python packages");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, events) = unbounded_channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).expect("JSON");
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        Self { child, events }
    }

    /// The next event of that name; those before it are dropped.
    #[track_caller]
    pub(super) fn next(&mut self, name: &str) -> impl Future<Output = Value> {
        let events = &mut self.events;
        async move {
            let found = async {
                loop {
                    let event = events.recv().await;
                    let event = event.unwrap_or_else(|| panic!("the client ended before {name}"));
                    if event[0] == name {
                        return event;
                    }
                }
            };
            let found = timeout(SOON * 3, found).await;
            found.unwrap_or_else(|_| panic!("no {name} in time"))
        }
    }

    /// The next message of a type on the stream.
    pub(super) async fn message(&mut self, kind: &str) -> Value {
        loop {
            let line = self.next("line").await;
            let line = line[1].as_str().expect("text");
            if line.is_empty() {
                continue;
            }
            let message: Value = serde_json::from_str(line).expect("JSON");
            if message["type"] == kind {
                return message;
            }
        }
    }
}

impl Drop for Aioquic {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
