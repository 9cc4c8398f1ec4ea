//! The image, the Compose file, the script, the dashboard and the alerts match the program.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::app::{Answer, call, register};
use crate::support::port::free_address;
use crate::support::process::Process;
use crate::support::sqlite::File;
use crate::support::sse::Stream;

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every word in `text` that starts with `prefix` and continues with letters, digits and
/// underscores.
fn words(text: &str, start: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins = text
        .match_indices(start)
        .filter(|(at, _)| !text[..*at].ends_with(word));
    begins
        .map(|(at, _)| {
            text[at..]
                .chars()
                .take_while(|c| word(*c))
                .collect::<String>()
        })
        .filter(|found| found.len() > start.len())
        .collect()
}

fn output(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_headcount"))
        .args(args)
        .output()
        .expect("the binary runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn every_variable_in_the_image_and_the_compose_file_exists() {
    let help = words(&output(&["serve", "--help"]), "HEADCOUNT_");
    assert!(help.len() > 15, "{help:?}");
    for path in [
        "docker-compose.yml",
        "Dockerfile",
        "docs/operations.md",
        "deploy/headcount.service",
    ] {
        // The help leaves it out on purpose.
        let named: BTreeSet<String> = words(&read(path), "HEADCOUNT_")
            .into_iter()
            .filter(|name| name != "HEADCOUNT_NO_HANDOFF")
            .collect();
        assert!(!named.is_empty(), "{path}");
        let unknown: Vec<_> = named.difference(&help).collect();
        assert!(
            unknown.is_empty(),
            "{path} names what the program does not know: {unknown:?}"
        );
    }
    let composed = words(&read("docker-compose.yml"), "HEADCOUNT_");
    let script = words(&read("scripts/cluster"), "HEADCOUNT_");
    let missing: Vec<_> = composed.difference(&script).collect();
    assert!(
        missing.is_empty(),
        "scripts/cluster does not set what docker-compose.yml sets: {missing:?}"
    );
    assert!(
        output(&["--help"]).contains("health"),
        "the image's health check is a command of the program"
    );
}

#[test]
fn every_path_in_the_image_and_the_compose_file_exists() {
    let image = read("Dockerfile");
    let copies = image
        .lines()
        .filter_map(|line| line.strip_prefix("COPY "))
        .filter(|line| !line.starts_with("--from"));
    let paths: Vec<&str> = copies
        .flat_map(|line| line.split_whitespace().rev().skip(1))
        .collect();
    for path in &paths {
        assert!(Path::new(path).exists(), "Dockerfile copies {path}");
    }
    // What the build reads beside the sources: a folder that is embedded, migrations, manifests,
    // SQLite's settings, the benches that the manifest lists.
    for needed in [
        "Cargo.toml",
        "Cargo.lock",
        ".cargo",
        "askama.toml",
        "src",
        "web",
        "migrations",
        "benches",
    ] {
        assert!(paths.contains(&needed), "Dockerfile does not copy {needed}");
        assert!(
            !read(".dockerignore")
                .lines()
                .any(|ignored| ignored.trim_end_matches('/') == needed),
            "{needed} is not sent to the build"
        );
    }
    let composition = read("docker-compose.yml");
    let mounted: Vec<&str> = composition
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- ./")?.split(':').next())
        .collect();
    assert_eq!(mounted, ["deploy/Caddyfile"]);
    assert!(Path::new(mounted[0]).exists());
    // The balancer's names are those of the services.
    for service in ["node-a", "node-b"] {
        assert!(
            read(mounted[0]).contains(&format!("{service}:8080"))
                && composition.contains(&format!("\n  {service}:")),
            "{service}"
        );
    }
}

/// The value of a setting of the unit.
fn unit(name: &str) -> String {
    let unit = read("deploy/headcount.service");
    let line = format!("\n{name}=");
    let found = unit
        .split(&line)
        .nth(1)
        .and_then(|rest| rest.lines().next());
    found
        .unwrap_or_else(|| panic!("{name} in the unit"))
        .to_owned()
}

#[test]
fn the_unit_fits_the_defaults_of_the_program() {
    let help = output(&["serve", "--help"]);
    let default = |flag: &str| -> String {
        let (_, rest) = help.split_once(flag).unwrap_or_else(|| panic!("{flag}"));
        let (_, rest) = rest.split_once("[default: ").expect("a default");
        rest.split(']').next().expect("a default").to_owned()
    };
    let seconds = |text: &str| -> u64 {
        text.strip_suffix('s')
            .and_then(|text| text.parse().ok())
            .expect("seconds")
    };
    assert!(seconds(&unit("TimeoutStopSec")) >= 2 * seconds(&default("--drain <")));
    let files: u64 = unit("LimitNOFILE").parse().expect("a number");
    let connections: u64 = default("--max-connections <").parse().expect("a number");
    assert!(files > connections + 1_000);
    assert_eq!(unit("Type"), "notify");
    assert!(seconds(&unit("WatchdogSec")) >= 10);
    let (program, command) = unit("ExecStart")
        .split_once(' ')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .expect("a command");
    assert_eq!(
        (program.as_str(), command.as_str()),
        ("/usr/bin/headcount", "serve")
    );
    let folder = format!("/var/lib/{}", unit("StateDirectory"));
    assert_eq!(unit("WorkingDirectory"), folder);
    assert!(unit("Environment").contains(&format!("sqlite://{folder}/")));
}

/// systemd's own judgement, from 0 (no rights) to 10.
#[test]
fn the_unit_has_few_rights() {
    let judged = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=20", "--no-pager"])
        .arg("deploy/headcount.service")
        .output()
        .expect("systemd-analyze runs; scripts/setup installs it");
    let said = String::from_utf8_lossy(&judged.stdout);
    assert!(
        judged.status.success() && said.contains("Overall exposure level"),
        "{said}"
    );
}

/// A scrape of a server at which every ordinary thing has happened once.
async fn metrics() -> (Process, Answer) {
    let port = free_address();
    let file = File::new();
    let port_text = port.to_string();
    let flags = [
        "--metrics-listen",
        &port_text,
        "--webtransport-listen",
        "127.0.0.1:0",
    ];
    let process = Process::start(&file.text(), &flags);
    let mut stream = Stream::open_at(process.address, "/api/v1/events/welcome/stream", "").await;
    stream.next("count").await;
    assert_eq!(
        register(process.address, "welcome", "Ada", "ada@example.org")
            .await
            .status,
        201
    );
    stream.count(|count| count["registered"] == 1).await;
    // The canary may receive it a moment later. An audit that ran into the registration is repeated
    // after 15 s.
    let mut scrape = None;
    for _ in 0..800 {
        let answer = call(port, "GET", "/metrics", &[], "").await;
        let last = [
            "headcount_commit_to_write_seconds",
            "headcount_commit_to_receipt_seconds",
            "headcount_drift",
        ];
        if last.iter().all(|name| answer.body.contains(name)) {
            return (process, answer);
        }
        scrape = Some(answer);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not all metrics: {scrape:?}");
}

#[tokio::test]
async fn every_metric_of_dashboard_alerts_and_documents_is_exported() {
    let (_process, scrape) = metrics().await;
    let exported: BTreeSet<String> = scrape
        .body
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| words(line, "headcount_"))
        .collect();
    let base = |name: &str| {
        ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|suffix| name.strip_suffix(suffix))
            .unwrap_or(name)
            .to_owned()
    };
    let families: BTreeSet<String> = exported.iter().map(|name| base(name)).collect();
    let dashboard: serde_json::Value =
        serde_json::from_str(&read("deploy/grafana.json")).expect("JSON");
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        queries.extend(
            panel["targets"]
                .as_array()
                .expect("targets")
                .iter()
                .map(|target| target["expr"].as_str().expect("a query").to_owned()),
        );
    }
    assert!(queries.len() > 20, "{queries:?}");
    for (path, text) in [
        ("deploy/grafana.json", queries.join("\n")),
        ("deploy/alerts.yml", read("deploy/alerts.yml")),
    ] {
        let named = words(&text, "headcount_");
        assert!(named.len() > 5, "{path}");
        let unknown: Vec<_> = named.difference(&exported).collect();
        assert!(
            unknown.is_empty(),
            "{path} asks for what no server exports: {unknown:?}\n{}",
            scrape.body
        );
    }
    let operations = read("docs/operations.md");
    let rows: String = operations
        .lines()
        .filter(|line| line.starts_with("| `headcount_"))
        .collect();
    let documented: BTreeSet<String> = words(&rows, "headcount_")
        .iter()
        .map(|name| base(name))
        .collect();
    assert_eq!(documented, families, "docs/operations.md lists the metrics");
    for family in &families {
        let help = format!("# HELP {family} ");
        assert!(scrape.body.contains(&help), "{family} has no HELP");
    }
    // Prometheus does not see the first sample of a series as an increase.
    for quiet in [
        r#"registrations_total{outcome="failed"} 0"#,
        r#"refused_total{reason="total"} 0"#,
        "cut_total 0",
    ] {
        assert!(scrape.body.contains(quiet), "{quiet}\n{}", scrape.body);
    }
}

/// What a server may take, by name, in bytes.
fn sizes(text: &str, directive: &str) -> Vec<usize> {
    let lines = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix(directive));
    lines
        .map(|rest| {
            let words: Vec<&str> = rest.trim_end_matches(';').split_whitespace().collect();
            let bytes = |word: &str| match word.strip_suffix('k') {
                Some(kib) => kib.parse::<usize>().expect("a size") * 1024,
                None => word.parse().expect("a size"),
            };
            words.into_iter().map(bytes).product()
        })
        .collect()
}

#[test]
fn nginx_takes_at_least_what_headcount_takes() {
    let conf = read("deploy/nginx.conf");
    let largest_body = 64 * 1024;
    let largest_head = 16 * 1024;
    assert!(
        sizes(&conf, "client_max_body_size ")
            .iter()
            .all(|size| *size > largest_body)
    );
    let heads = sizes(&conf, "large_client_header_buffers ");
    assert!(
        !heads.is_empty() && heads.iter().all(|size| *size > largest_head),
        "{heads:?}"
    );
    let one = conf
        .lines()
        .find(|line| line.contains("large_client_header_buffers"));
    let one = one
        .and_then(|line| line.split_whitespace().last())
        .expect("a size");
    let one: usize = one.trim_end_matches("k;").parse().expect("KiB");
    assert!(
        one * 1024 > largest_head,
        "one header field may fill a whole head"
    );
}
