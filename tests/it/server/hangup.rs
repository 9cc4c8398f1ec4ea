//! SIGHUP: from a terminal that is closed, and from somebody who has renewed the certificate.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

use super::host::TIMEOUT;
use super::tls;
use super::wire::Wire;
use crate::support::port::free_address;
use crate::support::process::Process;
use crate::support::sqlite::File;
use crate::support::sse::Stream;

/// Asks again until it holds.
async fn wait_until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < TIMEOUT, "{what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// A terminal that is closed must not cut visitors off. `script` gives the server a terminal, which
/// is closed when `script` ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_that_is_closed_drains_the_server() {
    let (file, address) = (File::new(), free_address());
    let server = format!(
        "exec {} --listen {address} --drain 1s --database-url {}",
        env!("CARGO_BIN_EXE_headcount"),
        file.text()
    );
    let mut terminal = Command::new("script")
        .args(["--quiet", "--command", &server, "/dev/null"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("script runs");
    wait_until("it listens", || async {
        TcpStream::connect(address).await.is_ok()
    })
    .await;
    let path = "/api/v1/events/welcome/stream";
    let mut stream = Stream::open_at(address, path, "").await;
    stream.next("count").await;
    terminal.kill().expect("the terminal is closed");
    terminal.wait().expect("the terminal is closed");
    assert_eq!(stream.next("bye").await.json()["reason"], "drain");
    assert!(stream.block().await.is_none(), "a clean end follows");
    wait_until("it ends", || async {
        TcpStream::connect(address).await.is_err()
    })
    .await;
}

/// Puts a new certificate for localhost into the files.
fn renew(folder: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).expect("a file");
    write("cert.pem", made.cert.pem());
    write("key.pem", made.signing_key.serialize_pem());
    CertificateDer::from_pem_slice(made.cert.pem().as_bytes()).expect("a certificate")
}

async fn serves(address: SocketAddr, certificate: &CertificateDer<'static>) -> bool {
    let socket = TcpStream::connect(address).await.expect("a connection");
    let stream = tls::try_over(socket, certificate, b"http/1.1").await;
    stream.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_certificate_and_the_log_filter_are_read_again() {
    let (file, folder) = (File::new(), tempfile::tempdir().unwrap());
    let path = |name: &str| folder.path().join(name);
    let configure = |level: &str| {
        let text = format!(
            "log = \"{level}\"\ntls-cert = \"{}\"\ntls-key = \"{}\"\n",
            path("cert.pem").display(),
            path("key.pem").display()
        );
        std::fs::write(path("headcount.toml"), text).unwrap();
    };
    let first = renew(folder.path());
    configure("error");
    let log = std::fs::File::create(path("log")).unwrap();
    let flags = ["--config", path("headcount.toml").to_str().unwrap()].map(str::to_owned);
    let flags = flags.each_ref().map(String::as_str);
    let command = Command::new(env!("CARGO_BIN_EXE_headcount"));
    let process = Process::spawn_logging(command, &file.text(), &flags, log.into());
    let logged = || std::fs::read_to_string(path("log")).unwrap();
    let mut open = Wire::new(tls::stream(process.address, &first, b"http/1.1").await);
    assert_eq!(logged(), "", "only errors");

    let second = renew(folder.path());
    configure("info");
    process.signal("HUP");
    wait_until("the new certificate", || serves(process.address, &second)).await;
    assert!(!serves(process.address, &first).await);
    wait_until("the new filter", || async {
        logged().contains("read the certificate")
    })
    .await;
    open.get("/health/ready").await;
    assert!(
        open.answer().await.0.starts_with("http/1.1 200"),
        "open connections stay"
    );

    std::fs::write(path("key.pem"), "no key").unwrap();
    process.signal("HUP");
    wait_until("what is wrong", || async {
        logged().contains("no private key found")
    })
    .await;
    assert!(
        serves(process.address, &second).await,
        "what was in force stays"
    );
    process.signal("TERM");
    assert_eq!(process.exit_code(), Some(0));
}
