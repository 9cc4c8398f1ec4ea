//! What a watcher and a delivery cost, for SSE and WebSocket in one run. The floor is a bare loop
//! of `write()`.
//!
//! ```sh cargo bench --bench fanout                            # 1,000 and 10,000 watchers, then
//! registering beside 10,000 BENCH_WATCHERS=18000 BENCH_ROUNDS=1 cargo bench --bench fanout
//! BENCH_ONLY=memory cargo bench --bench fanout          # delivering, memory, tls, mixed,
//! registering BENCH_ONLY=http2 BENCH_WATCHERS=50000 cargo bench --bench fanout     # 100 watchers
//! on each socket ```
//!
//! The server is a process of its own on the first core; the crowd is one loop on the second (where
//! `taskset` exists). A delivery's delay runs from the crowd's request for a change until it has
//! read the bytes. So it includes the crowd's own work, which is the same for every server. The
//! processor time is that of the server's process, with the kernel's work for its sockets.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use headcount::app::runtime::runtime;
use headcount::domain::clock::Timestamp;
use headcount::domain::event::Event;

#[path = "support/fanout/bare.rs"]
mod bare;
#[path = "support/fanout/beside.rs"]
mod beside;
#[path = "support/fanout/crowd.rs"]
mod crowd;
#[path = "support/fanout/figures.rs"]
mod figures;
#[path = "support/fanout/host.rs"]
mod host;
#[path = "support/load.rs"]
#[expect(dead_code, reason = "another benchmark uses more of it")]
mod load;
#[path = "support/parts.rs"]
mod parts;
#[path = "support/pinning.rs"]
mod pinning;
#[path = "support/fanout/served.rs"]
mod served;
#[path = "support/settings.rs"]
mod settings;
#[path = "support/fanout/streams.rs"]
mod streams;

use crowd::{Audience, Crowd, Transport};
use figures::{Figures, count, median, ms, quantile};
use host::Server;
use settings::number;
use streams::{Connector, MOST_STREAMS, Streams};

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
/// Changes a second.
const PACE: Duration = Duration::from_millis(333);
/// Watchers that connect before anything is measured: they fill tables, pools and the allocator's
/// arenas.
const FIRST: usize = 200;

/// As in the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    match args
        .iter()
        .position(|arg| arg == "--serve" || arg == "--watch")
    {
        Some(at) if args[at] == "--watch" => {
            beside::watch(&args[at + 1], &args[at + 2], &args[at + 3]);
        }
        Some(at) => serve(&args[at + 1], Path::new(&args[at + 2])),
        None => measure(),
    }
    ExitCode::SUCCESS
}

fn serve(kind: &str, folder: &Path) {
    let runtime = || runtime().expect("threads");
    match kind {
        "bare" => bare::serve(),
        "ours" => runtime().block_on(served::ours(folder, false)),
        "tls" => runtime().block_on(served::ours(folder, true)),
        "warp" => runtime().block_on(served::warps()),
        other => panic!("{other} is no server"),
    }
}

/// The event at `revision`, as every server publishes it.
fn event(revision: i64) -> Event {
    let event = parts::new_event("gala").open(
        "q7f2k9ab".parse().expect("an epoch"),
        Timestamp::from_millis(1_795_251_600_123),
    );
    Event {
        revision,
        registered: u32::try_from(revision).expect("a benchmark is short"),
        ..event
    }
}

fn run(
    kind: &str,
    transport: impl Fn(usize) -> Transport,
    watchers: usize,
) -> (Figures, Vec<(Transport, f64)>) {
    look(Server::start(kind), &mut Crowd::new(transport), watchers)
}

/// Connects a crowd, makes some changes, and measures server and crowd.
fn look(
    mut server: Server,
    crowd: &mut impl Audience,
    watchers: usize,
) -> (Figures, Vec<(Transport, f64)>) {
    crowd.join(server.address, FIRST);
    let before = server.resident();
    let joined = crowd.join(server.address, watchers - FIRST);
    std::thread::sleep(PACE);
    let memory = (server.resident() - before) / count(watchers - FIRST) / 1024.0;
    for _ in 0..2 {
        let begun = server.change();
        crowd.receive(begun);
        std::thread::sleep(PACE.saturating_sub(begun.elapsed()));
    }
    let changes = (100_000 / watchers).clamp(6, 30);
    let (mut delays, mut spans) = (Vec::new(), Vec::new());
    let cpu = server.cpu();
    for _ in 0..changes {
        let begun = server.change();
        let received = crowd.receive(begun);
        spans.push(ms(received.last().expect("somebody watches").1));
        delays.extend(
            received
                .into_iter()
                .map(|(transport, delay)| (transport, ms(delay))),
        );
        std::thread::sleep(PACE.saturating_sub(begun.elapsed()));
    }
    let cpu = server.cpu() - cpu;
    let mut sorted: Vec<f64> = delays.iter().map(|(_, delay)| *delay).collect();
    sorted.sort_by(f64::total_cmp);
    let figures = Figures {
        cpu: cpu * 1e6 / count(changes * watchers),
        p50: quantile(&sorted, 0.5),
        p99: quantile(&sorted, 0.99),
        span: median(spans),
        memory,
        connects: count(watchers - FIRST) / joined.as_secs_f64(),
    };
    (figures, delays)
}

fn measure() {
    pinning::move_to_second_core();
    let only = std::env::var("BENCH_ONLY").ok();
    let wanted = |part: &str| {
        only.as_deref()
            .is_none_or(|only| only.split(',').any(|only| only == part))
    };
    let watchers = std::env::var("BENCH_WATCHERS").unwrap_or_else(|_| "1000,10000".into());
    let watchers: Vec<usize> = watchers
        .split(',')
        .map(|number| {
            number
                .trim()
                .parse()
                .expect("BENCH_WATCHERS is numbers with commas")
        })
        .collect();
    if wanted("delivering") {
        delivering(&watchers, &["bare", "ours"], number("BENCH_ROUNDS", 3));
    }
    if wanted("memory") {
        println!("\nbeside warp's own, 2,000 watchers");
        delivering(&[2_000], &["ours", "warp"], 1);
    }
    if wanted("tls") {
        tls(2_000);
    }
    if wanted("http2") {
        http2(&watchers, number("BENCH_ROUNDS", 3));
    }
    if wanted("mixed") {
        mixed(*watchers.last().expect("a number"));
    }
    if wanted("registering") {
        let transport = if only.as_deref().is_some_and(|only| only.contains("http2")) {
            Transport::Http2
        } else {
            Transport::Sse
        };
        beside::registering(
            *watchers.last().expect("a number"),
            transport,
            number("BENCH_ROUNDS", 3),
        );
    }
}

fn title() {
    println!(
        "{:<10} {:>8}  {:<5} {:>13} {:>9} {:>9} {:>9} {:>13} {:>10}",
        "transport",
        "watchers",
        "",
        "µs/delivery",
        "p50 ms",
        "p99 ms",
        "span ms",
        "KiB/watcher",
        "connects/s"
    );
}

fn row(transport: Transport, watchers: usize, kind: &str, figures: &Figures) {
    let Figures {
        cpu,
        p50,
        p99,
        span,
        memory,
        connects,
    } = figures;
    println!(
        "{:<10} {watchers:>8}  {kind:<5} {cpu:>13.2} {p50:>9.1} {p99:>9.1} {span:>9.1} \
        {memory:>13.2} {connects:>10.0}",
        transport.name()
    );
}

/// What a watcher over TLS costs: alone on its connection, as in a browser, and with others, as
/// behind a proxy.
fn tls(watchers: usize) {
    println!("\nSSE over TLS");
    title();
    for (transport, http2, streams) in [
        (Transport::Tls, false, 1),
        (Transport::TlsHttp2, true, 1),
        (Transport::TlsHttp2, true, MOST_STREAMS),
    ] {
        let server = Server::start("tls");
        let connector = Connector::tls(server.folder(), http2, streams);
        let (figures, _) = look(server, &mut Streams::new(transport, connector), watchers);
        row(transport, watchers, &format!("{streams}/c"), &figures);
    }
}

/// Many watchers on each connection.
fn http2(watchers: &[usize], rounds: usize) {
    println!("\nSSE over HTTP/2, {MOST_STREAMS} on each connection");
    title();
    for &watchers in watchers {
        let run = || {
            look(
                Server::start("ours"),
                &mut Streams::new(Transport::Http2, Connector::http2()),
                watchers,
            )
            .0
        };
        let runs: Vec<Figures> = (0..rounds).map(|_| run()).collect();
        row(Transport::Http2, watchers, "ours", &Figures::median(&runs));
    }
}

/// Both transports by each server in turn, so that a disturbance of the machine affects all.
fn delivering(watchers: &[usize], kinds: &[&str], rounds: usize) {
    title();
    for &watchers in watchers {
        for transport in [Transport::Sse, Transport::WebSocket] {
            let mut runs = vec![Vec::new(); kinds.len()];
            for _ in 0..rounds {
                for (runs, kind) in runs.iter_mut().zip(kinds) {
                    runs.push(run(kind, |_| transport, watchers).0);
                }
            }
            for (kind, runs) in kinds.iter().zip(&runs) {
                row(transport, watchers, kind, &Figures::median(runs));
            }
            let Figures {
                cpu,
                p50,
                p99,
                span,
                memory,
                connects,
            } = Figures::ratio(&runs[1], &runs[0]);
            let label = format!("  {} / {}", kinds[1], kinds[0]);
            println!(
                "{label:<26} {cpu:>12.2}× {p50:>8.2}× {p99:>8.2}× {span:>8.2}× {memory:>12.2}× \
                {connects:>9.2}×"
            );
        }
    }
}

/// Both transports on one server: neither waits for the other.
fn mixed(watchers: usize) {
    println!("\nhalf SSE, half WebSocket, {watchers} watchers on one server");
    for kind in ["bare", "ours"] {
        let (_, delays) = run(
            kind,
            |number| {
                if number % 2 == 0 {
                    Transport::Sse
                } else {
                    Transport::WebSocket
                }
            },
            watchers,
        );
        for transport in [Transport::Sse, Transport::WebSocket] {
            let mut sorted: Vec<f64> = delays
                .iter()
                .filter(|(of, _)| *of == transport)
                .map(|(_, delay)| *delay)
                .collect();
            sorted.sort_by(f64::total_cmp);
            println!(
                "{kind:<5} {:<10} p50 {:.1} ms, p99 {:.1} ms",
                transport.name(),
                quantile(&sorted, 0.5),
                quantile(&sorted, 0.99)
            );
        }
    }
}
