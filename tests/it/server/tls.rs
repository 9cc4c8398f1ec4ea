//! TLS and HTTP/2: the same answers.

use std::net::SocketAddr;
use std::sync::{Arc, Once};

use futures_util::StreamExt;
use headcount::server::{Config, Tls};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, HandshakeKind, RootCertStore};

use super::host::{Host, config};
use super::wire::{Ending, Wire};

/// A server's certificate with its key, and what a client needs to trust it.
pub(crate) fn certificate() -> (Tls, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])
        .unwrap();
    let tls = Tls::from_pem(
        made.cert.pem().as_bytes(),
        made.signing_key.serialize_pem().as_bytes(),
    )
    .unwrap();
    (tls, made.cert.der().clone())
}

fn start() -> (Host, CertificateDer<'static>) {
    let (tls, certificate) = certificate();
    (
        Host::start(Config {
            tls: Some(tls),
            ..config()
        }),
        certificate,
    )
}

/// A connection that has finished its handshake with `localhost`.
pub(crate) async fn stream(
    addr: SocketAddr,
    certificate: &CertificateDer<'static>,
    alpn: &[u8],
) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(addr).await.unwrap();
    over(stream, certificate, alpn).await
}

/// The same over a connection that exists.
pub(crate) async fn over(
    stream: TcpStream,
    certificate: &CertificateDer<'static>,
    alpn: &[u8],
) -> TlsStream<TcpStream> {
    try_over(stream, certificate, alpn).await.unwrap()
}

/// The same, or why the handshake fails.
pub(crate) async fn try_over(
    stream: TcpStream,
    certificate: &CertificateDer<'static>,
    alpn: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    TlsConnector::from(Arc::new(trusting(certificate, alpn)))
        .connect(ServerName::try_from("localhost").unwrap(), stream)
        .await
}

/// A client that trusts this certificate only.
pub(crate) fn trusting(certificate: &CertificateDer<'static>, alpn: &[u8]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![alpn.to_vec()];
    client
}

async fn connect(
    host: &Host,
    certificate: &CertificateDer<'static>,
    alpn: &[u8],
) -> (Wire, Option<Vec<u8>>) {
    let stream = stream(host.addr, certificate, alpn).await;
    let chosen = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
    (Wire::new(stream), chosen)
}

/// HTTP/2 is too much for raw bytes, so a client library speaks it.
pub(crate) fn client() -> reqwest::ClientBuilder {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Another test may have been first.
        let _ = ring::default_provider().install_default();
    });
    reqwest::Client::builder().no_proxy()
}

#[tokio::test]
async fn http_1_over_tls_streams_the_same_bytes() {
    let (host, certificate) = start();
    let (mut wire, alpn) = connect(&host, &certificate, b"http/1.1").await;
    assert_eq!(alpn.as_deref(), Some(&b"http/1.1"[..]));
    wire.send("GET /who HTTP/1.1\r\nHost: test\r\n\r\n").await;
    assert_eq!(wire.answer().await.1, "127.0.0.1 true");
    wire.get("/stream").await;
    let head = wire.head().await;
    assert!(
        head.contains("transfer-encoding: chunked") && head.contains("connection: close"),
        "{head}"
    );
    assert_eq!(wire.chunk().await.unwrap(), "first");
    for update in 0..50 {
        host.feed.publish(format!("update {update}"));
        assert_eq!(wire.chunk().await.unwrap(), format!("update {update}"));
    }
    host.feed.end();
    assert_eq!(wire.chunk().await, None);
    assert_eq!(wire.rest().await, (vec![], Ending::Closed));
    assert_eq!(host.finish().await.cut, 0);
}

/// TLS has buffers of its own between the server and the kernel.
#[tokio::test]
async fn a_reader_that_stalls_over_tls_gets_the_newest() {
    const UPDATES: usize = 2_000;
    let (host, certificate) = start();
    let (mut wire, _) = connect(&host, &certificate, b"http/1.1").await;
    wire.get("/stream").await;
    wire.head().await;
    wire.chunk().await;
    for update in 1..=UPDATES {
        host.feed
            .publish(format!("{update:04}{}", "x".repeat(4_000)));
        tokio::task::yield_now().await;
    }
    let (mut frames, mut last) = (0, 0);
    while last < UPDATES {
        let frame = wire.chunk().await.unwrap();
        let update = frame[..4].parse().unwrap();
        assert!(update > last, "{update} came after {last}");
        (frames, last) = (frames + 1, update);
    }
    assert!(
        frames < 400,
        "{frames} stale frames stood before the newest"
    );
    host.finish().await;
}

/// RFC 8737: only a client that asks for nothing else gets the answer to an authority's check.
#[tokio::test]
async fn an_authority_that_checks_a_name_gets_the_answer_for_that_name() {
    let (tls, certificate) = certificate();
    let host = Host::start(Config {
        tls: Some(tls.clone()),
        ..config()
    });
    let answer = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (text, key) = (answer.cert.pem(), answer.signing_key.serialize_pem());
    let check = async |trusted: &CertificateDer<'static>, alpn: &[u8]| {
        let stream = TcpStream::connect(host.addr).await.unwrap();
        try_over(stream, trusted, alpn).await.map(drop)
    };
    let checked = answer.cert.der();
    assert!(
        check(checked, b"acme-tls/1").await.is_err(),
        "not asked for"
    );
    tls.answer("localhost".to_owned(), text.as_bytes(), key.as_bytes())
        .unwrap();
    check(checked, b"acme-tls/1").await.unwrap();
    check(&certificate, b"http/1.1").await.unwrap();
    tls.forget();
    assert!(check(checked, b"acme-tls/1").await.is_err(), "over");
    host.finish().await;
}

/// Everybody reconnects at once after a cut: no client costs a second signature.
#[tokio::test]
async fn a_client_that_returns_resumes_its_session_also_after_a_renewal() {
    let (tls, trusted) = certificate();
    let host = Host::start(Config {
        tls: Some(tls.clone()),
        ..config()
    });
    let client = Arc::new(trusting(&trusted, b"http/1.1"));
    let mut kinds = Vec::new();
    for round in 0..3 {
        let stream = TcpStream::connect(host.addr).await.unwrap();
        let stream = TlsConnector::from(client.clone())
            .connect(ServerName::try_from("localhost").unwrap(), stream)
            .await
            .unwrap();
        kinds.push(stream.get_ref().1.handshake_kind());
        let mut wire = Wire::new(stream);
        // The tickets come with the first answer.
        wire.send("GET /who HTTP/1.1\r\nHost: test\r\n\r\n").await;
        assert_eq!(wire.answer().await.1, "127.0.0.1 true");
        if round == 1 {
            tls.replace(&certificate().0);
        }
    }
    let resumed = Some(HandshakeKind::Resumed);
    assert_eq!(kinds, [Some(HandshakeKind::Full), resumed, resumed]);
    host.finish().await;
}

#[tokio::test]
async fn alpn_offers_http_2() {
    let (host, certificate) = start();
    let (mut wire, alpn) = connect(&host, &certificate, b"h2").await;
    assert_eq!(alpn.as_deref(), Some(&b"h2"[..]));
    wire.send(super::deadlines::PREFACE).await;
    // The server's preface is a SETTINGS frame (RFC 9113, section 3.4).
    assert_eq!(wire.exactly(9).await[3..5], [0x04, 0x00]);
    drop(wire);
    host.finish().await;
}

#[tokio::test]
async fn http_2_streams_many_at_once() {
    let (host, certificate) = start();
    let certificate = reqwest::Certificate::from_der(&certificate).unwrap();
    let client = client().tls_certs_only([certificate]).build().unwrap();
    let url = |path: &str| format!("https://localhost:{}{path}", host.addr.port());
    let answer = client.get(url("/who")).send().await.unwrap();
    assert_eq!(answer.version(), http::Version::HTTP_2);
    assert_eq!(answer.text().await.unwrap(), "127.0.0.1 true");
    many_streams(&host, &client, &url("/stream")).await;
    assert_eq!(host.finish().await.cut, 0);
}

#[tokio::test]
async fn http_2_by_prior_knowledge_without_tls() {
    let host = Host::start(config());
    let client = client().http2_prior_knowledge().build().unwrap();
    let url = |path: &str| format!("http://{}{path}", host.addr);
    let answer = client.get(url("/hello")).send().await.unwrap();
    assert_eq!(
        (answer.version(), answer.text().await.unwrap().as_str()),
        (http::Version::HTTP_2, "hello")
    );
    let head = client.head(url("/stream")).send().await.unwrap();
    assert_eq!(head.status(), 200);
    host.watched_by(0).await;
    many_streams(&host, &client, &url("/stream")).await;
    assert_eq!(host.finish().await.cut, 0);
}

async fn many_streams(host: &Host, client: &reqwest::Client, url: &str) {
    let mut streams = Vec::new();
    for _ in 0..20 {
        let answer = client.get(url).send().await.unwrap();
        assert_eq!(answer.version(), http::Version::HTTP_2);
        assert!(answer.headers().get("connection").is_none());
        streams.push(answer.bytes_stream());
    }
    for stream in &mut streams {
        assert_eq!(stream.next().await.unwrap().unwrap(), "first");
    }
    host.feed.publish("second");
    for stream in &mut streams {
        assert_eq!(stream.next().await.unwrap().unwrap(), "second");
    }
    // One stream ends; the others stay open.
    streams.pop();
    host.watched_by(19).await;
    host.feed.end();
    for stream in &mut streams {
        // The end itself may be an empty DATA frame.
        while let Some(end) = stream.next().await {
            assert_eq!(end.unwrap(), "");
        }
    }
}
