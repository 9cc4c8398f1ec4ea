//! Every transport over impaired paths: round trip, loss and rate.
//!
//! ```sh
//! sudo -E cargo bench --bench networks              # everything; 20 minutes
//! sudo -E cargo bench --bench networks -- lossy     # one network; or: good, mobile, train
//! sudo -E cargo bench --bench networks -- breaks    # or: quiet, idle
//! BENCH_ROUNDS=3 BENCH_SECONDS=10 sudo -E cargo bench --bench networks
//! ```
//!
//! Needs root, `ip`, `tc`, `nft`, `tcpdump`, Caddy, and the Python packages of `scripts/setup`.
//! [`line`] has the line between two network namespaces. On it are, at the same time:
//!
//! - `headcount compare`, which measures every transport with the product's own clients;
//! - `outside.py`, whose clients share no code with the product. It measures the same again, and also
//!   server-sent events over the HTTP/3 of Caddy, and reads bytes and packets from a capture.
//!
//! After the rounds of a network it measures new connections (`reconnect`) and a change of address
//! (`path`). `breaks` cuts the line for 10 s and restarts the server at 2 % of loss; `quiet` has four
//! changes in a minute; `idle` measures the server's memory. `BENCH_OUT` names a file for the figures
//! as JSON, which `scripts/networks` draws.

use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

mod line;
mod report;
#[path = "../support/settings.rs"]
mod settings;

use line::{Line, Outside, PORTS, Pressure, SERVER, TOKEN, inside};
use report::{Run, spread};
use settings::number;

/// As in the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Watchers of each transport, of `headcount compare` and of `outside.py`. Python takes about a tenth of
/// a millisecond for each update, one after the other.
const WATCHERS: u32 = 4;
const OUTSIDE: u32 = 2;
/// Registrations a second that `headcount compare` adds, over the line, to the load beside the server,
/// which no cut holds up.
const RATE: &str = "0.5";
/// The event of a run.
const EVENT: &str = "line";
/// Reconnects and changes of address, of each kind on each network.
const TIMES: u32 = 7;

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
    if !rustix::process::geteuid().is_root() {
        eprintln!("this benchmark makes network namespaces: run it as root");
        return ExitCode::FAILURE;
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    const PARTS: [&str; 3] = ["breaks", "quiet", "idle"];
    let args: Vec<String> = std::env::args().collect();
    let known = NETWORKS.iter().map(|network| network.name).chain(PARTS);
    let all = !known
        .into_iter()
        .any(|name| args.iter().any(|arg| arg == name));
    let wanted = |name: &str| all || args.iter().any(|arg| arg == name);
    let (rounds, seconds) = (number("BENCH_ROUNDS", 5), number("BENCH_SECONDS", 20));
    println!("{rounds} rounds of {seconds} s; each figure is the median, with its range");
    let mut networks = Vec::new();
    for network in NETWORKS.iter().filter(|network| wanted(network.name)) {
        let mut runs = Vec::new();
        for _ in 0..rounds {
            let run = round(network, seconds);
            runs.push(run.map_err(|why| format!("{}: {why}", network.name))?);
        }
        let mut figures = report::summary(network, &runs);
        figures["reconnect"] = alone(network, "reconnect")?;
        figures["path"] = alone(network, "path")?;
        print!("{}", report::table(network, &figures));
        networks.push(figures);
    }
    let mut out = json!({ "rounds": rounds, "seconds": seconds, "networks": networks });
    if wanted("breaks") {
        let runs = (0..rounds.min(3)).map(|_| breaks());
        out["breaks"] = report::breaks(&runs.collect::<Result<Vec<_>, _>>()?);
        print!("{}", report::breaks_table(&out["breaks"]));
    }
    if wanted("quiet") {
        out["quiet"] = quiet()?;
        print!("{}", report::quiet_table(&out["quiet"]));
    }
    if wanted("idle") {
        out["idle"] = idle()?;
        print!("{}", report::idle_table(&out["idle"]));
    }
    if let Ok(file) = std::env::var("BENCH_OUT") {
        std::fs::write(&file, format!("{out:#}\n")).map_err(|error| format!("{file}: {error}"))?;
    }
    Ok(())
}

/// Both programs measure every transport side by side.
fn round(network: &Network, seconds: u64) -> Result<Run, String> {
    let line = Line::open(network)?;
    let programs = (line.server()?, line.caddy()?);
    let outside = Outside::start("watch", &place(json!({})))?;
    let begun = Pressure::now();
    let outcome = under_load(seconds, || Ok(()))?;
    let (lost, packets) = line.counters()?;
    let waited_percent = begun.percent();
    let outside = outside.end()?;
    drop(programs);
    Ok(Run {
        outcome,
        outside,
        lost,
        packets,
        waited_percent,
        relay: line.close()?,
    })
}

/// `headcount compare`, five registrations a second from beside the server, and what happens meanwhile.
fn under_load(
    seconds: u64,
    meanwhile: impl FnOnce() -> Result<(), String>,
) -> Result<Value, String> {
    // The comparison measures for `seconds` once its watchers are there, which takes longer than this.
    const ARRIVING: Duration = Duration::from_secs(2);
    let load = Outside::start_in(SERVER.0, "load", &place(json!({})))?;
    let ends = Instant::now() + Duration::from_secs(seconds) + ARRIVING;
    let comparing = std::thread::spawn(move || compare(seconds));
    meanwhile()?;
    sleep(ends.saturating_duration_since(Instant::now()));
    // Before the comparison asks for the newest count, which every watcher must then show.
    load.end()?;
    let outcome = comparing.join();
    outcome.map_err(|_| "the comparison panicked".to_owned())?
}

/// `headcount compare` with everything at the same time.
fn compare(seconds: u64) -> Result<Value, String> {
    let url = format!("https://{}:{}", SERVER.1, PORTS.tls);
    let (duration, watchers) = (format!("{seconds}s"), WATCHERS.to_string());
    let args = [
        ["compare", &url],
        ["--event", EVENT],
        ["--yes-register-people", "--insecure"],
        ["--watchers", &watchers],
        ["--rate", RATE],
        ["--duration", &duration],
        ["--together", "--json"],
    ];
    let output = inside(line::CLIENT.0, line::PROGRAM, args.as_flattened())?;
    serde_json::from_str(&output).map_err(|error| error.to_string())
}

/// A part of `outside.py` that has the line for itself.
fn alone(network: &Network, part: &str) -> Result<Value, String> {
    // Without the cut of a train, which would hit some of them.
    let steady = Network {
        cut: None,
        ..*network
    };
    let line = Line::open(&steady)?;
    let _server = line.server()?;
    let _plain = line.plain_server()?;
    let _caddy = line.caddy()?;
    // A new connection has the line for itself; a moved one waits for the next change.
    let load = || Outside::start_in(SERVER.0, "load", &place(json!({})));
    let _load = (part == "path").then(load).transpose()?;
    let mut found = Outside::start(part, &place(json!({ "times": TIMES })))?.end()?;
    for row in found["rows"].as_array_mut().into_iter().flatten() {
        for name in ["ms", "bytes", "packets"] {
            let all: Vec<f64> = row[name]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_f64)
                .collect();
            if !all.is_empty() {
                row[name] = spread(all);
            }
        }
    }
    Ok(found["rows"].take())
}

/// A cut of 10 s and a restart of the server, at 2 % of loss.
fn breaks() -> Result<Run, String> {
    let lossy = NETWORKS.iter().find(|network| network.name == "lossy");
    let line = Line::open(lossy.expect("it is in the list"))?;
    let (mut server, caddy) = (line.server()?, line.caddy()?);
    let mut outside = Outside::start("watch", &place(json!({})))?;
    let begun = Pressure::now();
    // A client that misses the end of its connection notices the silence after 65 s.
    let outcome = under_load(90, || {
        sleep(Duration::from_secs(10));
        line.cut(Duration::from_secs(10))?;
        outside.say("the line is back")?;
        sleep(Duration::from_secs(12));
        server.stop()?;
        server = line.server()?;
        outside.say("the server is back")
    })?;
    let (lost, packets) = line.counters()?;
    let waited_percent = begun.percent();
    let outside = outside.end()?;
    drop((server, caddy));
    Ok(Run {
        outcome,
        outside,
        lost,
        packets,
        waited_percent,
        relay: line.close()?,
    })
}

/// Four changes in a minute: what a phone pays while little happens.
fn quiet() -> Result<Value, String> {
    let line = Line::open(&NETWORKS[0])?;
    let _server = line.server()?;
    let _caddy = line.caddy()?;
    let mut outside = Outside::start("watch", &place(json!({})))?;
    for _ in 0..4 {
        sleep(Duration::from_secs(15));
        outside.say("register")?;
    }
    let mut found = outside.end()?;
    Ok(found["rows"].take())
}

/// The server's memory for each idle watcher. Each transport has a fresh server, whose memory holds
/// nothing of another's.
fn idle() -> Result<Value, String> {
    const KINDS: [&str; 7] = [
        "Server-sent events",
        "NDJSON",
        "WebSocket",
        "WebTransport",
        "Socket.IO",
        "iframe streaming",
        "Long poll",
    ];
    let mut rows = Vec::new();
    for kind in KINDS {
        let line = Line::open(&NETWORKS[0])?;
        let server = line.server()?;
        let place = place(json!({ "watchers": 800, "pid": server.id(), "kinds": [kind] }));
        let mut found = Outside::start_in(SERVER.0, "idle", &place)?.end()?;
        rows.push(found["rows"][0].take());
    }
    Ok(Value::Array(rows))
}

/// Where everything is, for `outside.py`.
fn place(more: Value) -> Value {
    let mut place = json!({
        "host": SERVER.1, "port": PORTS.tls, "udp": PORTS.tls, "caddy": PORTS.caddy, "plain": PORTS.plain,
        "event": EVENT, "token": TOKEN, "device": line::CLIENT.2, "watchers": OUTSIDE,
    });
    if let (Some(place), Value::Object(more)) = (place.as_object_mut(), more) {
        place.extend(more);
    }
    place
}
