//! The mail server, as a process.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;

/// Longer than anything here takes on a busy machine.
const TIMEOUT: Duration = Duration::from_mins(1);
/// Where `scripts/setup` installs what `tests/it/requirements.txt` lists.
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/python/bin/python");
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/mail/server.py");

pub(super) struct Smtp {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    folder: tempfile::TempDir,
    pub(super) port: u16,
}

/// A mail that the server took.
#[derive(Debug, Deserialize)]
pub(super) struct Mail {
    pub(super) to: String,
    pub(super) from: String,
    pub(super) text: String,
}

impl Mail {
    /// A header's value.
    #[track_caller]
    pub(super) fn header(&self, name: &str) -> &str {
        let mut lines = self.text.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.unwrap_or_else(|| panic!("no {name} in {}", self.text))
    }
}

impl Smtp {
    pub(super) fn start(args: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(PYTHON)
            .arg(PROGRAM)
            .arg(folder.path().join("mails"))
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // It warns of what is tested here.
            .stderr(Stdio::null())
            .spawn()
            .expect("scripts/setup has installed Python packages");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut own = Self {
            child,
            input,
            output,
            folder,
            port: 0,
        };
        own.port = own.line().parse().expect("a port");
        own
    }

    /// Without TLS.
    pub(super) fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}?tls=none", self.port)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        line.trim().to_owned()
    }

    /// Closes it (`down`) or opens it again (`up`).
    pub(super) fn go(&mut self, word: &str) {
        writeln!(self.input, "{word}").expect("it reads");
        assert_eq!(self.line(), word);
    }

    /// Every mail so far, in the order of arrival.
    pub(super) fn mails(&self) -> Vec<Mail> {
        let text = std::fs::read_to_string(self.folder.path().join("mails"));
        let text = text.unwrap_or_default();
        // The last line may be written right now.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let lines = whole.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }

    pub(super) fn recipients(&self) -> Vec<String> {
        self.mails().into_iter().map(|mail| mail.to).collect()
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `is_done` says so; `step` happens before each look.
#[track_caller]
pub(super) fn eventually(
    what: &'static str,
    mut step: impl FnMut(),
    is_done: impl Fn() -> bool,
) -> impl Future<Output = ()> {
    let begun = Instant::now();
    async move {
        while !is_done() {
            assert!(begun.elapsed() < TIMEOUT, "not in time: {what}");
            step();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
