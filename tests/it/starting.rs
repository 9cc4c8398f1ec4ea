//! The start of the real binary: its options, its address, its file.

use std::process::Command;

use super::support::app::{call, register};
use super::support::port::free_address;
use super::support::process::Process;
use super::support::sqlite::File;
use super::support::wire::Wire;
use crate::server::host::TIMEOUT;

#[test]
fn mistakes_are_reported_at_once_and_nothing_starts() {
    let output = Command::new(env!("CARGO_BIN_EXE_headcount"))
        .args([
            "--listen",
            "nowhere",
            "--heartbeat",
            "never",
            "--database-url",
            "oracle://",
        ])
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    for flag in ["--listen", "--heartbeat", "--database-url"] {
        assert!(stderr.contains(flag), "{flag} in {stderr}");
    }
}

/// What people write into a switch's variable, and a log that goes into a file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_switch_is_a_variable_too_and_a_file_gets_no_colours() {
    for (said, welcomes) in [("1", false), ("true", false), ("0", true), ("", true)] {
        let (file, log) = (File::new(), tempfile::NamedTempFile::new().expect("a file"));
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "exec \"$0\" \"$@\" 2>\"$LOG\"",
            env!("CARGO_BIN_EXE_headcount"),
        ]);
        command
            .env("HEADCOUNT_NO_WELCOME_EVENT", said)
            .env("LOG", log.path());
        let server = Process::spawn(command, &file.text(), &["--admin-password", "short"]);
        let events = call(server.address, "GET", "/api/v1/events", &[], "")
            .await
            .json();
        assert_eq!(
            events["events"].as_array().expect("a list").len(),
            usize::from(welcomes),
            "{said:?}"
        );
        let logged = std::fs::read_to_string(log.path()).expect("a log");
        assert!(
            logged.contains("WARN --admin-password is easy to guess") && !logged.contains('\u{1b}'),
            "{logged:?}"
        );
    }
}

/// Port 0 lets the system choose; the line says what it chose.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_listener_is_printed_with_the_port_that_it_has() {
    let file = File::new();
    let flags = [
        "--metrics-listen",
        "127.0.0.1:0",
        "--webtransport-listen",
        "127.0.0.1:0",
    ];
    let server = Process::start(&file.text(), &flags);
    let printed = |label: &str| {
        let line = server.lines.iter().find(|line| line.starts_with(label));
        let (_, rest) = line.expect("a line").split_once("://").expect("an address");
        let address = rest.split(['/', ' ']).next().unwrap_or_default();
        address
            .parse::<std::net::SocketAddr>()
            .expect("an address and port")
    };
    for label in ["Headcount", "Metrics", "WebTransport"] {
        assert_ne!(printed(label).port(), 0, "{label}");
    }
    let metrics = call(printed("Metrics"), "GET", "/metrics", &[], "").await;
    assert!(metrics.body.contains("headcount_"), "{}", metrics.body);
}

#[test]
fn an_address_in_use_is_reported_plainly() {
    let file = File::new();
    let first = Process::start(&file.text(), &[]);
    let output = Command::new(env!("CARGO_BIN_EXE_headcount"))
        .args([
            "--listen",
            &first.address.to_string(),
            "--database-url",
            &file.text(),
        ])
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains(&first.address.to_string()),
        "{output:?}"
    );
}

/// The database holds names and addresses: other accounts on the machine must not read them.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_sqlite_file_is_its_owners_alone() {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    let file = File::new();
    let rights = |ending: &str| {
        fs::metadata(format!("{}{ending}", file.path().display()))
            .expect("a file")
            .permissions()
            .mode()
            & 0o777
    };
    // With the mask that lets everybody read, and with a commit, so that the log beside the file
    // has its pages too.
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "umask 000; exec \"$0\" \"$@\"",
        env!("CARGO_BIN_EXE_headcount"),
    ]);
    let server = Process::spawn(command, &file.text(), &[]);
    assert_eq!(
        register(server.address, "welcome", "Ada", "ada@example.org")
            .await
            .status,
        201
    );
    for ending in ["", "-wal", "-shm"] {
        assert_eq!(rights(ending), 0o600, "{ending:?}");
    }
    drop(server);

    // An existing file keeps its mode.
    fs::set_permissions(file.path(), Permissions::from_mode(0o640)).expect("it is ours");
    let _server = Process::start(&file.text(), &[]);
    assert_eq!(rights(""), 0o640);
}

/// systemd binds the port and starts the program when somebody comes (`sd_listen_fds(3)`).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_systemd_has_bound_is_used() {
    let (file, address) = (File::new(), free_address());
    let mut command = Command::new("systemd-socket-activate");
    command.args([
        &format!("--listen={address}"),
        env!("CARGO_BIN_EXE_headcount"),
        "serve",
    ]);
    // The first visitor waits in the backlog while the program starts.
    let visitor = std::thread::spawn(move || {
        let begun = std::time::Instant::now();
        loop {
            match std::net::TcpStream::connect(address) {
                Ok(stream) => break stream,
                Err(error) => assert!(begun.elapsed() < TIMEOUT, "{error}"),
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    });
    let server = Process::spawn(command, &file.text(), &[]);
    assert_eq!(server.address, address, "not the port of --listen");
    let stream = visitor.join().expect("a connection");
    stream.set_nonblocking(true).expect("a socket");
    let mut wire = Wire::new(tokio::net::TcpStream::from_std(stream).expect("a socket"));
    wire.get("/health/ready").await;
    assert!(wire.head().await.starts_with("http/1.1 200"));
}
