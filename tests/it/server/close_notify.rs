//! TLS ends with `close_notify`, whatever ends it: without the alert a client cannot tell the end
//! from a cut (RFC 8446, section 6.1).

use std::sync::Arc;
use std::time::Duration;

use headcount::server::{Config, Deadlines};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::deadlines::PREFACE;
use super::host::{Host, TIMEOUT, config};
use super::tls;
use crate::cli::tls::Files;

/// A short deadline.
const SHORT: Duration = Duration::from_millis(400);

/// What comes until the end; rustls reports an end without the alert as an unexpected one.
async fn rest(stream: &mut TlsStream<TcpStream>) -> std::io::Result<Vec<u8>> {
    let mut rest = Vec::new();
    let end = timeout(TIMEOUT, stream.read_to_end(&mut rest)).await;
    end.expect("an end in time").map(|_| rest)
}

/// Sends `said` on a connection of its own, which must end with the alert.
async fn ends_well(
    address: std::net::SocketAddr,
    certificate: &CertificateDer<'static>,
    alpn: &[u8],
    said: &[u8],
) -> Vec<u8> {
    let mut stream = tls::stream(address, certificate, alpn).await;
    stream.write_all(said).await.unwrap();
    let end = rest(&mut stream).await;
    end.unwrap_or_else(|error| panic!("{}: {error}", said.escape_ascii()))
}

fn hasty() -> (Host, CertificateDer<'static>) {
    let (own_tls, certificate) = tls::certificate();
    let deadlines = Deadlines {
        first_request: SHORT,
        idle: SHORT,
        idle_http2: SHORT,
        // A client that answers no GOAWAY has this long (RFC 9113, section 6.8).
        stall: SHORT,
        ..config().deadlines
    };
    let host = Host::start(Config {
        tls: Some(own_tls),
        deadlines,
        ..config()
    });
    (host, certificate)
}

/// The control: a server that only closes its socket.
#[tokio::test]
async fn an_end_without_the_alert_is_noticed() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key.into())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        drop(acceptor.accept(stream).await.unwrap());
    });
    let mut stream = tls::stream(address, &certificate, b"http/1.1").await;
    let end = rest(&mut stream).await.unwrap_err();
    assert_eq!(end.kind(), std::io::ErrorKind::UnexpectedEof);
    serving.await.unwrap();
}

#[tokio::test]
async fn http_1_ends_with_the_alert() {
    let (host, certificate) = hasty();
    for said in [
        // Deadlines: of the first request, and between two.
        &b""[..],
        b"GET /he",
        b"GET /hello HTTP/1.1\r\nHost: test\r\n\r\n",
        b"GET /hello HTTP/1.1\r\nHost: test\r\n\r\nGET /he",
        b"GET /hello HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET /switch HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nquit",
    ] {
        ends_well(host.addr, &certificate, b"http/1.1", said).await;
    }
    host.finish().await;
}

#[tokio::test]
async fn http_2_ends_with_the_alert() {
    let (host, certificate) = hasty();
    // `GET /hello`: the path as a literal, everything else from the static table (RFC 7541).
    let request = b"\x00\x00\x10\x01\x05\x00\x00\x00\x01\x82\x87\x04\x06/hello\x01\x04test";
    let oversized = b"\xff\xff\xff\x00\x00\x00\x00\x00\x01";
    for said in [
        b"".to_vec(),
        PREFACE.to_vec(),
        [PREFACE, request].concat(),
        [PREFACE, oversized].concat(),
        b"nonsense, and long enough for a preface\r\n\r\n".to_vec(),
    ] {
        ends_well(host.addr, &certificate, b"h2", &said).await;
    }
    host.finish().await;
}

/// A client's frame, masked with zeros (RFC 6455, section 5.2).
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = 0x80 | u8::try_from(payload.len()).expect("short");
    [&[first, length, 0, 0, 0, 0], payload].concat()
}

#[tokio::test]
async fn a_websocket_ends_with_the_alert_on_either_side() {
    const CLOSE: u8 = 0x88;
    const TEXT: u8 = 0x81;
    const BINARY: u8 = 0x82;
    let files = Files::self_signed();
    let app = files.server(&["--drain", "1s"]).await;
    let (ws, engine) = (
        "/api/v1/events/welcome/ws",
        "/socket.io/?EIO=4&transport=websocket",
    );
    let request = |path: &str| {
        format!(
            "GET {path} HTTP/1.1\r\nhost: test\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n"
        )
    };
    for (path, said) in [
        (ws, frame(CLOSE, b"")),
        (ws, frame(CLOSE, b"\x03\xe8")),
        (ws, frame(TEXT, b"[\"ping\",1]")),
        (ws, frame(BINARY, b"x")),
        // Not masked.
        (ws, b"\x81\x01x".to_vec()),
        (engine, frame(CLOSE, b"")),
        (engine, frame(TEXT, b"1")),
        (engine, frame(TEXT, b"nonsense")),
        (engine, frame(BINARY, b"x")),
    ] {
        let said = [request(path).as_bytes(), &said].concat();
        let read = ends_well(app.address(), &files.certificate(), b"http/1.1", &said).await;
        assert!(
            read.starts_with(b"HTTP/1.1 101 "),
            "{}",
            read.escape_ascii()
        );
    }
    // The drain ends the rest: a WebSocket, a stream, a connection between two requests.
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n");
    let mut open = Vec::new();
    for said in [
        request(ws),
        request(engine),
        get("/api/v1/events/welcome/stream"),
        get("/health/live"),
    ] {
        let mut stream = tls::stream(app.address(), &files.certificate(), b"http/1.1").await;
        stream.write_all(said.as_bytes()).await.unwrap();
        // It is open when the first bytes are here.
        stream.read_u8().await.unwrap();
        open.push((said, stream));
    }
    let stopping = tokio::spawn(app.stop());
    for (said, mut stream) in open {
        let end = rest(&mut stream).await;
        assert!(end.is_ok(), "{said}: {end:?}");
    }
    stopping.await.unwrap();
}
