//! A program that receives webhooks, and answers as a test wants.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Ends a test that waits without success.
const TIMEOUT: Duration = Duration::from_secs(40);

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Received {
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(own, _)| own.eq_ignore_ascii_case(name));
        found
            .unwrap_or_else(|| panic!("no {name} in {}", self.head))
            .1
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// What is said to have happened.
    pub(crate) fn topic(&self) -> String {
        self.json()["type"].as_str().expect("a type").to_owned()
    }

    /// Whether it is signed with this secret.
    pub(crate) fn is_signed(&self, secret: &str) -> bool {
        let key = secret.strip_prefix("whsec_").expect("the prefix");
        let key = STANDARD.decode(key).expect("Base64");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
        let (id, seconds) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        mac.update(format!("{id}.{seconds}.{}", self.body).as_bytes());
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        self.header("webhook-signature") == expected
    }
}

/// Answers in turn, the last one for ever.
type Answers = Arc<Mutex<VecDeque<String>>>;

pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    answers: Answers,
    requests: mpsc::UnboundedReceiver<Received>,
}

/// An answer without a body.
pub(crate) fn status(status: u16) -> String {
    format!("HTTP/1.1 {status} Text\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

/// An answer with a body.
pub(crate) fn answer(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

impl Receiver {
    pub(crate) async fn start(answers: &[String]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let answers: Answers = Arc::new(Mutex::new(answers.iter().cloned().collect()));
        let (sender, requests) = mpsc::unbounded_channel();
        let theirs = Arc::clone(&answers);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answers, sender) = (Arc::clone(&theirs), sender.clone());
                tokio::spawn(async move { serve(stream, &answers, &sender).await });
            }
        });
        Self {
            address,
            answers,
            requests,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook?key=s3cret", self.address)
    }

    /// What it answers from now on.
    pub(crate) fn answer(&self, answer: String) {
        *self.answers.lock().expect("no panic") = VecDeque::from([answer]);
    }

    /// The next request.
    #[track_caller]
    pub(crate) fn next(&mut self) -> impl Future<Output = Received> + '_ {
        let place = std::panic::Location::caller();
        async move {
            let next = timeout(TIMEOUT, self.requests.recv()).await;
            next.unwrap_or_else(|_| panic!("no request at {place}"))
                .expect("it listens")
        }
    }

    /// The requests that came by now.
    pub(crate) fn rest(&mut self) -> usize {
        let mut rest = 0;
        while self.requests.try_recv().is_ok() {
            rest += 1;
        }
        rest
    }
}

async fn serve(
    mut stream: TcpStream,
    answers: &Answers,
    sender: &mpsc::UnboundedSender<Received>,
) -> Option<()> {
    let mut bytes = Vec::new();
    let (head, start) = loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Some(end) = text.find("\r\n\r\n") {
            break (text[..end].to_owned(), end + 4);
        }
    };
    let mut received = Received {
        head,
        body: String::new(),
    };
    let length: usize = received.header("content-length").parse().ok()?;
    while bytes.len() < start + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    received.body = String::from_utf8(bytes[start..].to_vec()).ok()?;
    let answer = {
        let mut answers = answers.lock().expect("no panic");
        let first = answers.front().cloned()?;
        if answers.len() > 1 {
            answers.pop_front();
        }
        first
    };
    stream.write_all(answer.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()?;
    sender.send(received).ok()
}

/// A receiver whose answers never end. Its connections are closed when it is dropped.
pub(crate) struct Endless {
    pub(crate) address: SocketAddr,
    counts: Arc<Counts>,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct Counts {
    open: AtomicUsize,
    most: AtomicUsize,
    requests: AtomicUsize,
}

impl Endless {
    /// It answers every request with `start`, and then with `rest` again and again; with nothing more
    /// if that is empty.
    pub(crate) async fn start(start: &'static str, rest: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let counts = Arc::clone(&shared);
                connections.spawn(async move { endless(stream, start, rest, &counts).await });
            }
        });
        Self {
            address,
            counts,
            _tasks: tasks,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// The most requests that were open at the same time.
    pub(crate) fn most(&self) -> usize {
        self.counts.most.load(Ordering::SeqCst)
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> usize {
        self.counts.requests.load(Ordering::SeqCst)
    }
}

async fn endless(mut stream: TcpStream, start: &str, rest: &str, counts: &Counts) {
    let mut bytes = Vec::new();
    if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
        return;
    }
    counts.requests.fetch_add(1, Ordering::SeqCst);
    let open = counts.open.fetch_add(1, Ordering::SeqCst) + 1;
    counts.most.fetch_max(open, Ordering::SeqCst);
    let mut outcome = stream.write_all(start.as_bytes()).await;
    while outcome.is_ok() && !rest.is_empty() {
        outcome = stream.write_all(rest.as_bytes()).await;
    }
    // Without anything to send it reads until the other side closes.
    while stream.read_buf(&mut bytes).await.unwrap_or(0) > 0 {}
    counts.open.fetch_sub(1, Ordering::SeqCst);
}
