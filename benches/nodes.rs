//! Several nodes on one Postgres: how late another node's watchers are, what a further node brings,
//! and what notifying costs.
//!
//! ```sh
//! cargo bench --bench nodes                        # all three parts
//! cargo bench --bench nodes -- delay               # or: rate, notify
//! BENCH_SECONDS=5 BENCH_ROUNDS=7 cargo bench --bench nodes
//! ```
//!
//! Nodes, database and load share the machine: compare the figures of one run with each other only.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use headcount::domain::clock::Clock;
use headcount::live::cluster;
use headcount::store::Store;
use headcount::{routes, server};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

#[path = "support/load.rs"]
mod load;
#[path = "support/parts.rs"]
mod parts;
#[path = "../tests/it/support/port.rs"]
mod port;
#[path = "../tests/it/support/postgres.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod postgres;
#[path = "support/program.rs"]
mod program;
#[path = "support/settings.rs"]
mod settings;

use program::{Program, headcount};
use settings::number;

/// Connections of the load, over all nodes.
const CONNECTIONS: usize = 96;
/// Registrations of the part about delays.
const REGISTRATIONS: u64 = 200;
/// The pause between two of them: longer than the publish interval, so that each one is pushed.
const PAUSE: Duration = Duration::from_millis(70);

/// As in the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let Some(at) = args.iter().position(|arg| arg == "--serve") {
        return serve(&args[at + 1], args[at + 2] == "on");
    }
    let asked = |part: &str| {
        !args
            .iter()
            .any(|arg| ["delay", "rate", "notify"].contains(&arg.as_str()))
            || args.iter().any(|arg| arg == part)
    };
    let cluster = postgres::Cluster::start_new();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        if asked("delay") {
            delay(&cluster.new_database().await).await;
        }
        if asked("rate") {
            rate(&cluster.new_database().await).await;
        }
        if asked("notify") {
            notify(&cluster.new_database().await).await;
        }
    });
}

/// Creates events in the database before any node starts, so that all nodes know them.
async fn events(url: &str, slugs: &[String]) {
    let store = Store::open(&url.parse().expect("a URL"), None)
        .await
        .expect("the database");
    for slug in slugs {
        store
            .create(parts::new_event(slug), "token", Clock::System.now())
            .await
            .expect("an event");
    }
    store.close().await;
}

/// The program itself, as a node.
fn node(url: &str) -> Program {
    Program::start(headcount(url).arg("--no-welcome-event"))
}

/// A server made of the program's parts, which notifies the other nodes or does not.
fn server_of_parts(url: &str, notifies: bool) -> Program {
    let program = std::env::current_exe().expect("this program");
    let notifies = if notifies { "on" } else { "off" };
    Program::start(Command::new(program).args(["--serve", url, notifies]))
}

/// Watches an event; sends each number registered, and when it arrived.
async fn watch(address: SocketAddr, slug: &str) -> mpsc::UnboundedReceiver<(u64, Instant)> {
    let (sender, received) = mpsc::unbounded_channel();
    let mut stream =
        tokio::io::BufReader::new(TcpStream::connect(address).await.expect("the node listens"));
    let request = format!("GET /api/v1/events/{slug}/stream HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the node reads");
    tokio::spawn(async move {
        let mut lines = stream.lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let at = Instant::now();
            let Some(data) = line
                .strip_prefix("data: ")
                .filter(|data| data.contains("\"registered\""))
            else {
                continue;
            };
            let count: serde_json::Value = serde_json::from_str(data).expect("JSON");
            if sender
                .send((count["registered"].as_u64().expect("a number"), at))
                .is_err()
            {
                return;
            }
        }
    });
    received
}

/// Three nodes; registrations at the first; watchers at the first and the second.
async fn delay(url: &str) {
    events(url, &["delay".into()]).await;
    let nodes: Vec<Program> = (0..3).map(|_| node(url)).collect();
    let mut watchers = [
        watch(nodes[0].address, "delay").await,
        watch(nodes[1].address, "delay").await,
    ];
    let mut delays = [const { Vec::new() }; 2];
    let mut answers = Vec::new();
    let mut stream = TcpStream::connect(nodes[0].address)
        .await
        .expect("the node listens");
    for n in 1..=REGISTRATIONS {
        let begun = Instant::now();
        let path = "/api/v1/events/delay/registrations";
        let person = format!("delay-{n}");
        let status = load::send(&mut stream, path, &person, &mut Vec::new()).await;
        assert_eq!(status.expect("an answer"), 201);
        answers.push(begun.elapsed());
        for (watcher, delays) in watchers.iter_mut().zip(&mut delays) {
            let at = loop {
                let (registered, at) =
                    tokio::time::timeout(Duration::from_secs(10), watcher.recv())
                        .await
                        .expect("the count arrives")
                        .expect("the stream lives");
                if registered >= n {
                    break at;
                }
            };
            delays.push(at - begun);
        }
        tokio::time::sleep(PAUSE).await;
    }
    println!(
        "Delay: three nodes, {REGISTRATIONS} registrations at A one after the other, from before the request"
    );
    println!("{:<24} {:>8} {:>8} {:>8}", "ms", "p50", "p99", "max");
    let [a, b] = delays;
    for (name, mut times) in [
        ("the answer itself", answers),
        ("a watcher at A", a),
        ("a watcher at B", b),
    ] {
        times.sort_unstable();
        let ms = |at: usize| times[at].as_secs_f64() * 1000.0;
        println!(
            "{name:<24} {:>8.1} {:>8.1} {:>8.1}",
            ms(times.len() / 2),
            ms(times.len() * 99 / 100),
            ms(times.len() - 1)
        );
    }
}

/// The same load on one, two and three nodes: on one event, where the row's lock orders all nodes,
/// and on one event for each node.
async fn rate(url: &str) {
    let (seconds, rounds) = (
        Duration::from_secs(number("BENCH_SECONDS", 4)),
        number("BENCH_ROUNDS", 3),
    );
    let slug = |nodes: usize, round: u32, event: usize| format!("rate-{nodes}-{round}-{event}");
    let slugs: Vec<String> = (1..=3)
        .flat_map(|nodes| {
            (0..rounds).flat_map(move |round| (0..4).map(move |event| slug(nodes, round, event)))
        })
        .collect();
    events(url, &slugs).await;
    let servers: Vec<Program> = (0..3).map(|_| node(url)).collect();
    println!(
        "Rate: {CONNECTIONS} connections in all, 1/s (median of {rounds} rounds of {seconds:?}), p99 ms"
    );
    println!(
        "{:<8} {:>12} {:>8} {:>20} {:>8}",
        "nodes", "one event", "p99", "an event for each", "p99"
    );
    let mut measured = vec![[const { Vec::new() }; 2]; 3];
    for round in 0..rounds {
        for nodes in 1..=3 {
            for several in [false, true] {
                let loads = servers.iter().take(nodes).enumerate().map(|(at, server)| {
                    // Event 3 is the one that all share; 0 to 2 are the nodes' own.
                    let slug = slug(nodes, round, if several { at } else { 3 });
                    let (address, connections) = (server.address, CONNECTIONS / nodes);
                    tokio::spawn(async move {
                        let path = format!("/api/v1/events/{slug}/registrations");
                        load::register(
                            address,
                            &path,
                            connections,
                            Duration::ZERO,
                            seconds,
                            &format!("{slug}-{at}"),
                        )
                        .await
                    })
                });
                let (mut rate, mut p99, mut created) = (0.0, 0.0_f64, 0);
                for load in loads.collect::<Vec<_>>() {
                    let outcome = load.await.expect("no panic");
                    assert_eq!(
                        (outcome.refused, outcome.failed),
                        (0, 0),
                        "every request is served"
                    );
                    rate += outcome.rate();
                    created += outcome.created;
                    p99 = p99.max(outcome.p99_ms);
                }
                measured[nodes - 1][usize::from(several)].push((rate, p99));
                if !several {
                    // The last commits of the other nodes arrive a moment later.
                    let all = async {
                        while load::headcount(servers[0].address, &slug(nodes, round, 3)).await
                            != created
                        {}
                    };
                    tokio::time::timeout(Duration::from_secs(10), all)
                        .await
                        .expect("the headcount is what was answered");
                }
            }
        }
    }
    for (at, [one, several]) in measured.into_iter().enumerate() {
        let (one, several) = (medians(one), medians(several));
        println!(
            "{:<8} {:>12.0} {:>8.1} {:>20.0} {:>8.1}",
            at + 1,
            one.0,
            one.1,
            several.0,
            several.1
        );
    }
}

/// One node under load and another one that listens; the first one notifies or does not, in turn.
async fn notify(url: &str) {
    let (seconds, rounds) = (
        Duration::from_secs(number("BENCH_SECONDS", 4)),
        number("BENCH_ROUNDS", 7),
    );
    let slug = |round: u32, server: usize| format!("notify-{round}-{server}");
    events(
        url,
        &(0..=rounds)
            .flat_map(|round| (0..4).map(move |server| slug(round, server)))
            .collect::<Vec<_>>(),
    )
    .await;
    let _listening = node(url);
    // Two of each kind: the difference between equal servers is the noise.
    let servers = [
        server_of_parts(url, false),
        server_of_parts(url, true),
        server_of_parts(url, true),
        server_of_parts(url, false),
    ];
    let mut measured = [const { Vec::new() }; 4];
    // The first round warms up. Which server begins changes with the round.
    for round in 0..=rounds {
        for turn in 0..servers.len() {
            let at = (turn + round as usize) % servers.len();
            let slug = slug(round, at);
            let path = format!("/api/v1/events/{slug}/registrations");
            let outcome = load::register(
                servers[at].address,
                &path,
                CONNECTIONS,
                Duration::ZERO,
                seconds,
                &slug,
            )
            .await;
            assert_eq!(
                (outcome.refused, outcome.failed),
                (0, 0),
                "every request is served"
            );
            if round > 0 {
                measured[at].push((outcome.rate(), outcome.p99_ms));
            }
        }
    }
    println!(
        "Notify: one node under load on one event, another one listens; {rounds} rounds of \
        {seconds:?}, in turns"
    );
    for (server, measured) in ["off", "on", "on", "off"].into_iter().zip(&measured) {
        let (rate, p99) = medians(measured.clone());
        println!("{server:<4} {rate:>8.0}/s   p99 {p99:>6.1} ms");
    }
    let rate = |at: usize, round: usize| measured[at][round].0;
    let each = |ratio: &dyn Fn(usize) -> f64| {
        medians(
            (0..rounds as usize)
                .map(|round| (ratio(round), 0.0))
                .collect(),
        )
        .0
    };
    println!(
        "on / off, median of the rounds: {:.3}",
        each(&|round| (rate(1, round) + rate(2, round)) / (rate(0, round) + rate(3, round)))
    );
    println!(
        "the same with itself: off / off {:.3}, on / on {:.3}",
        each(&|round| rate(3, round) / rate(0, round)),
        each(&|round| rate(2, round) / rate(1, round))
    );
}

fn medians(mut values: Vec<(f64, f64)>) -> (f64, f64) {
    let middle = values.len() / 2;
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let first = values[middle].0;
    values.sort_by(|a, b| a.1.total_cmp(&b.1));
    (first, values[middle].1)
}

/// A server made of the program's parts.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn serve(url: &str, notifies: bool) {
    let context = parts::open(url, notifies).await;
    let (store, hub) = (context.store.clone(), context.hub.clone());
    for event in store.events().await.expect("the events") {
        hub.publish(event);
    }
    tokio::spawn(cluster::follow(store, hub, Clock::System));
    let listener = server::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
    println!("http://{}/", listener.local_addr().expect("an address"));
    let (_stop, stopping) = tokio::sync::watch::channel(false);
    server::serve(
        listener,
        warp::service(routes::all(&context)),
        server::Config::default(),
        stopping,
    )
    .await;
}
