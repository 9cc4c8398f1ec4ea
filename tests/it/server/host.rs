//! A small application behind the real accept loop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use headcount::context::{Admission, Peer};
use headcount::server::{self, Config, Deadlines, Drained};
use headcount::transport::live::Live;
use headcount::wire::chunk::Chunk;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_stream::wrappers::WatchStream;
use warp::{Filter, http};

use super::wire::{self, Wire};

/// How long anything may take before a test fails; no test waits for it to pass.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

/// Deadlines that no test meets by chance.
pub(crate) fn config() -> Config {
    let deadlines = Deadlines {
        linger: Duration::from_millis(200),
        ..Deadlines::default()
    };
    Config {
        drain: TIMEOUT,
        deadlines,
        ..Config::default()
    }
}

/// What the application's side of a test sees and does.
#[derive(Clone)]
pub(crate) struct Feed {
    newest: watch::Sender<Option<Chunk>>,
    watchers: Arc<AtomicUsize>,
    pub(crate) release: Arc<Notify>,
}

impl Feed {
    /// Publishes `text` to every open stream; the newest wins.
    pub(crate) fn publish(&self, text: impl AsRef<[u8]>) {
        self.newest.send_replace(Some(Chunk::new(text.as_ref())));
    }

    /// Ends every stream after what was published last.
    pub(crate) fn end(&self) {
        self.newest.send_replace(None);
    }

    /// Streams that the application has open.
    pub(crate) fn watchers(&self) -> usize {
        self.watchers.load(Ordering::SeqCst)
    }
}

struct Watching(Arc<AtomicUsize>);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A server on a port of its own.
pub(crate) struct Host {
    pub(crate) addr: SocketAddr,
    pub(crate) feed: Feed,
    /// Of a host with TLS: what its clients need.
    tls: Option<TlsConnector>,
    stop: watch::Sender<bool>,
    served: JoinHandle<Drained>,
}

impl Host {
    pub(crate) fn start(config: Config) -> Self {
        let feed = Feed {
            newest: watch::Sender::new(Some(Chunk::new(b"first"))),
            watchers: Arc::default(),
            release: Arc::default(),
        };
        let listener = server::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let addr = listener.local_addr().unwrap();
        let tls = config.tls.as_ref().map(|tls| {
            let client = tls.to_itself().unwrap();
            TlsConnector::from(client)
        });
        let (stop, stopped) = watch::channel(false);
        let served = tokio::spawn(server::serve(
            listener,
            warp::service(routes(feed.clone())),
            config,
            stopped,
        ));
        Self {
            addr,
            feed,
            tls,
            stop,
            served,
        }
    }

    /// A TCP connection.
    pub(crate) async fn connect(&self) -> Wire {
        Wire::connect(self.addr).await
    }

    /// A connection as the host wants it, plain or with TLS, for HTTP/1.1.
    pub(crate) async fn open(&self) -> Wire {
        self.over(TcpStream::connect(self.addr).await.unwrap())
            .await
    }

    /// The same with a small receive buffer.
    pub(crate) async fn open_narrow(&self) -> Wire {
        self.over(wire::narrow(self.addr).await).await
    }

    async fn over(&self, stream: TcpStream) -> Wire {
        let Some(tls) = &self.tls else {
            return Wire::new(stream);
        };
        let name = ServerName::try_from("localhost").unwrap();
        Wire::new(tls.connect(name, stream).await.unwrap())
    }

    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Ends the streams, stops, and returns how the drain went.
    pub(crate) async fn finish(self) -> Drained {
        self.feed.end();
        self.drained().await
    }

    /// Stops without a farewell.
    pub(crate) async fn drained(self) -> Drained {
        self.stop();
        tokio::time::timeout(TIMEOUT, self.served)
            .await
            .expect("the drain ends")
            .unwrap()
    }

    /// Waits until the application has exactly `watchers` streams open.
    #[track_caller]
    pub(crate) fn watched_by(&self, watchers: usize) -> impl Future<Output = ()> {
        let feed = self.feed.clone();
        until(move || feed.watchers() == watchers)
    }
}

/// Polls until a condition holds.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, wait)
        .await
        .expect("the condition comes true");
}

fn routes(
    feed: Feed,
) -> impl Filter<Extract = (impl warp::Reply,), Error = warp::Rejection> + Clone {
    let with_feed = warp::any().map(move || feed.clone());
    let hello = warp::path!("hello").map(|| "hello");
    let small = warp::path!("small").map(|| "x".repeat(400));
    let big = warp::path!("big").map(|| "x".repeat(10_000));
    let huge = warp::path!("huge").map(|| "x".repeat(100_000));
    let echo = warp::path!("echo")
        .and(warp::body::bytes())
        .map(|bytes: bytes::Bytes| bytes.to_vec());
    let refuse = warp::path!("refuse")
        .map(|| warp::reply::with_status("no", http::StatusCode::PAYLOAD_TOO_LARGE));
    let who = warp::path!("who")
        .and(warp::ext::get::<Peer>())
        .map(|peer: Peer| format!("{} {}", peer.ip, peer.secure));
    let wait = warp::path!("wait")
        .and(with_feed.clone())
        .then(|feed: Feed| async move {
            feed.release.notified().await;
            "released"
        });
    // A live address whose answer is no stream.
    let live = warp::path!("live")
        .and(with_feed.clone())
        .and(warp::ext::get::<Admission>())
        .then(|feed: Feed, admission: Admission| async move {
            if admission == Admission::OverLimit {
                return "bye limit";
            }
            feed.release.notified().await;
            "released"
        });
    let idle = warp::path!("idle").map(|| {
        let mut response = http::Response::new("");
        response.extensions_mut().insert(Live::new(
            tokio_stream::once(Chunk::new(b"first")).chain(tokio_stream::pending()),
        ));
        response
    });
    let stream = warp::path!("stream")
        .and(with_feed)
        .and(warp::ext::get::<Admission>())
        .map(|feed: Feed, admission: Admission| stream(&feed, admission));
    let switch = warp::path!("switch")
        .and(warp::ext::get::<OnUpgrade>())
        .map(switch);
    hello
        .or(idle)
        .or(small)
        .or(big)
        .or(huge)
        .or(echo)
        .or(refuse)
        .or(who)
        .or(wait)
        .or(live)
        .or(stream)
        .or(switch)
}

fn stream(feed: &Feed, admission: Admission) -> http::Response<&'static str> {
    match admission {
        Admission::OverLimit => return http::Response::new("bye limit"),
        Admission::Draining => return http::Response::new("bye drain"),
        Admission::Admitted => {}
    }
    feed.watchers.fetch_add(1, Ordering::SeqCst);
    let watching = Watching(Arc::clone(&feed.watchers));
    let chunks = WatchStream::new(feed.newest.subscribe())
        .take_while(|newest| std::future::ready(newest.is_some()))
        .filter_map(move |newest| {
            let _ = &watching;
            std::future::ready(newest)
        });
    let mut response = http::Response::new("");
    response.headers_mut().insert(
        "content-type",
        http::HeaderValue::from_static("text/event-stream"),
    );
    response.extensions_mut().insert(Live::new(chunks));
    response
}

/// A protocol that echoes; it ends when the client ends it or asks for its end.
fn switch(upgrade: OnUpgrade) -> http::Response<&'static str> {
    tokio::spawn(async move {
        let mut io = TokioIo::new(upgrade.await.expect("the upgrade succeeds"));
        let mut space = [0; 64];
        while let Ok(read @ 1..) = io.read(&mut space).await {
            if space[..read].ends_with(b"quit") {
                break;
            }
            if io.write_all(&space[..read]).await.is_err() {
                break;
            }
        }
    });
    http::Response::builder()
        .status(101)
        .header("connection", "upgrade")
        .header("upgrade", "echo")
        .body("")
        .unwrap()
}
