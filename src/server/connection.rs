//! One connection, from `accept` to its end: TLS, hyper, the hand-off, and every deadline.

use std::future::{Future, pending, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tokio::net::TcpStream;
use tokio::sync::futures::OwnedNotified;
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use super::application::Application;
use super::config::{Config, Deadlines};
use super::handoff::Link;
use super::limits::{Admitted, ConnectionLimiter};
use super::load::RequestLimiter;
use super::meters::{Expired, Meters, expired};
use super::protocol::{Builders, agreed_version};
use super::push::Push;
use super::service::Exchange;
use super::socket::SocketGuard;
use super::stream::Stream;

/// Bytes of TLS records that may wait for the client; a bound on what is stale when it reads again.
const MAX_TLS_BUFFER: usize = 16 * 1024;

/// The state that all connections of one [`super::serve`] share.
pub(super) struct Server {
    pub(super) config: Config,
    pub(super) limiter: Arc<ConnectionLimiter>,
    pub(super) requests: RequestLimiter,
    pub(super) meters: Meters,
    draining: watch::Sender<bool>,
    cut: AtomicBool,
    cut_now: Arc<Notify>,
    builders: Builders,
}

impl Server {
    pub(super) fn new(config: Config) -> Self {
        let meters = Meters::new();
        let limiter = ConnectionLimiter::new(
            config.max_connections,
            config.max_connections_per_address,
            config.max_refusals,
            meters.clone(),
        );
        let requests = RequestLimiter::new(config.max_requests, config.max_requests_per_address);
        let builders = Builders::new(&config);
        Self {
            config,
            limiter: Arc::new(limiter),
            requests,
            meters,
            draining: watch::Sender::new(false),
            cut: AtomicBool::new(false),
            cut_now: Arc::new(Notify::new()),
            builders,
        }
    }

    /// Asks every connection to finish the request it is in and to close.
    pub(super) fn start_draining(&self) {
        self.draining.send_replace(true);
    }

    pub(super) fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// Drops every connection that still belongs to this server.
    pub(super) fn cut(&self) {
        self.cut.store(true, Ordering::Release);
        self.cut_now.notify_waiters();
    }
}

/// A connection that has just been accepted.
pub(super) struct NewConnection {
    pub(super) stream: TcpStream,
    pub(super) addr: SocketAddr,
    /// The peer is a trusted proxy.
    pub(super) proxied: bool,
    pub(super) admitted: Admitted,
}

/// Starts the task that owns a connection to its end.
pub(super) fn spawn<S: Application>(connection: NewConnection, server: &Arc<Server>, app: S) {
    let stage = Stage::Serving(Box::pin(run(connection, Arc::clone(server), app)));
    let cut = Arc::clone(&server.cut_now).notified_owned();
    tokio::spawn(Owner {
        server: Arc::clone(server),
        stage,
        registered: false,
        cut,
    });
}

pin_project! {
    /// A connection's task. Hand-written to keep the fields of a delivery together; an async block
    /// is 40 bytes larger, which makes the task 512 bytes instead of 384.
    #[repr(C)]
    struct Owner {
        server: Arc<Server>,
        stage: Stage,
        registered: bool,
        #[pin]
        cut: OwnedNotified,
    }
}

/// One task for both stages. What hyper needs is in a box of its own, and is freed at the hand-off.
/// With a second task, the first one's waker would stay with the socket and keep the finished task
/// alive (3 KiB a watcher, measured).
enum Stage {
    Serving(Pin<Box<dyn Future<Output = Option<Push>> + Send>>),
    Pushing(Push),
}

impl Future for Owner {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        // A task has the same waker for life, so once is enough. A delivery to a watcher must not
        // take a lock that all watchers share.
        if matches!(this.stage, Stage::Serving(_)) && !std::mem::replace(this.registered, true) {
            let _ = this.cut.poll(cx);
        }
        if this.server.cut.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        loop {
            match this.stage {
                Stage::Serving(serving) => match ready!(serving.as_mut().poll(cx)) {
                    Some(push) => *this.stage = Stage::Pushing(push),
                    None => return Poll::Ready(()),
                },
                Stage::Pushing(push) => return Pin::new(push).poll(cx),
            }
        }
    }
}

/// Serves requests until the connection ends, or until an endless answer takes it over.
async fn run<S: Application>(
    connection: NewConnection,
    server: Arc<Server>,
    app: S,
) -> Option<Push> {
    let NewConnection {
        stream,
        addr,
        proxied,
        admitted: Admitted { permit, over, load },
    } = connection;
    let socket = handshake(stream, &server).await?;
    let link = Arc::new(Link::default());
    let agreed = agreed_version(&socket);
    let exchange = Exchange {
        app,
        server: Arc::clone(&server),
        link: Arc::clone(&link),
        addr,
        proxied,
        tls: matches!(socket, Stream::Tls(_)),
        over,
        load,
    };
    let mut socket = SocketGuard::new(socket, permit, Arc::clone(&link), server.config.deadlines);
    let refused = over.is_some();
    {
        let mut draining = server.draining.subscribe();
        let mut draining = pin!(async {
            let stopped = draining.wait_for(|draining| *draining).await.map(drop);
            // Without its sender the server has ended, and there is nothing to wait for.
            if proxied && stopped.is_ok() {
                sleep(server.config.settle()).await;
            }
        });
        let mut deadline = pin!(deadline(&link, refused, &server.config.deadlines));
        let http2 = if let Some(http2) = agreed {
            http2
        } else {
            tokio::select! {
                biased;
                begins_http2 = socket.begins_http2() => begins_http2.ok()?,
                () = &mut draining => return None,
                () = &mut deadline => return None,
            }
        };
        let mut http = pin!(server.builders.serve(socket, exchange, http2));
        let (mut leaving, mut idled) = (false, false);
        let mut grace = pin!(async { sleep(server.config.deadlines.stall).await });
        let mut idle = pin!(idle_http2(&link, &server.config.deadlines));
        poll_fn(|cx| {
            loop {
                // First, so that a request which is already here when the drain begins is answered.
                if http.as_mut().poll_end(cx).is_ready() || link.is_ready() {
                    return Poll::Ready(());
                }
                if leaving {
                    // An idle connection that does not end has answers that its client does not
                    // read.
                    if idled && grace.as_mut().poll(cx).is_ready() {
                        return Poll::Ready(());
                    }
                    return deadline.as_mut().poll(cx);
                }
                // From the first poll on: a browser's idle spare connection would otherwise outlive
                // the listener. HTTP/1.1 does not get it here: hyper would add `close` to a 101 as
                // well. A WebSocket client would take that for a failed handshake and never see the
                // reason.
                let refusing = refused
                    && link.requests.load(Ordering::Relaxed) > 0
                    && !link.http11.load(Ordering::Relaxed);
                let closing = draining.as_mut().poll(cx).is_ready() || refusing;
                idled = !closing && idle.as_mut().poll(cx).is_ready();
                if !closing && !idled {
                    return deadline.as_mut().poll(cx);
                }
                leaving = true;
                http.as_mut().graceful_shutdown();
            }
        })
        .await;
        // hyper's connection ends here, and puts the socket into the link.
    }
    let (stream, permit, answer) = link.take()?;
    Some(Push::new(stream, permit, answer, server))
}

/// Ends when the connection is to be closed at once.
async fn deadline(link: &Link, refused: bool, deadlines: &Deadlines) {
    if refused {
        sleep(deadlines.refusal).await;
        return expired(Expired::Refusal);
    }
    sleep(deadlines.first_request).await;
    if link.requests.load(Ordering::Relaxed) > 0 {
        return pending().await;
    }
    expired(Expired::FirstRequest);
}

/// Ends when an HTTP/2 client has sent no request for a while. Between two HTTP/1 requests hyper
/// has a deadline of its own.
async fn idle_http2(link: &Link, deadlines: &Deadlines) {
    sleep(deadlines.first_request).await;
    if !link.http2.load(Ordering::Relaxed) {
        return pending().await;
    }
    let mut requests = link.requests.load(Ordering::Relaxed);
    loop {
        sleep(deadlines.idle_http2).await;
        let now = link.requests.load(Ordering::Relaxed);
        if now == requests && link.unanswered.load(Ordering::Relaxed) == 0 {
            return expired(Expired::Idle);
        }
        requests = now;
    }
}

async fn handshake(stream: TcpStream, server: &Server) -> Option<Stream> {
    let Some(tls) = &server.config.tls else {
        return Some(Stream::Plain(stream));
    };
    let mut draining = server.draining.subscribe();
    let accepted = tokio::select! {
        accepted = timeout(server.config.deadlines.handshake, tls.acceptor().accept(stream)) => accepted,
        _ = draining.wait_for(|draining| *draining) => return None,
    };
    match accepted {
        Ok(Ok(mut stream)) => {
            stream.get_mut().1.set_buffer_limit(Some(MAX_TLS_BUFFER));
            Some(Stream::Tls(Box::new(stream)))
        }
        Ok(Err(error)) => {
            server.meters.handshake_failed();
            tracing::debug!(%error, "TLS handshake failed");
            None
        }
        Err(_) => {
            expired(Expired::Handshake);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Response};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use warp::Filter;

    use super::*;
    use crate::transport::live::Live;
    use crate::wire::chunk::Chunk;

    /// The head is encoded and its body polled while the socket takes nothing: the hand-off must
    /// wait.
    #[tokio::test]
    async fn a_head_that_finds_the_socket_full_is_written_before_the_hand_off() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (client, accepted) = tokio::join!(
            TcpStream::connect(listener.local_addr().unwrap()),
            listener.accept()
        );
        let (mut client, (stream, addr)) = (client.unwrap(), accepted.unwrap());
        client
            .write_all(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            .await
            .unwrap();
        let mut filled = 0;
        stream.writable().await.unwrap();
        while let Ok(written) = stream.try_write(&[b'.'; 4096]) {
            filled += written;
        }

        let asked = Arc::new(Notify::new());
        let answering = Arc::clone(&asked);
        let app = warp::service(warp::any().map(move || {
            answering.notify_one();
            let mut response = Response::new("");
            response
                .headers_mut()
                .insert("x-test", HeaderValue::from_static("whole"));
            response
                .extensions_mut()
                .insert(Live::new(tokio_stream::once(Chunk::new(b"chunk"))));
            response
        }));
        let server = Arc::new(Server::new(Config::default()));
        let connection = NewConnection {
            stream,
            addr,
            proxied: false,
            admitted: server.limiter.admit(None).unwrap(),
        };
        let mut running = pin!(run(connection, Arc::clone(&server), app));
        tokio::select! {
            _ = &mut running => panic!("handed off before the head was written"),
            () = asked.notified() => {}
        }
        // The answer is complete. In the next polls hyper does all that it can with a full socket.
        for _ in 0..10 {
            tokio::select! {
                biased;
                _ = &mut running => panic!("handed off before the head was written"),
                () = tokio::task::yield_now() => {}
            }
        }

        let reading = async move {
            client.read_exact(&mut vec![0; filled]).await.unwrap();
            let mut rest = Vec::new();
            client.read_to_end(&mut rest).await.unwrap();
            String::from_utf8(rest).unwrap()
        };
        let pushing = async { running.await.expect("the socket is handed off").await };
        let ((), rest) = tokio::join!(pushing, reading);
        assert!(
            rest.starts_with("HTTP/1.1 200 OK\r\n") && rest.contains("\r\nx-test: whole\r\n"),
            "{rest}"
        );
        assert!(rest.ends_with("\r\n\r\n5\r\nchunk\r\n0\r\n\r\n"), "{rest}");
        assert_eq!(server.limiter.open(), 0);
    }
}
