//! Watchers over HTTP/2, many on each connection, and over TLS.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Request, header};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::crowd::{Audience, TIMEOUT, Transport};
use super::host::CERTIFICATE;

/// What the server allows on one HTTP/2 connection.
pub(crate) const MOST_STREAMS: usize = 100;

trait Line: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

/// How they connect.
#[derive(Clone)]
pub(crate) struct Connector {
    tls: Option<TlsConnector>,
    http2: bool,
    /// On each connection.
    streams: usize,
}

impl Connector {
    /// HTTP/2 by prior knowledge.
    pub(crate) fn http2() -> Self {
        Self {
            tls: None,
            http2: true,
            streams: MOST_STREAMS,
        }
    }

    /// TLS with the certificate in this folder.
    pub(crate) fn tls(folder: &Path, http2: bool, streams: usize) -> Self {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(folder.join(CERTIFICATE)).expect("a certificate"))
            .expect("a root");
        let provider = Arc::new(ring::default_provider());
        let versions = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions");
        let mut client = versions.with_root_certificates(roots).with_no_client_auth();
        client.alpn_protocols = vec![if http2 {
            b"h2".to_vec()
        } else {
            b"http/1.1".to_vec()
        }];
        Self {
            tls: Some(TlsConnector::from(Arc::new(client))),
            http2,
            streams,
        }
    }

    async fn line(&self, address: SocketAddr) -> Box<dyn Line> {
        let stream = TcpStream::connect(address)
            .await
            .expect("the server listens");
        stream.set_nodelay(true).expect("a socket");
        match &self.tls {
            None => Box::new(stream),
            Some(tls) => Box::new(
                tls.connect(ServerName::try_from("localhost").expect("a name"), stream)
                    .await
                    .expect("a handshake"),
            ),
        }
    }

    /// Opens one connection with `count` watchers.
    async fn open(
        self,
        address: SocketAddr,
        count: usize,
        received: mpsc::UnboundedSender<Instant>,
    ) {
        let io = TokioIo::new(self.line(address).await);
        if self.http2 {
            let (mut asking, connection) = http2::Builder::new(TokioExecutor::new())
                .handshake(io)
                .await
                .expect("HTTP/2");
            tokio::spawn(connection);
            for _ in 0..count {
                asking.ready().await.expect("the connection lives");
                let answer = asking.send_request(request(address));
                let (received, asking) = (received.clone(), asking.clone());
                tokio::spawn(async move {
                    listen(answer.await.expect("an answer").into_body(), &received).await;
                    drop(asking);
                });
            }
        } else {
            let (mut asking, connection) = http1::handshake(io).await.expect("HTTP/1.1");
            tokio::spawn(connection);
            let answer = asking
                .send_request(request(address))
                .await
                .expect("an answer");
            tokio::spawn(async move {
                listen(answer.into_body(), &received).await;
                drop(asking);
            });
        }
    }
}

fn request(address: SocketAddr) -> Request<Empty<Bytes>> {
    Request::get(format!("http://{address}/api/v1/events/gala/stream"))
        .header(header::HOST, "registration.example.org")
        .header(header::ACCEPT, "text/event-stream")
        .header(
            header::USER_AGENT,
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, \
            like Gecko) Chrome/142.0.0.0 Safari/537.36",
        )
        .body(Empty::new())
        .expect("a request")
}

/// Reports each count. A watcher that is cut reports nothing, and the wait for it fails.
async fn listen(mut body: Incoming, received: &mpsc::UnboundedSender<Instant>) {
    while let Some(Ok(frame)) = body.frame().await {
        if frame
            .data_ref()
            .is_some_and(|data| data.ends_with(b"}\n\n"))
            && received.send(Instant::now()).is_err()
        {
            return;
        }
    }
}

/// The watchers of one server, in one thread.
pub(crate) struct Streams {
    runtime: Runtime,
    transport: Transport,
    connector: Connector,
    sender: mpsc::UnboundedSender<Instant>,
    received: mpsc::UnboundedReceiver<Instant>,
    watchers: usize,
}

impl Streams {
    pub(crate) fn new(transport: Transport, connector: Connector) -> Self {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let (sender, received) = mpsc::unbounded_channel();
        Self {
            runtime,
            transport,
            connector,
            sender,
            received,
            watchers: 0,
        }
    }

    /// Waits for `count` counts, and returns when each arrived.
    fn take(&mut self, count: usize) -> Vec<Instant> {
        let received = &mut self.received;
        self.runtime.block_on(async {
            let mut times = Vec::with_capacity(count);
            while times.len() < count {
                times.push(
                    timeout(TIMEOUT, received.recv())
                        .await
                        .expect("the server goes on")
                        .expect("this end is open"),
                );
            }
            times
        })
    }

    /// Reads for ever.
    pub(crate) fn endure(&mut self) -> ! {
        loop {
            self.take(1);
        }
    }
}

impl Audience for Streams {
    fn join(&mut self, address: SocketAddr, count: usize) -> Duration {
        let begun = Instant::now();
        let mut left = count;
        while left > 0 {
            let streams = left.min(self.connector.streams);
            self.runtime.spawn(
                self.connector
                    .clone()
                    .open(address, streams, self.sender.clone()),
            );
            // One connection after the other: a client's handshakes would all wait for each other.
            self.take(streams);
            left -= streams;
        }
        self.watchers += count;
        begun.elapsed()
    }

    fn receive(&mut self, begun: Instant) -> Vec<(Transport, Duration)> {
        self.take(self.watchers)
            .into_iter()
            .map(|at| (self.transport, at.saturating_duration_since(begun)))
            .collect()
    }
}
