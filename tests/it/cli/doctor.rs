//! `headcount doctor`: set-ups that are broken, each in one way.

use std::path::{Path, PathBuf};
use std::process::Command;

use headcount::domain::clock::Clock;
use headcount::store::{DatabaseUrl, Store};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};

use crate::support::app::App;
use crate::support::port::free_address;
use crate::support::postgres;
use crate::support::sqlite::File;

/// The exit code and the lines of a run. The set-up must work but for what `args` change.
fn doctor(args: &[&str]) -> (Option<i32>, Vec<String>) {
    // Enough for 1,000 connections, whatever this machine allows.
    let limited = "ulimit -n 4000 && exec \"$0\" doctor \"$@\"";
    let mut command = Command::new("sh");
    command
        .args(["-c", limited, env!("CARGO_BIN_EXE_headcount")])
        .args(args);
    if !args.contains(&"--max-connections") {
        command.args(["--max-connections", "1000"]);
    }
    if !args.contains(&"--listen") {
        command.args(["--listen", "127.0.0.1:0"]);
    }
    let done = command.output().expect("the binary runs");
    let stdout = String::from_utf8(done.stdout).expect("text");
    (
        done.status.code(),
        stdout.lines().map(str::to_owned).collect(),
    )
}

/// Only this check fails, and its line has these words.
#[track_caller]
fn assert_named(args: &[&str], name: &str, words: &[&str]) {
    let (code, lines) = doctor(args);
    let faults: Vec<_> = lines
        .iter()
        .filter(|line| line.starts_with("FAIL"))
        .collect();
    assert!(
        code == Some(1)
            && faults.len() == 1
            && faults[0].starts_with(&format!("FAIL  {name}"))
            && words.iter().all(|word| faults[0].contains(word)),
        "{args:?}: {code:?} {lines:#?}"
    );
}

/// A certificate of these names and dates, and its key.
fn certificate(folder: &Path, names: &[&str], years: (i32, i32)) -> [String; 2] {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names");
    params.not_before = date_time_ymd(years.0, 1, 1);
    params.not_after = date_time_ymd(years.1, 1, 1);
    let key = KeyPair::generate().expect("a key");
    let made = params.self_signed(&key).expect("a certificate");
    [("cert", made.pem()), ("key", key.serialize_pem())].map(|(name, text)| {
        let path = folder.join(format!(
            "{name}-{}-{}.pem",
            params.subject_alt_names.len(),
            years.1
        ));
        std::fs::write(&path, text).expect("a file");
        path.to_str().expect("text").to_owned()
    })
}

async fn changed(url: &DatabaseUrl, sql: &str) {
    let statement = AssertSqlSafe(sql.to_owned());
    match url {
        DatabaseUrl::Sqlite(options) => {
            let mut connection = options.connect().await.unwrap();
            connection.execute(statement).await.map(drop)
        }
        DatabaseUrl::Postgres(options) => {
            let mut connection = options.connect().await.unwrap();
            connection.execute(statement).await.map(drop)
        }
    }
    .unwrap();
}

/// A database of this version with an event.
async fn database() -> File {
    let file = File::new();
    App::on(&file.text(), &[], Clock::System).await.stop().await;
    file
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_set_up_passes_and_nothing_is_changed() {
    let file = File::new();
    let (code, lines) = doctor(&["--database-url", &file.text()]);
    assert_eq!(code, Some(0), "{lines:#?}");
    assert!(!file.path().exists());
    let folder = file.path().parent().unwrap().to_owned();
    assert_eq!(
        std::fs::read_dir(&folder).unwrap().count(),
        0,
        "nothing is left"
    );

    let server = postgres::shared().new_database().await;
    let flags = ["--webtransport-listen", "127.0.0.1:0"];
    let app = App::on(&server, &flags, Clock::System).await;
    let address = app.address.to_string();
    let public = format!("http://{address}");
    let published = app.context.settings.webtransport.clone().unwrap();
    let udp = published.address().to_string();
    let args = [
        "--database-url",
        &server,
        "--listen",
        &address,
        "--webtransport-listen",
        &udp,
        "--public-url",
        &public,
    ];
    let (code, lines) = doctor(&args);
    let has = |words: &str| {
        lines
            .iter()
            .any(|line| line.starts_with("ok") && line.contains(words))
    };
    assert!(
        code == Some(0)
            && has("a server answers at")
            && has("the server answers at")
            && has("leads to a server")
            && has("this version's"),
        "{lines:#?}"
    );
    app.stop().await;
    // Every line names one check.
    let checks: Vec<_> = lines.iter().map(|line| line[6..20].trim()).collect();
    for check in [
        "configuration",
        "database",
        "schema",
        "open files",
        "clock",
        "listen",
        "webtransport",
        "public url",
    ] {
        assert!(checks.contains(&check), "{check} in {checks:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_database_is_named_by_its_cause() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let url = |path: PathBuf| format!("sqlite://{}", path.display());
    let missing = url(path("nowhere/headcount.db"));
    let named = |url: &str, name: &str, words: &[&str]| {
        assert_named(&["--database-url", url], name, words);
    };
    named(&missing, "database", &["nowhere does not exist; create it"]);
    named(
        &url(folder.path().to_owned()),
        "database",
        &["is a directory; name a file"],
    );
    std::fs::write(path("letter.db"), [7; 4096]).unwrap();
    named(&url(path("letter.db")), "database", &["not a database"]);
    named(
        "postgres://headcount@127.0.0.1:1/none",
        "database",
        &["refused"],
    );

    let file = database().await;
    let mut bytes = std::fs::read(file.path()).unwrap();
    let middle = bytes.len() / 4096 * 2048 / 4096 * 4096;
    bytes[middle..middle + 2048].fill(0xa5);
    std::fs::write(path("damaged.db"), bytes).unwrap();
    named(
        &url(path("damaged.db")),
        "database",
        &["damaged", "restore a backup"],
    );

    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        SELECT 9999, 'later', success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1";
    let server = postgres::shared().create_database().await;
    Store::open(&server, None).await.unwrap().close().await;
    for url in [file.url(), server.clone()] {
        changed(&url, newer).await;
        named(
            &plain(&url),
            "schema",
            &["newer version", "start that version"],
        );
        changed(&url, "DELETE FROM _sqlx_migrations WHERE version = 9999").await;
    }
    changed(&file.url(), "UPDATE events SET at = 4000000000000").await;
    named(&file.text(), "clock", &["2096", "synchronise"]);

    let name = plain(&server).rsplit('/').next().unwrap().to_owned();
    changed(
        &server,
        &format!("ALTER DATABASE {name} SET synchronous_commit = off"),
    )
    .await;
    named(
        &plain(&server),
        "database",
        &["synchronous_commit is off", "turn it on"],
    );
    changed(&server, "CREATE ROLE guest LOGIN").await;
    let empty = postgres::shared().new_database().await;
    let guest = empty.replace("headcount@", "guest@");
    named(&guest, "database", &["may not create tables", "GRANT"]);
}

/// As `--database-url` takes it; these have no password.
fn plain(url: &DatabaseUrl) -> String {
    url.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_certificate_is_named_by_its_cause() {
    let folder = tempfile::tempdir().unwrap();
    let file = File::new();
    let (database, names) = (file.text(), ["localhost", "127.0.0.1"]);
    let named = |[cert, key]: &[String; 2], public: &str, name: &str, words: &[&str]| {
        let args = [
            "--database-url",
            &database,
            "--tls-cert",
            cert,
            "--tls-key",
            key,
            "--public-url",
            public,
        ];
        assert_named(&args, name, words);
    };
    let good = certificate(folder.path(), &names, (2020, 2090));
    let expired = certificate(folder.path(), &names, (2020, 2021));
    let early = certificate(folder.path(), &names, (2089, 2091));
    let args = [
        "--database-url",
        &database,
        "--tls-cert",
        &good[0],
        "--tls-key",
        &good[1],
        "--public-url",
        "https://localhost",
    ];
    let (code, lines) = doctor(&args);
    let shown = lines
        .iter()
        .find(|line| line.contains("certificate"))
        .unwrap();
    assert!(
        code == Some(0) && shown.contains("localhost, 127.0.0.1") && shown.contains("self-signed"),
        "{lines:#?}"
    );
    named(
        &expired,
        "https://localhost",
        "certificate",
        &["expired at 2021-01-01", "renew"],
    );
    named(
        &early,
        "https://localhost",
        "certificate",
        &["valid only from 2089"],
    );
    let other = certificate(folder.path(), &["events.example.org"], (2020, 2090));
    named(
        &other,
        "https://localhost",
        "certificate",
        &["events.example.org, not for localhost"],
    );
    let mixed = [good[0].clone(), expired[1].clone()];
    named(&mixed, "https://localhost", "certificate", &["key"]);
    let nowhere = [good[0].clone(), "/nowhere/key.pem".to_owned()];
    named(
        &nowhere,
        "https://localhost",
        "certificate",
        &["cannot read /nowhere/key.pem"],
    );
    named(
        &good,
        "http://localhost",
        "public url",
        &["is http, but --tls-cert"],
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_machine_or_address_is_named_by_its_cause() {
    let file = File::new();
    let database = ["--database-url", &file.text()];
    let with = |args: &[&str]| {
        [&database[..], args]
            .concat()
            .iter()
            .map(|arg| (*arg).to_owned())
            .collect::<Vec<_>>()
    };
    let named = |args: &[&str], name: &str, words: &[&str]| {
        let args = with(args);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        assert_named(&args, name, words);
    };
    named(
        &["--max-connections", "5000"],
        "open files",
        &["the limit is 4000", "LimitNOFILE"],
    );
    let taken = std::net::TcpListener::bind(free_address()).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    // It takes connections and answers none.
    named(&["--listen", &address], "listen", &["another program"]);
    named(
        &["--listen", "192.0.2.1:8080"],
        "listen",
        &["not an address of this machine"],
    );
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    named(
        &["--webtransport-listen", &address],
        "webtransport",
        &["UDP", "another program", "--webtransport-listen"],
    );
    named(
        &["--webtransport-listen", "192.0.2.1:8443"],
        "webtransport",
        &["not an address of this machine"],
    );
    named(
        &["--public-url", "http://headcount.invalid"],
        "public url",
        &["cannot be resolved", "DNS"],
    );
    named(
        &["--public-url", "https://localhost"],
        "proxy",
        &["--trusted-proxies"],
    );

    // A proxy that ends TLS, but whose headers nobody trusts or that sends none.
    let app = App::on(&file.text(), &[], Clock::System).await;
    let listen = app.address.to_string();
    let wrong = free_address().to_string();
    let public = format!("http://{wrong}");
    named(
        &["--listen", &listen, "--public-url", &public],
        "public url",
        &["does not answer", "DNS"],
    );
    app.stop().await;
}

#[test]
fn mistaken_options_are_all_named() {
    let (code, lines) = doctor(&[
        "--heartbeat",
        "often",
        "--tls-cert",
        "cert.pem",
        "--drain",
        "1y",
    ]);
    assert_eq!((code, lines.len()), (Some(2), 3), "{lines:?}");
    for flag in ["--heartbeat: ", "--tls-key: it is missing", "--drain: "] {
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with("FAIL") && line.contains(flag)),
            "{lines:?}"
        );
    }
    let (code, _) = doctor(&["--no-such-flag"]);
    assert_eq!(code, Some(2));
}
