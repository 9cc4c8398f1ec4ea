//! Every transport over impaired paths: round trip, loss and rate.
//!
//! ```sh
//! sudo -E cargo bench --bench networks              # all four networks
//! sudo -E cargo bench --bench networks -- lossy     # or: good, mobile, train
//! BENCH_ROUNDS=3 BENCH_SECONDS=10 cargo bench --bench networks
//! ```
//!
//! Needs root, `ip`, `tc`, `nft` and Python 3. The server runs in one network namespace and
//! `headcount compare` in another; the line between them is made here and removed at the end:
//!
//! - delay, jitter and cuts by `networks/relay.py` between two TUN devices;
//! - rate by the kernel's token bucket (`tc … tbf`) on each device;
//! - loss by nftables, at random on arrival. The kernel's own counters are printed beside the
//!   stated loss.
//!
//! TCP and QUIC are the real ones. All transports share the line at the same time, each with the
//! same number of watchers. `BENCH_OUT` names a file for the figures as JSON, which
//! `scripts/networks` draws.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, ExitCode, Stdio};

use serde_json::{Value, json};

#[path = "support/settings.rs"]
mod settings;

use settings::number;

/// As in the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SERVER: (&str, &str) = ("headcount-server", "10.99.0.1");
const CLIENT: (&str, &str) = ("headcount-client", "10.99.0.2");
const PORTS: (u16, u16) = (8080, 8443);
const TOKEN: &str = "a-token-for-benchmarks";
/// Watchers of each transport; ten transports share the line.
const WATCHERS: &str = "4";
/// Registrations a second.
const RATE: &str = "5";

/// A path between two places.
struct Network {
    name: &'static str,
    about: &'static str,
    round_trip_ms: f64,
    jitter_ms: f64,
    /// In a thousand packets, each way.
    lost_per_mille: u32,
    rate: &'static str,
    /// Seconds without a line in each period, and the period's length in seconds.
    cut: Option<(u32, u32)>,
}

const NETWORKS: [Network; 4] = [
    Network {
        name: "good",
        about: "a cable or good Wi-Fi, a server in the same country",
        round_trip_ms: 20.0,
        jitter_ms: 2.0,
        lost_per_mille: 0,
        rate: "50mbit",
        cut: None,
    },
    Network {
        name: "mobile",
        about: "a phone with a fair signal",
        round_trip_ms: 80.0,
        jitter_ms: 30.0,
        lost_per_mille: 5,
        rate: "10mbit",
        cut: None,
    },
    Network {
        name: "lossy",
        about: "Wi-Fi in a crowded hall",
        round_trip_ms: 60.0,
        jitter_ms: 20.0,
        lost_per_mille: 20,
        rate: "10mbit",
        cut: None,
    },
    Network {
        name: "train",
        about: "a phone on a train, with a tunnel of 5 s",
        round_trip_ms: 120.0,
        jitter_ms: 60.0,
        lost_per_mille: 10,
        rate: "4mbit",
        cut: Some((30, 5)),
    },
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let named = |network: &&Network| args.iter().any(|arg| arg == network.name);
    let any = NETWORKS.iter().any(|network| named(&network));
    let chosen: Vec<_> = NETWORKS.iter().filter(|n| !any || named(n)).collect();
    if !rustix::process::geteuid().is_root() {
        eprintln!("this benchmark makes network namespaces: run it as root");
        return ExitCode::FAILURE;
    }
    let (rounds, seconds) = (number("BENCH_ROUNDS", 5), number("BENCH_SECONDS", 20));
    println!("{rounds} rounds of {seconds} s; each figure is the median, with its range");
    let mut report = Vec::new();
    for network in chosen {
        let mut runs = Vec::new();
        for _ in 0..rounds {
            match round(network, seconds) {
                Ok(run) => runs.push(run),
                Err(why) => {
                    eprintln!("{}: {why}", network.name);
                    return ExitCode::FAILURE;
                }
            }
        }
        let figures = summary(network, &runs);
        print!("{}", table(network, &figures));
        report.push(figures);
    }
    if let Ok(file) = std::env::var("BENCH_OUT") {
        let text = json!({ "rounds": rounds, "seconds": seconds, "networks": report });
        if let Err(error) = std::fs::write(&file, format!("{text:#}\n")) {
            eprintln!("{file}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// What one round gave: the command's figures, and the kernel's counters of lost and all packets.
struct Run {
    outcome: Value,
    lost: u64,
    packets: u64,
}

/// Ends a process when it is dropped.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The two namespaces; removed when it is dropped.
struct Namespaces;

impl Drop for Namespaces {
    fn drop(&mut self) {
        for (name, _) in [SERVER, CLIENT] {
            let _ = Command::new("ip").args(["netns", "delete", name]).status();
        }
    }
}

fn round(network: &Network, seconds: u64) -> Result<Run, String> {
    let _namespaces = Namespaces;
    for (name, _) in [SERVER, CLIENT] {
        run("ip", &["netns", "add", name])?;
        run("ip", &["-n", name, "link", "set", "lo", "up"])?;
    }
    let _relay = relay(network)?;
    for ((name, _), device) in [(SERVER, "line0"), (CLIENT, "line1")] {
        // A tenth of a second waits in the queue before packets are dropped there.
        let tbf = [
            "-n",
            name,
            "qdisc",
            "add",
            "dev",
            device,
            "root",
            "tbf",
            "rate",
            network.rate,
            "burst",
            "16kb",
            "latency",
            "100ms",
        ];
        run("tc", &tbf)?;
        let rules = format!(
            "table inet line {{ chain arrive {{ type filter hook prerouting priority raw; \
             iifname {device} counter; \
             iifname {device} numgen random mod 1000 < {} counter drop; }}; }}",
            network.lost_per_mille
        );
        inside(name, "nft", &[&rules])?;
    }
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let _server = server(&folder.path().join("networks.db").display().to_string())?;
    let url = format!("http://{}:{}", SERVER.1, PORTS.0);
    let duration = format!("{seconds}s");
    let compare = [
        "compare",
        &url,
        "--admin-token",
        TOKEN,
        "--watchers",
        WATCHERS,
        "--rate",
        RATE,
        "--duration",
        &duration,
        "--together",
        "--json",
    ];
    let output = inside(CLIENT.0, env!("CARGO_BIN_EXE_headcount"), &compare)?;
    let outcome = serde_json::from_str(&output).map_err(|error| error.to_string())?;
    let (mut lost, mut packets) = (0, 0);
    for (name, _) in [SERVER, CLIENT] {
        let (all, dropped) = counters(&inside(name, "nft", &["list", "ruleset"])?);
        packets += all;
        lost += dropped;
    }
    Ok(Run {
        outcome,
        lost,
        packets,
    })
}

/// The line between the namespaces.
fn relay(network: &Network) -> Result<Ended, String> {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/networks/relay.py");
    let (every, cut) = network.cut.unwrap_or((0, 0));
    let child = Command::new("python3")
        .arg(program)
        .args([SERVER.0, &format!("{}/24", SERVER.1)])
        .args([CLIENT.0, &format!("{}/24", CLIENT.1)])
        // The jitter has a mean of its half, on each way.
        .arg(((network.round_trip_ms - network.jitter_ms) / 2.0).to_string())
        .arg(network.jitter_ms.to_string())
        .args([every.to_string(), cut.to_string()])
        .stdout(Stdio::piped())
        .spawn();
    ready(child.map_err(|error| format!("python3: {error}"))?, "ready")
}

fn server(file: &str) -> Result<Ended, String> {
    let child = Command::new("ip")
        .args(["netns", "exec", SERVER.0, env!("CARGO_BIN_EXE_headcount")])
        .args(["--listen", &format!("0.0.0.0:{}", PORTS.0)])
        .args(["--webtransport-listen", &format!("0.0.0.0:{}", PORTS.1)])
        .args(["--database-url", &format!("sqlite://{file}")])
        .args(["--admin-token", TOKEN, "--log", "error"])
        .stdout(Stdio::piped())
        .spawn();
    ready(child.map_err(|error| format!("ip: {error}"))?, "Limits")
}

/// Waits for a line of a child that begins with `word`.
fn ready(mut child: Child, word: &str) -> Result<Ended, String> {
    let output = child.stdout.take();
    let child = Ended(child);
    let lines = output
        .into_iter()
        .flat_map(|output| BufReader::new(output).lines());
    for line in lines.map_while(Result::ok) {
        if line.starts_with(word) {
            return Ok(child);
        }
    }
    Err(format!("a program ended before it said {word:?}"))
}

fn inside(namespace: &str, program: &str, args: &[&str]) -> Result<String, String> {
    let prefix = ["netns", "exec", namespace, program];
    run("ip", &[&prefix[..], args].concat())
}

fn run(program: &str, args: &[&str]) -> Result<String, String> {
    let mut child = Command::new(program)
        .args(args)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{program}: {error}"))?;
    let mut output = String::new();
    if let Some(stdout) = &mut child.stdout {
        let read = stdout.read_to_string(&mut output);
        read.map_err(|error| format!("{program}: {error}"))?;
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    // `compare` exits with 1 when something was lost; its figures say what.
    if status.success() || output.starts_with('{') {
        Ok(output)
    } else {
        Err(format!("{program} {}: {status}", args.join(" ")))
    }
}

/// The packets that arrived and those that were dropped, of one namespace.
fn counters(ruleset: &str) -> (u64, u64) {
    let packets = |line: &str| {
        let (_, rest) = line.split_once("counter packets ")?;
        rest.split(' ').next()?.parse::<u64>().ok()
    };
    let (mut all, mut dropped) = (0, 0);
    for line in ruleset.lines() {
        match packets(line) {
            Some(count) if line.trim_end().ends_with("drop") => dropped += count,
            Some(count) => all += count,
            None => {}
        }
    }
    (all, dropped)
}

/// The median of all rounds with its range, for each row.
fn summary(network: &Network, runs: &[Run]) -> Value {
    let rows = |run: &Run| run.outcome["rows"].as_array().cloned().unwrap_or_default();
    let count = runs.first().map_or(0, |run| rows(run).len());
    let figures = (0..count).map(|index| {
        let all: Vec<Value> = runs.iter().map(|run| rows(run)[index].clone()).collect();
        let spread = |pick: &dyn Fn(&Value) -> f64| {
            let mut values: Vec<f64> = all.iter().map(pick).collect();
            values.sort_by(f64::total_cmp);
            json!([
                values[values.len() / 2],
                values[0],
                values[values.len() - 1]
            ])
        };
        let figure = |row: &Value, name: &str| row[name].as_f64().unwrap_or(f64::NAN);
        let sum = |name: &str| all.iter().filter_map(|row| row[name].as_u64()).sum::<u64>();
        json!({
            "name": all[0]["name"],
            "mean_age_ms": spread(&|row| figure(row, "mean_age_ms")),
            "p50_ms": spread(&|row| figure(&row["delay"], "p50_ms")),
            "p99_ms": spread(&|row| figure(&row["delay"], "p99_ms")),
            "bytes_per_update": spread(&|row| {
                figure(row, "received_bytes_per_update") + figure(row, "sent_bytes_per_update")
            }),
            "reconnects": sum("reconnects"),
            "lost": sum("lost"),
        })
    });
    let figures: Vec<Value> = figures.collect();
    let (lost, packets) = runs.iter().fold((0, 0), |(lost, all), run| {
        (lost + run.lost, all + run.packets)
    });
    json!({
        "name": network.name,
        "about": network.about,
        "round_trip_ms": network.round_trip_ms,
        "jitter_ms": network.jitter_ms,
        "rate": network.rate,
        "stated_loss_percent": f64::from(network.lost_per_mille) / 10.0,
        "dropped_packets": lost,
        "packets": packets,
        "rows": figures,
    })
}

fn table(network: &Network, figures: &Value) -> String {
    let mut out = String::new();
    let (lost, packets) = (&figures["dropped_packets"], &figures["packets"]);
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        out,
        "\n{}: {}. Round trip {} ms (jitter {} ms), {} each way, stated loss {} %; the kernel \
         dropped {lost} of {packets} packets",
        network.name,
        network.about,
        network.round_trip_ms,
        network.jitter_ms,
        network.rate,
        figures["stated_loss_percent"],
    );
    let _ = writeln!(
        out,
        "{:<20}{:>22}{:>22}{:>22}{:>8}{:>12}{:>6}",
        "", "mean age ms", "p50 ms", "p99 ms", "bytes", "reconnects", "lost"
    );
    for row in figures["rows"].as_array().into_iter().flatten() {
        let spread = |name: &str| {
            let [middle, least, most] = [0, 1, 2].map(|at| row[name][at].as_f64().unwrap_or(0.0));
            format!("{middle:.0} ({least:.0}–{most:.0})")
        };
        let _ = writeln!(
            out,
            "{:<20}{:>22}{:>22}{:>22}{:>8.0}{:>12}{:>6}",
            row["name"].as_str().unwrap_or_default(),
            spread("mean_age_ms"),
            spread("p50_ms"),
            spread("p99_ms"),
            row["bytes_per_update"][0].as_f64().unwrap_or(0.0),
            row["reconnects"],
            row["lost"],
        );
    }
    out
}
