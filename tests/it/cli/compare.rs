//! `headcount compare`.

use std::process::Command;
use std::time::Duration;

use headcount::domain::clock::Clock;
use serde_json::Value;

use super::run::Run;
use crate::support::app::{self, App, Database, TOKEN};
use crate::support::proxy::Proxy;
use crate::support::sqlite::File;

const LIGHT: [&str; 10] = [
    "--watchers",
    "3",
    "--duration",
    "2s",
    "--rate",
    "20",
    "--poll-intervals",
    "200ms,600ms",
    "--admin-token",
    TOKEN,
];

async fn events(app: &App) -> Vec<Value> {
    app.get("/api/v1/events").await.json()["events"]
        .as_array()
        .expect("a list")
        .clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_transport_ends_on_the_newest_count() {
    let flags = ["--webtransport-listen", "127.0.0.1:0"];
    let app = App::start(Database::Sqlite, &flags, Clock::System).await;
    let before = events(&app).await.len();
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("report.html");
    let url = format!("http://{}", app.address());
    let args = [
        &[
            "compare",
            &url,
            "--together",
            "--json",
            "--report",
            report.to_str().expect("text"),
        ],
        &LIGHT[..],
    ]
    .concat();
    let (code, out, stderr) = Run::headcount(&args).end().await;
    assert_eq!(code, Some(0), "{stderr}");
    let outcome: Value = serde_json::from_str(&out).expect("JSON");
    let rows = outcome["rows"].as_array().expect("rows");
    let names: Vec<_> = rows
        .iter()
        .map(|row| row["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(
        names,
        [
            "Server-sent events",
            "NDJSON",
            "WebSocket",
            "WebTransport",
            "Socket.IO",
            "iframe streaming",
            "Long poll",
            "Poll every 200ms",
            "Poll every 600ms"
        ]
    );
    for row in rows {
        assert_eq!(row["lost"], 0, "{row}");
        let number = |name: &str| {
            row[name]
                .as_f64()
                .unwrap_or_else(|| panic!("{name} in {row}"))
        };
        // On a slow machine many are committed together, as one change.
        assert!(number("changes") > 1.0 && number("updates") > 0.0, "{row}");
        assert!(
            number("received_bytes_per_update") > 150.0,
            "a count has as many bytes: {row}"
        );
        // Each change is either shown or skipped by each watcher.
        assert!(
            (number("updates") + number("skipped") - number("changes") * number("watchers")).abs()
                < 0.5,
            "{row}"
        );
    }
    // However slow the machine, a poll cannot know sooner than it asks.
    let age = |row: usize| rows[row]["mean_age_ms"].as_f64().expect("an age");
    assert!(age(8) > age(7) && age(8) > 150.0, "{rows:?}");
    assert!(
        rows[6]["requests_per_update"].as_f64().expect("a number") > 0.5,
        "a long poll asks for each"
    );
    assert_eq!(events(&app).await.len(), before, "the lab event is gone");
    balanced(&report);
}

/// A free address for a server that is restarted: below the ports that the system hands out, so that
/// nothing else takes it meanwhile.
fn lasting_udp_address() -> String {
    let start = 10_000 + std::process::id() % 10_000;
    let mut addresses = (start..32_000).map(|port| format!("127.0.0.1:{port}"));
    let free = addresses.find(|address| std::net::UdpSocket::bind(address).is_ok());
    free.expect("a free port")
}

/// `cargo bench --bench networks -- breaks` does the same with loss, a longer cut, and clients that
/// share no code with this crate.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_over_a_cut_and_a_restart() {
    let file = File::new();
    let udp = lasting_udp_address();
    let flags = ["--webtransport-listen", &udp, "--drain", "1s"];
    let running = App::on(&file.text(), &flags, Clock::System).await;
    let proxy = Proxy::start(running.address).await;
    let url = format!("http://{}", proxy.address);
    let compare = Run::headcount(&[
        "compare",
        &url,
        "--together",
        "--json",
        "--watchers",
        "3",
        "--duration",
        "5s",
        "--rate",
        "20",
        "--poll-intervals",
        "200ms,600ms",
        "--admin-token",
        TOKEN,
    ]);
    let registered = async |least: u64| {
        loop {
            let events = app::try_call(proxy.address, "GET", "/api/v1/events").await;
            let events = events.map(|events| events.json()).unwrap_or_default();
            let newest = events["events"].as_array().and_then(|events| events.last());
            let is_lab = newest.is_some_and(|event| event["event"] != "welcome");
            if is_lab && newest.and_then(|event| event["registered"].as_u64()) >= Some(least) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    registered(10).await;
    proxy.cut();
    registered(40).await;
    running.stop().await;
    let running = App::on(&file.text(), &flags, Clock::System).await;
    proxy.lead_to(running.address);
    let (code, out, stderr) = compare.end().await;
    assert_eq!(code, Some(0), "{stderr}");
    let outcome: Value = serde_json::from_str(&out).expect("JSON");
    let rows = outcome["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 9);
    for row in rows {
        assert_eq!(row["lost"], 0, "{row}");
        // Polls come back with their next question.
        let polls = row["name"]
            .as_str()
            .is_some_and(|name| name.contains("Poll") || name.contains("poll"));
        let reconnects = row["reconnects"].as_u64().expect("a number");
        assert!(polls || reconnects >= 3, "{row}");
    }
    running.stop().await;
}

/// Opens and closes every element in order, and needs nothing from elsewhere.
fn balanced(report: &std::path::Path) {
    let script = "
import sys
from html.parser import HTMLParser
class Check(HTMLParser):
    stack = []
    def handle_starttag(self, tag, attrs):
        assert not {name for name, _ in attrs} & {'src', 'href'}, (tag, attrs)
        if tag not in ('meta',): self.stack.append(tag)
    def handle_startendtag(self, tag, attrs): pass
    def handle_endtag(self, tag): assert self.stack.pop() == tag, (tag, self.stack)
check = Check()
check.feed(open(sys.argv[1], encoding='utf-8').read())
assert not check.stack, check.stack
";
    let checked = Command::new("python3")
        .args(["-c", script])
        .arg(report)
        .output()
        .expect("python3 runs");
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_existing_event_is_used_only_with_a_confirmation() {
    let app = App::sqlite().await;
    app.event("gala", 1_000).await;
    let url = format!("http://{}", app.address());
    let (code, _, stderr) = Run::headcount(&["compare", &url, "--event", "gala"])
        .end()
        .await;
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("--yes-register-people"), "{stderr}");
    let named = [
        "compare",
        &url,
        "--event",
        "gala",
        "--yes-register-people",
        "--watchers",
        "2",
        "--duration",
        "1s",
        "--transports",
        "sse,ws",
    ];
    let (code, out, stderr) = Run::headcount(&named).end().await;
    assert_eq!(code, Some(0), "{stderr}");
    assert!(
        out.starts_with("                    watchers  updates")
            && out.contains("nothing was lost"),
        "{out}"
    );
    assert!(
        app.get("/api/v1/events/gala").await.json()["registered"]
            .as_u64()
            .expect("a number")
            > 20
    );

    let (code, _, stderr) = Run::headcount(&["compare", &url]).end().await;
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains("--admin-token or HEADCOUNT_ADMIN_TOKEN"),
        "{stderr}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_run_leaves_nothing_behind() {
    let app = App::sqlite().await;
    let before = events(&app).await.len();
    let compare = Run::headcount(
        &[
            &["compare", &format!("http://{}", app.address())],
            &LIGHT[..],
        ]
        .concat(),
    );
    while events(&app).await.len() == before {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    compare.signal("INT");
    let (code, _, stderr) = compare.end().await;
    assert_eq!(code, Some(1));
    assert!(stderr.contains("interrupted"), "{stderr}");
    assert_eq!(events(&app).await.len(), before);
}
