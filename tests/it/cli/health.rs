//! `headcount health`.

use super::run::Run;
use super::tls::Files;
use crate::support::app::App;

/// The exit code and standard error. On a busy machine an answer may take longer than the command
/// waits.
async fn health(args: &[&str], expected: i32) -> String {
    for _ in 0..10 {
        let (code, _, stderr) = Run::headcount(&[&["health"], args].concat()).end().await;
        if code == Some(expected) {
            return stderr;
        }
        assert!(stderr.contains("timed out"), "{args:?}: {code:?} {stderr}");
    }
    panic!("{args:?}: no answer in time, ten times")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_ready_or_not() {
    let app = App::sqlite().await;
    let address = app.address().to_string();
    let everywhere = address.replace("127.0.0.1", "0.0.0.0");
    for args in [
        &["--listen", &address][..],
        &["--listen", &everywhere],
        &[&format!("http://{address}")],
        &[&format!("http://{address}/e/welcome")],
    ] {
        assert_eq!(health(args, 0).await, "", "{args:?}");
    }
    app.running.context.readiness.drain();
    assert!(
        health(&["--listen", &address], 1)
            .await
            .contains("is not ready: 503")
    );
    app.stop().await;
    assert!(
        health(&["--listen", &address], 1)
            .await
            .contains("Connection refused")
    );
    assert!(
        health(&["welcome"], 2)
            .await
            .contains("begins with http:// or https://")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_a_certificate_is_asked_over_tls() {
    let files = Files::self_signed();
    let app = files.server(&[]).await;
    let (address, url) = (
        app.address().to_string(),
        format!("https://{}", app.address()),
    );
    assert_eq!(
        health(&["--listen", &address, "--tls-cert", files.cert()], 0).await,
        ""
    );
    assert_eq!(health(&[&url, "--insecure"], 0).await, "");
    let stderr = health(&[&url], 1).await;
    assert!(
        stderr.contains("is not ready") && stderr.to_lowercase().contains("certificate"),
        "{stderr}"
    );
    app.stop().await;
}

/// An empty container has no authorities, and plain HTTP needs none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_http_needs_no_authorities() {
    let app = App::sqlite().await;
    app.event("gala", 9).await;
    let url = format!("http://{}/e/gala", app.address());
    let without = ["SSL_CERT_FILE=/dev/null", "SSL_CERT_DIR=/nonexistent"];
    let headcount = |args: &[&str]| {
        let program = env!("CARGO_BIN_EXE_headcount");
        Run::start("env", &[&without[..], &[program], args].concat())
    };
    let (code, _, stderr) = headcount(&["health", &url]).end().await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let mut watch = headcount(&["watch", "--json", &url]);
    assert_eq!(watch.json().await["registered"], 0);
}
