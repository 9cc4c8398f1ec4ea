//! WebTransport over HTTP/3, from outside.

use std::time::Duration;

use headcount::domain::clock::Clock;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConfig as TlsConfig, RootCertStore};
use wtransport::quinn::{self, TransportConfig, VarInt};
use wtransport::tls::Sha256Digest;
use wtransport::{ClientConfig, Connection, Endpoint, RecvStream};

use super::aioquic::Aioquic;
use super::{SOON, gala, join, until};
use crate::support::app::{App, config};
use crate::support::sqlite::File;

const LISTEN: [&str; 2] = ["--webtransport-listen", "127.0.0.1:0"];
pub(super) const WT: &str = "/api/v1/events/gala/wt";

/// A server with WebTransport and one event, and the event's present position.
pub(super) async fn with_webtransport(flags: &[&str]) -> (App, String) {
    gala(&[&LISTEN[..], flags].concat()).await
}

/// What `GET /api/v1/webtransport` says: the port, and the first hash.
pub(super) async fn address(app: &App) -> (u16, String) {
    let published = app.get("/api/v1/webtransport").await;
    assert_eq!(published.status, 200, "{}", published.body);
    let published = published.json();
    let url = url::Url::parse(published["url"].as_str().expect("a URL")).expect("a URL");
    let hash = published["certificate_hashes"][0].as_str().unwrap_or("any");
    (url.port().expect("a port"), hash.to_owned())
}

async fn ask(app: &App, path: &str, modes: &[&str]) -> Aioquic {
    let (port, hash) = address(app).await;
    Aioquic::start(port, path, &hash, modes)
}

/// A session of wtransport's client.
pub(super) struct Session {
    connection: Connection,
    stream: RecvStream,
    text: Vec<u8>,
}

impl Session {
    pub(super) async fn open(app: &App, path: &str) -> Self {
        Self::open_with(app, path, TransportConfig::default()).await
    }

    /// The same with limits of QUIC.
    async fn open_with(app: &App, path: &str, quic: TransportConfig) -> Self {
        let (port, hash) = address(app).await;
        let bytes: Vec<u8> = (0..64)
            .step_by(2)
            .map(|at| u8::from_str_radix(&hash[at..at + 2], 16).expect("hexadecimal"))
            .collect();
        let digest = Sha256Digest::new(bytes.try_into().expect("32 bytes"));
        let mut config = ClientConfig::builder()
            .with_bind_address(([127, 0, 0, 1], 0).into())
            .with_server_certificate_hashes([digest])
            .build();
        config
            .quic_config_mut()
            .transport_config(std::sync::Arc::new(quic));
        let endpoint = Endpoint::client(config).expect("a socket");
        let url = format!("https://127.0.0.1:{port}{path}");
        let connection = timeout(SOON, endpoint.connect(url)).await;
        let connection = connection.expect("in time").expect("a session");
        let stream = timeout(SOON, connection.accept_uni()).await;
        let stream = stream.expect("in time").expect("a stream");
        Self {
            connection,
            stream,
            text: Vec::new(),
        }
    }

    /// Its connection, below HTTP/3.
    pub(super) fn connection(&self) -> &quinn::Connection {
        self.connection.quic_connection()
    }

    /// The next message of a type.
    pub(super) async fn next(&mut self, kind: &str) -> Value {
        let found = async {
            loop {
                while let Some(end) = self.text.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = self.text.drain(..=end).collect();
                    if line.len() > 1 {
                        let message: Value = serde_json::from_slice(&line).expect("JSON");
                        if message["type"] == kind {
                            return message;
                        }
                    }
                }
                let mut piece = [0; 4096];
                let read = self.stream.read(&mut piece).await;
                let read = read.expect("the stream").expect("the stream continues");
                self.text.extend_from_slice(&piece[..read]);
            }
        };
        let found = timeout(SOON, found).await;
        found.unwrap_or_else(|_| panic!("no {kind} in time"))
    }
}

#[tokio::test]
async fn a_stream_has_every_message_and_each_count_is_a_datagram_too() {
    let (app, begin) = with_webtransport(&["--drain", "4s"]).await;
    let mut client = ask(&app, WT, &[]).await;
    assert_eq!(client.next("status").await[1], 200);
    let first = client.message("count").await;
    assert_eq!(first["data"]["position"], begin.as_str());
    let position = join(&app, 1).await;
    // A datagram is the count object itself, as a poll gives it.
    loop {
        let datagram = client.next("datagram").await;
        let count: Value = serde_json::from_str(datagram[1].as_str().unwrap()).unwrap();
        if count["position"] == position.as_str() {
            assert_eq!(datagram[1], app.get("/api/v1/events/gala").await.body);
            break;
        }
    }
    let (port, hash) = address(&app).await;
    let mut resumed = Aioquic::start(port, &format!("{WT}?after={begin}"), &hash, &[]);
    assert_eq!(
        resumed.message("count").await["data"]["position"],
        position.as_str()
    );
    let mut current = Aioquic::start(port, &format!("{WT}?after={position}"), &hash, &[]);
    assert_eq!(
        current.next("line").await[1],
        "",
        "a heartbeat: nothing is new"
    );
    let next = join(&app, 2).await;
    assert_eq!(
        current.message("count").await["data"]["position"],
        next.as_str()
    );

    let presence = app.running.context.hub.channels()[1].presence.clone();
    assert_eq!(presence.open(), 3);
    drop((resumed, client));
    let stopping = tokio::spawn(app.stop());
    let bye = current.message("bye").await;
    assert_eq!(bye["reason"], "drain");
    assert!(
        (1_000..4_000).contains(&bye["retry_ms"].as_u64().unwrap()),
        "{bye}"
    );
    current.next("stream-end").await;
    assert_eq!(current.next("close").await, json!(["close", 1001, "drain"]));
    timeout(SOON * 2, stopping)
        .await
        .expect("the drain ends")
        .unwrap();
}

#[tokio::test]
async fn a_deleted_event_closes_with_1000() {
    let (app, _) = with_webtransport(&[]).await;
    let mut client = ask(&app, WT, &[]).await;
    client.message("count").await;
    let path = "/api/v1/events/gala?confirm=gala";
    let deleted = app.organise("DELETE", path, &Value::Null).await;
    assert_eq!(deleted.status, 204, "{}", deleted.body);
    assert_eq!(client.message("bye").await["reason"], "deleted");
    assert_eq!(
        client.next("close").await,
        json!(["close", 1000, "deleted"])
    );
    app.stop().await;
}

#[tokio::test]
async fn what_is_no_session_gets_the_status_of_every_other_address() {
    let (app, _) = with_webtransport(&[]).await;
    for (path, modes, status, code) in [
        ("/api/v1/events/none/wt", &[][..], 404, "event-not-found"),
        ("/api/v1/events/N%00ne/wt", &[], 404, "event-not-found"),
        ("/api/v1/events/gala/ws", &[], 404, "not-found"),
        ("/", &[], 404, "not-found"),
        (WT, &["method"], 405, "method-not-allowed"),
    ] {
        let answer = ask(&app, path, modes).await.next("status").await;
        assert_eq!(answer[1], status, "{path}");
        let problem: Value = serde_json::from_str(answer[2].as_str().unwrap()).unwrap();
        assert_eq!(problem["code"], code, "{path}");
    }
    app.stop().await;
}

#[tokio::test]
async fn over_the_limit_of_an_address_a_session_says_goodbye_with_1013() {
    let (app, _) = with_webtransport(&["--max-connections-per-ip", "2"]).await;
    let (port, hash) = address(&app).await;
    let start = || Aioquic::start(port, WT, &hash, &[]);
    let mut held = [start(), start()];
    for client in &mut held {
        client.message("count").await;
    }
    let mut third = start();
    let bye = third.message("bye").await;
    assert_eq!(bye["reason"], "limit");
    assert_eq!(third.next("close").await, json!(["close", 1013, "limit"]));
    drop(held);
    app.stop().await;
}

#[tokio::test]
async fn hostile_clients_are_cut_or_ignored_and_others_stay() {
    let (app, _) = with_webtransport(&[]).await;
    let mut steady = ask(&app, WT, &[]).await;
    steady.message("count").await;
    // H3_MISSING_SETTINGS, QPACK_DECOMPRESSION_FAILED.
    for (mode, code) in [("settings", 0x10a), ("garbage", 0x200)] {
        let end = ask(&app, WT, &[mode]).await.next("end").await;
        assert_eq!(end[1], code, "{mode}");
    }
    let long = ask(&app, WT, &["head"]).await.next("status").await;
    assert_eq!(long[1], 431);
    // Streams that nobody asked for are refused; a second session on the connection is, too.
    let mut refused = Vec::new();
    for mode in ["streams", "twice"] {
        let mut client = ask(&app, WT, &[mode]).await;
        client.next("reset").await;
        refused.push(client);
    }
    refused.push(ask(&app, WT, &["datagrams"]).await);
    let position = join(&app, 1).await;
    for client in refused.iter_mut().chain([&mut steady]) {
        while client.message("count").await["data"]["position"] != position.as_str() {}
    }
    app.stop().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_gets_the_newest_and_no_backlog() {
    const CHANGES: usize = 95;
    let (app, _) = with_webtransport(&["--publish-interval", "0ms"]).await;
    let mut quic = TransportConfig::default();
    quic.stream_receive_window(VarInt::from_u32(1024));
    let mut slow = Session::open_with(&app, WT, quic).await;
    let mut last = String::new();
    for n in 1..=CHANGES {
        last = join(&app, n).await;
    }
    let mut shown = 0;
    while slow.next("count").await["data"]["position"] != last.as_str() {
        shown += 1;
    }
    // What the client's own window and the server's few kilobytes hold.
    assert!(shown < CHANGES * 2 / 3, "{shown} of {CHANGES}");
    slow.connection.close(wtransport::VarInt::from_u32(0), b"");
    let presence = app.running.context.hub.channels()[1].presence.clone();
    until(|| presence.open() == 0).await;
    app.stop().await;
}

#[tokio::test]
async fn the_api_and_the_pages_policy_name_exactly_that_origin() {
    let (app, _) = with_webtransport(&[]).await;
    let published = app.get("/api/v1/webtransport").await;
    assert_eq!(published.header("cache-control"), Some("no-store"));
    let published = published.json();
    let url = published["url"].as_str().unwrap();
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");
    assert_eq!(published["certificate_hashes"].as_array().unwrap().len(), 1);
    for path in ["/e/gala/compare", "/e/gala", "/"] {
        let page = app.get(path).await;
        let policy = page.header("content-security-policy").unwrap();
        let wanted = format!("connect-src 'self' {url};");
        assert!(policy.contains(&wanted), "{path}: {policy}");
    }
    app.stop().await;

    let (without, _) = gala(&[]).await;
    let nowhere = without.get("/api/v1/webtransport").await;
    assert_eq!(
        (nowhere.status, nowhere.code().as_str()),
        (404, "not-found")
    );
    let page = without.get("/e/gala/compare").await;
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("connect-src 'self';"), "{policy}");
    without.stop().await;
}

#[tokio::test]
async fn with_the_operators_certificate_no_hash_is_needed() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let certificate = file("cert.pem", made.cert.pem());
    let key = file("key.pem", made.signing_key.serialize_pem());
    let flags = [
        &LISTEN[..],
        &["--tls-cert", &certificate, "--tls-key", &key],
    ]
    .concat();
    let database = File::new();
    let config = config(&database.text(), &flags);
    let tls = config.tls.clone().expect("TLS");
    let listener = headcount::server::bind(config.listen).expect("a free port");
    let running = headcount::app::start(config, listener, Clock::System).await;
    let app = App::of(running.expect("the server starts"));
    let published = app.running.context.settings.webtransport.clone().unwrap();
    assert!(published.hashes().is_empty());
    let connect = async |trusted: &CertificateDer<'static>| {
        let mut roots = RootCertStore::empty();
        roots.add(trusted.clone()).unwrap();
        let provider = tokio_rustls::rustls::crypto::ring::default_provider();
        let mut tls = TlsConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"h3".to_vec()];
        let config = ClientConfig::builder()
            .with_bind_address(([127, 0, 0, 1], 0).into())
            .with_custom_tls(tls)
            .build();
        let url = format!(
            "https://localhost:{}/api/v1/events/welcome/wt",
            published.address().port()
        );
        let endpoint = Endpoint::client(config).unwrap();
        timeout(SOON, endpoint.connect(url)).await.expect("in time")
    };
    let session = connect(made.cert.der())
        .await
        .expect("a trusted certificate");
    let mut stream = session.accept_uni().await.unwrap();
    assert!(stream.read(&mut [0; 16]).await.unwrap().is_some());

    // SIGHUP takes a renewed one: new sessions meet it.
    let renewed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (pem, key) = (renewed.cert.pem(), renewed.signing_key.serialize_pem());
    let newer = headcount::server::Tls::from_pem(pem.as_bytes(), key.as_bytes()).unwrap();
    tls.replace(&newer);
    assert!(connect(made.cert.der()).await.is_err());
    connect(renewed.cert.der())
        .await
        .expect("the renewed certificate");
    app.stop().await;
}

#[tokio::test]
async fn silence_is_filled_with_empty_lines() {
    let (app, _) = with_webtransport(&["--heartbeat", "200ms"]).await;
    let mut client = ask(&app, WT, &[]).await;
    client.message("count").await;
    for _ in 0..2 {
        assert_eq!(client.next("line").await[1], "");
    }
    assert!(headcount::transport::webtransport::KEEP_ALIVE < Duration::from_secs(30));
    app.stop().await;
}
