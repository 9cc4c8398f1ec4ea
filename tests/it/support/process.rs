//! The real binary as a process of its own.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use super::app::TOKEN;
use crate::server::host::TIMEOUT;

/// A server process; killed when it is dropped.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) lines: Vec<String>,
    /// Kept open: the program may have more to say.
    _output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts the binary and waits for its start-up lines.
    pub(crate) fn start(url: &str, flags: &[&str]) -> Self {
        Self::spawn(Command::new(env!("CARGO_BIN_EXE_headcount")), url, flags)
    }

    /// The same through `command`, which ends in the binary.
    pub(crate) fn spawn(command: Command, url: &str, flags: &[&str]) -> Self {
        let stderr = if std::env::var_os("HEADCOUNT_TEST_LOGS").is_some() {
            Stdio::inherit()
        } else {
            Stdio::null()
        };
        Self::spawn_logging(command, url, flags, stderr)
    }

    /// The same with a log of its own.
    pub(crate) fn spawn_logging(
        mut command: Command,
        url: &str,
        flags: &[&str],
        stderr: Stdio,
    ) -> Self {
        // A free port, unless the flags name one.
        if !flags.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let mut child = command
            .args(["--admin-token", TOKEN, "--database-url", url])
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .expect("the binary starts");
        let mut lines = Vec::new();
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        for line in output.by_ref().lines() {
            let line = line.expect("text");
            let last = line.starts_with("Limits");
            lines.push(line);
            if last {
                break;
            }
        }
        let address = lines
            .first()
            .and_then(|line| line.split("://").nth(1))
            .map(|rest| rest.trim_end_matches('/').parse());
        let address = address
            .unwrap_or_else(|| panic!("no address in {lines:?}"))
            .expect("an address");
        Self {
            child,
            address,
            lines,
            _output: output,
        }
    }

    /// Sends it a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status();
        assert!(status.expect("kill runs").success());
    }
}

impl Process {
    /// Waits for its end; returns the exit code.
    #[track_caller]
    pub(crate) fn exit_code(mut self) -> Option<i32> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a process") {
                return status.code();
            }
            assert!(begun.elapsed() < TIMEOUT, "the process does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
