//! A mail server that keeps what it gets, and another program's reading of a mail.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::timeout;

/// How long to wait for mails. Reminders are looked for every 5 s.
const ARRIVAL: Duration = Duration::from_secs(40);

/// A mail as it came, with the address of its envelope.
#[derive(Debug, Clone)]
pub(super) struct Mail {
    pub(super) to: String,
    pub(super) raw: String,
}

/// The mail server.
#[derive(Debug)]
pub(super) struct Mailbox {
    port: u16,
    mails: Arc<Mutex<Vec<Mail>>>,
    arrived: Arc<Notify>,
    /// Whether it refuses every address for good.
    refuses: Arc<AtomicBool>,
}

impl Mailbox {
    /// Listens on a port of its own.
    pub(super) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (mails, arrived) = (Arc::<Mutex<Vec<Mail>>>::default(), Arc::<Notify>::default());
        let refuses = Arc::<AtomicBool>::default();
        let (kept, noted) = (Arc::clone(&mails), Arc::clone(&arrived));
        let refusing = Arc::clone(&refuses);
        tokio::spawn(async move {
            while let Ok((line, _)) = listener.accept().await {
                let (kept, noted) = (Arc::clone(&kept), Arc::clone(&noted));
                let refusing = Arc::clone(&refusing);
                // A client that closes the line ends the session.
                tokio::spawn(async move { drop(session(line, &kept, &noted, &refusing).await) });
            }
        });
        Self {
            port,
            mails,
            arrived,
            refuses,
        }
    }

    /// Whether every address is refused for good from now on.
    pub(super) fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::SeqCst);
    }

    /// What `--smtp-url` takes.
    pub(super) fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}?tls=none", self.port)
    }

    /// What has come so far.
    pub(super) fn mails(&self) -> Vec<Mail> {
        self.mails.lock().expect("no panic").clone()
    }

    /// Waits until there are this many mails.
    #[track_caller]
    pub(super) fn wait(&self, count: usize) -> impl Future<Output = Vec<Mail>> {
        let caller = std::panic::Location::caller();
        async move {
            let enough = async {
                loop {
                    let arrived = self.arrived.notified();
                    let mails = self.mails();
                    if mails.len() >= count {
                        return mails;
                    }
                    arrived.await;
                }
            };
            let waited = timeout(ARRIVAL, enough).await;
            waited.unwrap_or_else(|_| {
                let mails = self.mails();
                let subjects: Vec<_> = mails.iter().map(Mail::subject).collect();
                panic!(
                    "{caller}: {} of {count} mails: {subjects:#?}",
                    subjects.len()
                )
            })
        }
    }
}

/// RFC 5321, as far as a client needs it.
async fn session(
    line: TcpStream,
    mails: &Mutex<Vec<Mail>>,
    arrived: &Notify,
    refuses: &AtomicBool,
) -> std::io::Result<()> {
    let mut line = BufReader::new(line);
    line.write_all(b"220 mailbox ESMTP\r\n").await?;
    let mut to = String::new();
    loop {
        let mut command = String::new();
        if line.read_line(&mut command).await? == 0 {
            return Ok(());
        }
        let verb = command.split([' ', '\r']).next().unwrap_or_default();
        let reply = match verb.to_ascii_uppercase().as_str() {
            "EHLO" => "250-mailbox\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
            "RCPT" if refuses.load(Ordering::SeqCst) => "550 no such mailbox\r\n",
            "RCPT" => {
                let address = command.split(['<', '>']).nth(1);
                address.unwrap_or_default().clone_into(&mut to);
                "250 fine\r\n"
            }
            "DATA" => {
                line.write_all(b"354 go on\r\n").await?;
                let raw = content(&mut line).await?;
                let to = to.clone();
                mails.lock().expect("no panic").push(Mail { to, raw });
                arrived.notify_waiters();
                "250 kept\r\n"
            }
            _ => "250 fine\r\n",
        };
        line.write_all(reply.as_bytes()).await?;
        if verb.eq_ignore_ascii_case("QUIT") {
            return Ok(());
        }
    }
}

/// Lines up to the one with a single dot; a further dot at a line's start is taken away.
async fn content(line: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut raw = String::new();
    loop {
        let mut next = String::new();
        line.read_line(&mut next).await?;
        if next == ".\r\n" || next.is_empty() {
            return Ok(raw);
        }
        raw += next.strip_prefix('.').unwrap_or(&next);
    }
}

/// Python's email package, which knows RFC 5322, 2045 and 2047 on its own.
const READ: &str = r#"
import email, email.policy, json, sys
mail = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
print(json.dumps({
    "defects": [str(d) for p in mail.walk() for d in p.defects + [d for v in p.values() for d in v.defects]],
    "headers": [[name, str(value)] for name, value in mail.items()],
    "parts": [{"type": p.get_content_type(), "file": p.get_filename(), "text": p.get_content()}
        for p in mail.walk() if not p.is_multipart()],
    "types": [p.get_content_type() for p in mail.walk()],
}))
"#;

/// A mail as Python reads it.
#[derive(Debug)]
pub(super) struct Parsed(Value);

impl Mail {
    /// The subject as it stands in the mail, for messages of tests.
    fn subject(&self) -> &str {
        let mut lines = self.raw.lines();
        lines
            .find(|line| line.starts_with("Subject:"))
            .unwrap_or("no subject")
    }

    /// What another program reads in it.
    pub(super) fn parsed(&self) -> Parsed {
        let mut python = Command::new("python3")
            .args(["-c", READ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 runs");
        let mut input = python.stdin.take().expect("a pipe");
        input.write_all(self.raw.as_bytes()).expect("python reads");
        drop(input);
        let output = python.wait_with_output().expect("python ends");
        Parsed(serde_json::from_slice(&output.stdout).expect("JSON"))
    }

    /// The token in the private link.
    #[track_caller]
    pub(super) fn token(&self) -> String {
        let text = self.parsed().part("text/plain").expect("a text part");
        let after = text.split("/r/").nth(1).expect("a link");
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        after[..end.unwrap_or(after.len())].to_owned()
    }
}

impl Parsed {
    /// What is wrong with it.
    pub(super) fn defects(&self) -> &Value {
        &self.0["defects"]
    }

    /// The content types, from the outside in.
    pub(super) fn types(&self) -> Vec<&str> {
        let types = self.0["types"].as_array().expect("a list");
        types.iter().filter_map(Value::as_str).collect()
    }

    /// The values of a header.
    pub(super) fn headers(&self, name: &str) -> Vec<&str> {
        let headers = self.0["headers"].as_array().expect("a list").iter();
        let named = headers.filter(|pair| {
            pair[0]
                .as_str()
                .is_some_and(|own| own.eq_ignore_ascii_case(name))
        });
        named.filter_map(|pair| pair[1].as_str()).collect()
    }

    /// The only value of a header.
    #[track_caller]
    pub(super) fn header(&self, name: &str) -> &str {
        let values = self.headers(name);
        assert_eq!(values.len(), 1, "{name}: {values:?}");
        values[0]
    }

    /// The text of the first part of a type.
    pub(super) fn part(&self, kind: &str) -> Option<String> {
        let parts = self.0["parts"].as_array().expect("a list").iter();
        let mut found = parts.filter(|part| part["type"] == kind);
        Some(found.next()?["text"].as_str()?.to_owned())
    }
}
