//! A run of the binary whose lines are read as they come.

use std::io::{PipeReader, Read as _, pipe};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::unix::pipe::Receiver;
use tokio::time::timeout;

/// How long anything may take before a test fails; no test waits for it to pass.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

/// A child process; killed when it is dropped.
pub(super) struct Run {
    child: Child,
    /// None when nobody reads it any more.
    stdout: Option<BufReader<Receiver>>,
    stderr: PipeReader,
}

impl Run {
    /// Starts `headcount` with these arguments.
    pub(super) fn headcount(args: &[&str]) -> Self {
        Self::start(env!("CARGO_BIN_EXE_headcount"), args)
    }

    /// Starts any program.
    pub(super) fn start(program: &str, args: &[&str]) -> Self {
        let (out, err) = (pipe().expect("a pipe"), pipe().expect("a pipe"));
        let child = Command::new(program)
            .args(args)
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .stdout(out.1)
            .stderr(err.1)
            .spawn();
        let child = child.unwrap_or_else(|error| panic!("{program} does not start: {error}"));
        let stdout = Receiver::from_owned_fd(OwnedFd::from(out.0)).expect("a pipe can be read");
        Self {
            child,
            stdout: Some(BufReader::new(stdout)),
            stderr: err.0,
        }
    }

    /// The next line of stdout.
    pub(super) async fn line(&mut self) -> String {
        let mut line = String::new();
        timeout(TIMEOUT, self.stdout().read_line(&mut line))
            .await
            .expect("a line in time")
            .expect("text");
        assert!(line.ends_with('\n'), "stdout is closed after {line:?}");
        line.pop();
        line
    }

    /// The next line as JSON.
    pub(super) async fn json(&mut self) -> Value {
        let line = self.line().await;
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("no JSON ({error}) in {line:?}"))
    }

    /// Sends a signal.
    pub(super) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status();
        assert!(status.expect("kill runs").success());
    }

    /// The exit code and what is left of both outputs.
    pub(super) async fn end(mut self) -> (Option<i32>, String, String) {
        let mut left = String::new();
        timeout(2 * TIMEOUT, self.stdout().read_to_string(&mut left))
            .await
            .expect("it ends")
            .expect("text");
        let (code, stderr) = self.leave().await;
        (code, left, stderr)
    }

    /// Reads stdout no more; the exit code and what is left of stderr.
    pub(super) async fn leave(mut self) -> (Option<i32>, String) {
        self.stdout = None;
        let deadline = Instant::now() + TIMEOUT;
        let code = loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                break status.code();
            }
            assert!(Instant::now() < deadline, "it does not end");
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        let mut stderr = String::new();
        self.stderr.read_to_string(&mut stderr).expect("text");
        (code, stderr)
    }

    fn stdout(&mut self) -> &mut BufReader<Receiver> {
        self.stdout.as_mut().expect("it is read until it is left")
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
