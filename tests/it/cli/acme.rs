//! A certificate from a real authority: pebble, Let's Encrypt's own for tests (the Debian package).

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use super::run::{Run, TIMEOUT};
use crate::support::app::TOKEN;
use crate::support::port::free_address;
use crate::support::process::Process;
use crate::support::sqlite::File;

const NAME: &str = "events.example.org";
/// A certificate that must be renewed after four seconds.
const VALID: Duration = Duration::from_secs(6);

/// An authority that checks names at `listen`, and the name server that sends it there.
struct Authority {
    folder: TempDir,
    address: SocketAddr,
    _names: Run,
    _pebble: Run,
}

impl Authority {
    fn start(listen: SocketAddr) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(path("cert.pem"), own.cert.pem()).unwrap();
        std::fs::write(path("key.pem"), own.signing_key.serialize_pem()).unwrap();
        let (address, management, names) = (free_address(), free_address(), free_address());
        let settings = json!({ "pebble": {
            "listenAddress": address.to_string(),
            "managementListenAddress": management.to_string(),
            "certificate": path("cert.pem"),
            "privateKey": path("key.pem"),
            "httpPort": 1,
            "tlsPort": listen.port(),
            "certificateValidityPeriod": VALID.as_secs(),
        }});
        std::fs::write(path("pebble.json"), settings.to_string()).unwrap();
        let named = Run::start(
            "pebble-challtestsrv",
            &[
                "-defaultIPv4=127.0.0.1",
                "-defaultIPv6=",
                "-http01=",
                "-https01=",
                "-tlsalpn01=",
                "-management=",
                &format!("-dns01={names}"),
            ],
        );
        let pebble = Run::start(
            "env",
            &[
                "PEBBLE_VA_NOSLEEP=1",
                "pebble",
                "-config",
                &path("pebble.json"),
                "-dnsserver",
                &names.to_string(),
            ],
        );
        ready(address);
        ready(names);
        Self {
            folder,
            address,
            _names: named,
            _pebble: pebble,
        }
    }
}

/// Waits until a program listens.
fn ready(address: SocketAddr) {
    let begun = Instant::now();
    while std::net::TcpStream::connect(address).is_err() {
        assert!(begun.elapsed() < TIMEOUT, "nothing listens on {address}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn server(listen: SocketAddr, file: &File, authority: SocketAddr, home: &Path) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headcount"));
    command.env("SSL_CERT_FILE", home.join("cert.pem"));
    let directory = format!("https://localhost:{}/dir", authority.port());
    let folder = home.join("acme");
    let flags = [
        "--listen",
        &listen.to_string(),
        "--acme-domains",
        NAME,
        "--acme-contact",
        "admin@example.org",
        "--acme-directory",
        &directory,
        "--acme-folder",
        folder.to_str().expect("text"),
    ];
    Process::spawn(command, &file.text(), &flags)
}

/// Who issued the certificate that the server shows, and its number.
fn shown(listen: SocketAddr) -> String {
    let script = format!(
        "openssl s_client -connect {listen} -servername {NAME} </dev/null 2>/dev/null | \
         openssl x509 -noout -issuer -serial"
    );
    let read = Command::new("sh").args(["-c", &script]).output();
    String::from_utf8(read.expect("openssl runs").stdout).expect("text")
}

fn until(listen: SocketAddr, what: &str, is_met: impl Fn(&str) -> bool) -> String {
    let begun = Instant::now();
    loop {
        let certificate = shown(listen);
        if is_met(&certificate) {
            return certificate;
        }
        assert!(begun.elapsed() < TIMEOUT, "not {what}: {certificate}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn post(listen: SocketAddr, path: &str, body: &str) {
    let sent = Command::new("curl")
        .args(["-skf", "-H", "Content-Type: application/json", "-d", body])
        .args(["-H", &format!("Authorization: Bearer {TOKEN}")])
        .arg(format!("https://{listen}/api/v1/events{path}"))
        .stdout(Stdio::null())
        .status();
    assert!(sent.expect("curl runs").success(), "{path}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_fetched_kept_and_renewed_while_people_watch() {
    let (listen, file) = (free_address(), File::new());
    let authority = Authority::start(listen);
    let home = authority.folder.path();
    let first = server(listen, &file, authority.address, home);
    let fetched = until(listen, "fetched", |shown| shown.contains("Pebble"));

    post(listen, "", r#"{"slug":"gala","title":"Gala","capacity":9}"#);
    let url = format!("https://{listen}/e/gala");
    let mut watch = Run::headcount(&["watch", "--insecure", "--json", &url]);
    assert_eq!(watch.json().await["registered"], 0);
    let renewed = until(listen, "renewed", |shown| {
        shown.contains("Pebble") && shown != fetched
    });
    post(
        listen,
        "/gala/registrations",
        r#"{"name":"Ada","email":"ada@example.org"}"#,
    );
    assert_eq!(watch.json().await["registered"], 1, "the stream went on");

    // A restart shows what is in the folder, also when the authority is away.
    first.signal("TERM");
    assert_eq!(first.exit_code(), Some(0));
    let kept = std::fs::read_to_string(home.join("acme/certificate.pem")).expect("a file");
    assert!(kept.contains("BEGIN CERTIFICATE") && kept.contains("PRIVATE KEY"));
    let away = free_address();
    let second = server(listen, &file, away, home);
    assert!(shown(listen).contains("Pebble"), "after {renewed}");
    drop(second);

    // A damaged file is as good as none.
    std::fs::write(home.join("acme/certificate.pem"), "damaged").expect("a file");
    let third = server(listen, &file, away, home);
    assert!(!shown(listen).contains("Pebble"));
    drop(third);
}
