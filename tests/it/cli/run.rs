//! A run of the binary whose lines are read as they come.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::timeout;

/// How long anything may take before a test fails; no test waits for it to pass.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// A child process; killed when it is dropped.
pub(super) struct Run {
    child: Child,
    lines: Receiver<String>,
    stderr: Option<ChildStderr>,
}

impl Run {
    /// Starts `headcount` with these arguments.
    pub(super) fn headcount(args: &[&str]) -> Self {
        Self::start(env!("CARGO_BIN_EXE_headcount"), args)
    }

    /// Starts any program.
    pub(super) fn start(program: &str, args: &[&str]) -> Self {
        let mut child = Command::new(program)
            .args(args)
            .env("TZ", "UTC")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program} does not start: {error}"));
        let stdout = child.stdout.take().expect("a pipe");
        let (sender, lines) = channel(1);
        // Ends, and closes the pipe, when the receiver is dropped and the next line comes.
        std::thread::spawn(move || BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| sender.blocking_send(line)));
        let stderr = child.stderr.take();
        Self { child, lines, stderr }
    }

    /// The next line of stdout.
    #[track_caller]
    pub(super) fn line(&mut self) -> impl Future<Output = String> {
        let at = std::panic::Location::caller();
        async move {
            let line = timeout(PATIENCE, self.lines.recv()).await;
            line.unwrap_or_else(|_| panic!("{at}: no line in time")).unwrap_or_else(|| panic!("{at}: stdout is closed"))
        }
    }

    /// The next line as JSON.
    pub(super) async fn json(&mut self) -> Value {
        let line = self.line().await;
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("no JSON ({error}) in {line:?}"))
    }

    /// Stops reading stdout.
    pub(super) fn close(&mut self) {
        self.lines.close();
    }

    /// Sends a signal.
    pub(super) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }

    /// The exit code and what is left of both outputs.
    pub(super) async fn end(mut self) -> (Option<i32>, String, String) {
        let deadline = Instant::now() + PATIENCE;
        let mut left = String::new();
        let code = loop {
            while let Ok(line) = self.lines.try_recv() {
                left.push_str(&line);
                left.push('\n');
            }
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                break status.code();
            }
            assert!(Instant::now() < deadline, "it does not end");
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        while let Some(line) = self.lines.recv().await {
            left.push_str(&line);
            left.push('\n');
        }
        let mut complaints = String::new();
        self.stderr.take().expect("a pipe").read_to_string(&mut complaints).expect("text");
        (code, left, complaints)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
