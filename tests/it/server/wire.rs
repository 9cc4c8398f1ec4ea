//! A client that sees every byte.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::host::TIMEOUT;

/// A connection without any HTTP in it.
pub(crate) struct Wire {
    io: Box<dyn Io>,
    unread: Vec<u8>,
}

pub(crate) trait Io: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Closed,
    Reset,
}

impl Wire {
    pub(crate) fn new(io: impl Io + 'static) -> Self {
        Self {
            io: Box::new(io),
            unread: Vec::new(),
        }
    }

    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        Self::new(TcpStream::connect(addr).await.expect("the server accepts"))
    }

    /// A connection to a server that may be gone.
    pub(crate) async fn try_connect(addr: SocketAddr) -> std::io::Result<Self> {
        TcpStream::connect(addr).await.map(Self::new)
    }

    /// Sends a request and reads its answer, with a server that may die meanwhile.
    pub(crate) async fn try_exchange(&mut self, request: &[u8]) -> Option<(String, String)> {
        self.io.write_all(request).await.ok()?;
        loop {
            if let Some(end) = self
                .unread
                .windows(4)
                .position(|window| window == b"\r\n\r\n")
            {
                let head = String::from_utf8(self.unread[..end].to_vec())
                    .ok()?
                    .to_ascii_lowercase();
                let length: usize = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "))
                    .map_or(Some(0), |length| length.parse().ok())?;
                if self.unread.len() >= end + 4 + length {
                    let body = self.unread[end + 4..end + 4 + length].to_vec();
                    self.unread.drain(..end + 4 + length);
                    return Some((head, String::from_utf8(body).ok()?));
                }
            }
            if self.more().await != Ok(true) {
                return None;
            }
        }
    }

    /// A client with a small receive buffer.
    pub(crate) async fn connect_narrow(addr: SocketAddr) -> Self {
        Self::new(narrow(addr).await)
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.io
            .write_all(bytes.as_ref())
            .await
            .expect("the server reads");
        // TLS keeps what the kernel has not taken.
        self.io.flush().await.expect("the server reads");
    }

    /// Sends for as long as the server reads; returns how much that was.
    pub(crate) async fn send_until_refused(&mut self, bytes: &[u8], times: usize) -> usize {
        for sent in 0..times {
            if self.io.write_all(bytes).await.is_err() {
                return sent;
            }
        }
        times
    }

    pub(crate) async fn get(&mut self, path: &str) {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n"))
            .await;
    }

    /// Closes the sending side only.
    pub(crate) async fn half_close(&mut self) {
        self.io.shutdown().await.unwrap();
    }

    /// The bytes up to and with `end`.
    #[track_caller]
    pub(crate) fn read_to(&mut self, end: &'static [u8]) -> impl Future<Output = Vec<u8>> {
        let caller = std::panic::Location::caller();
        async move {
            loop {
                if let Some(at) = self
                    .unread
                    .windows(end.len())
                    .position(|window| window == end)
                {
                    return self.unread.drain(..at + end.len()).collect();
                }
                let more = self.more().await;
                assert!(
                    more == Ok(true),
                    "{caller}: the connection ended ({more:?}) before {:?}; read {:?}",
                    end.escape_ascii(),
                    self.unread.escape_ascii()
                );
            }
        }
    }

    /// An answer's head, in lower case.
    #[track_caller]
    pub(crate) fn head(&mut self) -> impl Future<Output = String> {
        let head = self.read_to(b"\r\n\r\n");
        async move { String::from_utf8(head.await).unwrap().to_ascii_lowercase() }
    }

    /// The whole of an answer with a `Content-Length`.
    pub(crate) async fn answer(&mut self) -> (String, String) {
        let head = self.head().await;
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .expect("a length")
            .parse()
            .unwrap();
        (head, String::from_utf8(self.exactly(length).await).unwrap())
    }

    pub(crate) async fn exactly(&mut self, length: usize) -> Vec<u8> {
        while self.unread.len() < length {
            assert_eq!(
                self.more().await,
                Ok(true),
                "the connection ended within {length} bytes"
            );
        }
        self.unread.drain(..length).collect()
    }

    /// The next chunk's data; none for the last chunk.
    #[track_caller]
    pub(crate) fn chunk(&mut self) -> impl Future<Output = Option<String>> {
        let caller = std::panic::Location::caller();
        async move {
            let line = self.read_to(b"\r\n").await;
            let line = String::from_utf8(line).unwrap();
            let length = usize::from_str_radix(line.trim_end(), 16)
                .unwrap_or_else(|_| panic!("{caller}: no chunk size: {line:?}"));
            let data = self.exactly(length).await;
            assert_eq!(
                self.exactly(2).await,
                b"\r\n",
                "{caller}: a chunk ends with a line end"
            );
            (length > 0).then(|| String::from_utf8(data).unwrap())
        }
    }

    /// Everything up to the connection's end.
    pub(crate) async fn rest(&mut self) -> (Vec<u8>, Ending) {
        loop {
            match self.more().await {
                Ok(true) => {}
                Ok(false) => return (std::mem::take(&mut self.unread), Ending::Closed),
                Err(Ending::Reset) => return (std::mem::take(&mut self.unread), Ending::Reset),
                Err(Ending::Closed) => unreachable!("an error is a reset"),
            }
        }
    }

    /// Asserts that nothing arrives for a moment. A test cannot prove more.
    pub(crate) async fn is_silent(&mut self) {
        assert!(
            self.unread.is_empty(),
            "unread: {}",
            self.unread.escape_ascii()
        );
        let mut byte = [0];
        if let Ok(read) = timeout(Duration::from_millis(50), self.io.read(&mut byte)).await {
            panic!("expected silence, got {read:?} {byte:?}");
        }
    }

    async fn more(&mut self) -> Result<bool, Ending> {
        let read = timeout(TIMEOUT, self.io.read_buf(&mut self.unread)).await;
        match read.unwrap_or_else(|_| {
            panic!(
                "nothing came in {TIMEOUT:?}; unread: {:?}",
                self.unread.escape_ascii()
            )
        }) {
            Ok(0) => Ok(false),
            Ok(_) => Ok(true),
            // A TLS connection that ends without its closing alert is an error to rustls.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
            Err(_) => Err(Ending::Reset),
        }
    }
}

/// A connection with a small receive buffer.
pub(crate) async fn narrow(addr: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(addr).await.expect("the server accepts")
}
