//! The server's process, as the benchmark starts, drives and measures it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::time::{Duration, Instant};

/// In the server's folder, as PEM.
pub(super) const CERTIFICATE: &str = "certificate.pem";
pub(super) const KEY: &str = "key.pem";

/// A server in a process of its own.
pub(super) struct Server {
    child: Child,
    ask: ChildStdin,
    pub(super) address: SocketAddr,
    folder: tempfile::TempDir,
}

impl Server {
    pub(super) fn start(kind: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let made =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        std::fs::write(folder.path().join(CERTIFICATE), made.cert.pem()).expect("a file");
        std::fs::write(folder.path().join(KEY), made.signing_key.serialize_pem()).expect("a file");
        let mut child = super::pinning::on_first_core()
            .args(["--serve", kind])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe"))
            .read_line(&mut line)
            .expect("an address");
        Self {
            ask: child.stdin.take().expect("a pipe"),
            child,
            address: line.trim().parse().expect("an address"),
            folder,
        }
    }

    /// Its database, certificate and key.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Makes one change.
    pub(super) fn change(&mut self) -> Instant {
        let now = Instant::now();
        self.ask.write_all(b"change\n").expect("the server listens");
        now
    }

    /// Processor time of all its threads so far, seconds.
    pub(super) fn cpu(&self) -> f64 {
        let threads =
            std::fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("a process");
        let nanos = |thread: std::io::Result<std::fs::DirEntry>| -> u64 {
            let text = std::fs::read_to_string(thread.expect("a thread").path().join("schedstat"))
                .unwrap_or_default();
            text.split(' ')
                .next()
                .and_then(|nanos| nanos.parse().ok())
                .unwrap_or(0)
        };
        Duration::from_nanos(threads.map(nanos).sum()).as_secs_f64()
    }

    /// Memory that is its own, bytes.
    pub(super) fn resident(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .expect("a process");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("RssAnon:"))
            .expect("a line");
        line.trim()
            .trim_end_matches(" kB")
            .parse::<f64>()
            .expect("a number")
            * 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
