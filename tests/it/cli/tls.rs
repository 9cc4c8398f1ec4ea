//! The clients against a TLS server with a self-signed certificate.

use headcount::domain::clock::Clock;
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

use super::proxy::Proxy;
use super::run::Run;
use crate::server::tls::client;
use crate::support::app::{App, Database, TOKEN};

/// A self-signed certificate for 127.0.0.1, and its key.
pub(crate) struct Files {
    _folder: TempDir,
    cert: String,
    key: String,
}

impl Files {
    pub(crate) fn self_signed() -> Self {
        let made =
            rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])
                .expect("a certificate");
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("a file");
            path.to_str().expect("text").to_owned()
        };
        let (cert, key) = (
            write("cert.pem", made.cert.pem()),
            write("key.pem", made.signing_key.serialize_pem()),
        );
        Self {
            _folder: folder,
            cert,
            key,
        }
    }

    /// The flags of a server with it.
    pub(crate) fn flags(&self) -> [&str; 4] {
        ["--tls-cert", &self.cert, "--tls-key", &self.key]
    }

    pub(super) fn cert(&self) -> &str {
        &self.cert
    }

    /// The same for a client that asks for it.
    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(&self.cert).expect("a certificate")
    }

    /// A server with it.
    pub(crate) async fn server(&self, flags: &[&str]) -> App {
        let flags = [&["--tls-cert", &self.cert, "--tls-key", &self.key], flags].concat();
        App::start(Database::Sqlite, &flags, Clock::System).await
    }
}

/// A call of the API with the organiser's token.
async fn post(http: &Client, app: &App, path: &str, body: &Value) {
    let url = format!("https://{}/api/v1/events{path}", app.address());
    let sent = http
        .post(url)
        .bearer_auth(TOKEN)
        .json(body)
        .send()
        .await
        .expect("an answer");
    assert_eq!(sent.status(), 201, "{path}");
}

async fn register(http: &Client, app: &App, name: &str) {
    post(
        http,
        app,
        "/gala/registrations",
        &json!({ "name": name, "email": format!("{name}@example.org") }),
    )
    .await;
}

/// The present state, a change, and a cut in which something happens.
async fn story(transport: &str) {
    let files = Files::self_signed();
    let app = files.server(&[]).await;
    let http = client()
        .danger_accept_invalid_certs(true)
        .build()
        .expect("a client");
    post(
        &http,
        &app,
        "",
        &json!({ "slug": "gala", "title": "Gala", "capacity": 100 }),
    )
    .await;
    let proxy = Proxy::to(app.address()).await;
    let url = format!("https://{}/e/gala", proxy.address);
    let mut watch = Run::headcount(&[
        "watch",
        &url,
        "--json",
        "--insecure",
        "--transport",
        transport,
        "--interval",
        "100ms",
    ]);
    assert_eq!(watch.json().await["registered"], 0);
    register(&http, &app, "ada").await;
    assert_eq!(watch.json().await["registered"], 1);

    proxy.cut();
    register(&http, &app, "bob").await;
    assert_eq!(watch.json().await["registered"], 2);
    watch.signal("INT");
    let (code, left, _) = watch.end().await;
    assert_eq!(
        (code, left.as_str()),
        (Some(0), ""),
        "nothing is shown twice"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watch_follows_by_every_transport() {
    for transport in [
        "sse",
        "ndjson",
        "ws",
        "long-poll",
        "poll",
        "socketio",
        "frame",
    ] {
        story(transport).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_the_system_trusts_is_accepted() {
    let files = Files::self_signed();
    let app = files.server(&[]).await;
    let url = format!("https://{}/e/welcome", app.address());
    for transport in ["sse", "ws"] {
        let watch = ["watch", &url, "--json", "--transport", transport];
        let (code, _, stderr) = Run::headcount(&watch).end().await;
        assert_eq!(code, Some(1));
        assert!(
            stderr.contains("TLS with 127.0.0.1 failed") && stderr.contains("certificate"),
            "{stderr}"
        );

        // OpenSSL's variable: every program that reads the system's authorities uses it.
        let authorities = format!("SSL_CERT_FILE={}", files.cert());
        let trusting = [
            &[authorities.as_str(), env!("CARGO_BIN_EXE_headcount")],
            &watch[..],
        ]
        .concat();
        let mut watch = Run::start("env", &trusting);
        assert_eq!(watch.json().await["registered"], 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compare_measures_every_transport() {
    let files = Files::self_signed();
    let app = files.server(&[]).await;
    let url = format!("https://{}", app.address());
    let light = [
        "--watchers",
        "2",
        "--duration",
        "1s",
        "--poll-intervals",
        "200ms",
        "--together",
        "--json",
        "--admin-token",
        TOKEN,
    ];
    let (code, _, stderr) = Run::headcount(&[&["compare", &url], &light[..]].concat())
        .end()
        .await;
    assert_eq!(code, Some(1));
    assert!(stderr.to_lowercase().contains("certificate"), "{stderr}");

    let (code, out, stderr) =
        Run::headcount(&[&["compare", &url, "--insecure"], &light[..]].concat())
            .end()
            .await;
    assert_eq!(code, Some(0), "{stderr}");
    let outcome: Value = serde_json::from_str(&out).expect("JSON");
    let rows = outcome["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 7);
    for row in rows {
        assert!(
            row["lost"] == 0 && row["updates"].as_f64().expect("a number") > 0.0,
            "{row}"
        );
    }
}
