//! The server that is attacked: the real binary, with its log in a file.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use crate::support::app::{call, register};
use crate::support::process::Process;
use crate::support::sqlite::File;

pub(super) struct Target {
    pub(super) process: Process,
    log: NamedTempFile,
    _file: File,
}

impl Target {
    pub(super) fn start(flags: &[&str]) -> Self {
        let (file, log) = (File::new(), NamedTempFile::new().expect("a file"));
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "exec \"$0\" \"$@\" 2>\"$LOG\"",
            env!("CARGO_BIN_EXE_headcount"),
        ]);
        command.env("LOG", log.path());
        let flags = [&["--register-rate-per-ip", "0"], flags].concat();
        Self {
            process: Process::spawn(command, &file.text(), &flags),
            log,
            _file: file,
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.process.address
    }

    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).expect("a log")
    }

    /// Memory of the process that is its own, bytes.
    pub(super) fn memory(&self) -> usize {
        let status = format!("/proc/{}/status", self.process.child.id());
        let status = std::fs::read_to_string(status).expect("the server runs");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("RssAnon:"));
        let kilobytes = line.expect("a line").trim().trim_end_matches(" kB");
        kilobytes.parse::<usize>().expect("a number") * 1024
    }

    /// What a well-behaved visitor waits for: a page, then a registration.
    pub(super) async fn visit(&self, email: &str) -> Duration {
        let begun = Instant::now();
        let page = call(self.address(), "GET", "/e/welcome", &[], "").await;
        assert_eq!(page.status, 200, "{}", page.body);
        let answer = register(self.address(), "welcome", "Ada", email).await;
        // 409 once the event is full; either is an answer from the database.
        assert!(matches!(answer.status, 201 | 409), "{}", answer.body);
        begun.elapsed()
    }

    /// The next request is served, and nothing panicked.
    #[track_caller]
    pub(super) fn is_well(&self) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let ready = call(self.address(), "GET", "/health/ready", &[], "").await;
            assert_eq!(ready.status, 200, "{caller}: {}", ready.body);
            let log = self.log();
            assert!(!log.contains("panicked"), "{caller}: {log}");
        }
    }
}
