//! HTTP/2 by hand: client libraries read what they receive, and an attacker does not.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::rustls::pki_types::CertificateDer;

use crate::server::host::TIMEOUT;
use crate::server::tls;
use crate::server::wire::Io;

/// A frame's kind (RFC 9113, section 6).
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;

pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// A connection whose every stream has that window.
pub(crate) struct Http2 {
    io: Box<dyn Io>,
    scheme: u8,
    next: u32,
}

impl Http2 {
    pub(crate) async fn plain(address: SocketAddr, window: u32) -> Self {
        let io = TcpStream::connect(address)
            .await
            .expect("the server accepts");
        Self::over(Box::new(io), false, window).await
    }

    pub(crate) async fn tls(
        address: SocketAddr,
        certificate: &CertificateDer<'static>,
        window: u32,
    ) -> Self {
        let io = tls::stream(address, certificate, b"h2").await;
        Self::over(Box::new(io), true, window).await
    }

    /// The same over a connection that exists.
    pub(crate) async fn over(io: Box<dyn Io>, tls: bool, window: u32) -> Self {
        let mut this = Self {
            io,
            // `:scheme` in the static table (RFC 7541, appendix A).
            scheme: if tls { 0x87 } else { 0x86 },
            next: 1,
        };
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        // SETTINGS_INITIAL_WINDOW_SIZE is setting 4.
        let setting = [&4_u16.to_be_bytes()[..], &window.to_be_bytes()].concat();
        bytes.extend(frame(4, 0, 0, &setting));
        this.send(&bytes).await;
        this
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.io.write_all(bytes).await.expect("the server reads");
    }

    /// Sends requests and gives each up at once, until the server closes.
    pub(crate) async fn get_and_reset(&mut self, path: &str, times: usize) {
        let block = self.block(0x82, path);
        for _ in 0..times {
            let mut bytes = frame(HEADERS, 5, self.next, &block);
            // CANCEL (RFC 9113, section 7).
            bytes.extend(frame(RST_STREAM, 0, self.next, &8_u32.to_be_bytes()));
            self.next += 2;
            if self.io.write_all(&bytes).await.is_err() {
                return;
            }
        }
    }

    /// Sends a `GET`; returns its stream.
    pub(crate) async fn get(&mut self, path: &str) -> u32 {
        self.get_many(path, 1).await
    }

    /// Sends that many requests at once; returns the last one's stream.
    pub(crate) async fn get_many(&mut self, path: &str, times: usize) -> u32 {
        let block = self.block(0x82, path);
        let mut requests = Vec::new();
        for _ in 0..times {
            // END_HEADERS and END_STREAM.
            requests.extend(frame(HEADERS, 5, self.next, &block));
            self.next += 2;
        }
        self.send(&requests).await;
        self.next - 2
    }

    /// Sends that many forms to one address at once.
    pub(crate) async fn post_many(&mut self, path: &str, kind: &str, body: &str, times: usize) {
        // `content-type` is name 31 of the static table. Short enough for one byte of length.
        let kind_length = u8::try_from(kind.len()).expect("short");
        let field = [&[0x0F, 31 - 15, kind_length][..], kind.as_bytes()].concat();
        let block = [self.block(0x83, path), field].concat();
        let mut requests = Vec::new();
        for _ in 0..times {
            // END_HEADERS, then END_STREAM.
            requests.extend(frame(HEADERS, 4, self.next, &block));
            requests.extend(frame(DATA, 1, self.next, body.as_bytes()));
            self.next += 2;
        }
        self.send(&requests).await;
    }

    /// The fields of a request, as literals without indexing (RFC 7541, section 6.2.2).
    fn block(&self, method: u8, path: &str) -> Vec<u8> {
        let mut block = vec![method, self.scheme, 0x04];
        assert!(path.len() < 127);
        block.push(u8::try_from(path.len()).expect("short"));
        block.extend(path.as_bytes());
        block.extend(b"\x01\x04test");
        block
    }

    /// The next frame; `None` at the end of the connection.
    pub(crate) async fn frame(&mut self) -> Option<Frame> {
        let read = async {
            let mut head = [0; 9];
            self.io.read_exact(&mut head).await.ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let mut payload = vec![0; length];
            self.io.read_exact(&mut payload).await.ok()?;
            Some(Frame {
                kind: head[3],
                stream: u32::from_be_bytes([head[5], head[6], head[7], head[8]]),
                payload,
            })
        };
        timeout(TIMEOUT, read).await.expect("a frame in time")
    }

    /// Reads until a frame of one of these kinds.
    pub(crate) async fn next_of(&mut self, kinds: &[u8]) -> Frame {
        loop {
            let frame = self.frame().await.expect("the connection stays");
            if kinds.contains(&frame.kind) {
                return frame;
            }
        }
    }

    /// Reads until there is an answer to a stream's request, or the connection has ended.
    pub(crate) async fn answered(&mut self, stream: u32) {
        while let Some(frame) = self.frame().await {
            if frame.stream == stream && matches!(frame.kind, HEADERS | RST_STREAM) {
                return;
            }
        }
    }

    /// Reads until a stream's frame of that kind.
    #[track_caller]
    pub(crate) fn next(&mut self, kind: u8, stream: u32) -> impl Future<Output = Frame> {
        let caller = std::panic::Location::caller();
        async move {
            loop {
                match self.frame().await {
                    Some(frame) if frame.kind == kind && frame.stream == stream => return frame,
                    Some(_) => {}
                    None => panic!("{caller}: the connection ended before frame {kind}"),
                }
            }
        }
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}
