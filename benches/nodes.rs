//! Several nodes on one Postgres: how late another node's watchers are, what a further node brings, and what being live costs.
//!
//! ```sh
//! cargo bench --bench nodes                        # all three parts
//! cargo bench --bench nodes -- delay               # or: rate, notify
//! BENCH_SECONDS=5 BENCH_ROUNDS=7 cargo bench --bench nodes
//! ```
//!
//! Nodes, database and load share the machine; figures of one run are to be compared with each other only.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use headcount::context::{Context, Settings};
use headcount::domain::clock::Clock;
use headcount::domain::event::{Capacity, NewEvent, Slug};
use headcount::live::cluster;
use headcount::live::hub::Hub;
use headcount::register::queue::{QUEUE, Registrar};
use headcount::store::{DatabaseUrl, Store};
use headcount::{routes, server};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

#[path = "support/load.rs"]
mod load;
#[path = "../tests/it/support/port.rs"]
mod port;
#[path = "../tests/it/support/postgres.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod postgres;

/// Connections of the load, in all, however many nodes share them.
const CONNECTIONS: usize = 96;
const INTERVAL: Duration = Duration::from_millis(50);
/// Registrations of the part about delays, and the pause between two: longer than the publish interval, so that none is conflated.
const REGISTRATIONS: u64 = 200;
const PAUSE: Duration = Duration::from_millis(70);

fn number(variable: &str, default: u32) -> u32 {
    std::env::var(variable)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// A process of its own that prints its address on its first line.
struct Server(Child, SocketAddr);

impl Server {
    fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe"))
            .read_line(&mut line)
            .expect("an address");
        let address = line
            .trim()
            .rsplit("http://")
            .next()
            .expect("an address")
            .trim_end_matches('/')
            .parse()
            .expect("an address");
        Self(child, address)
    }

    /// The program itself.
    fn node(url: &str) -> Self {
        let flags = [
            "--listen",
            "127.0.0.1:0",
            "--register-rate-per-ip",
            "0",
            "--no-welcome-event",
            "--database-url",
            url,
        ];
        Self::spawn(Command::new(env!("CARGO_BIN_EXE_headcount")).args(flags))
    }

    /// A server made of the program's parts, that notifies the other nodes or does not.
    fn made(url: &str, notifies: bool) -> Self {
        Self::spawn(
            Command::new(std::env::current_exe().expect("this program")).args([
                "--serve",
                url,
                if notifies { "on" } else { "off" },
            ]),
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

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

/// Makes events straight in the database, before any node starts: all know them.
async fn events(url: &str, slugs: &[String]) {
    let store = Store::open(&url.parse().expect("a URL"), None)
        .await
        .expect("the database");
    for slug in slugs {
        let slug = Slug::parse(slug).expect("a slug");
        let capacity = Capacity::limited(i64::from(Capacity::MAX)).expect("in range");
        let new = NewEvent {
            slug,
            title: "Bench".into(),
            description: String::new(),
            capacity,
            waitlist: false,
            opens_at: None,
            closes_at: None,
        };
        store
            .create(new, "token", Clock::System.now())
            .await
            .expect("an event");
    }
    store.close().await;
}

/// Tells the moment at which each headcount arrived.
async fn watch(address: SocketAddr, slug: &str) -> mpsc::UnboundedReceiver<(u64, Instant)> {
    let (tell, told) = mpsc::unbounded_channel();
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
            if tell
                .send((count["registered"].as_u64().expect("a number"), at))
                .is_err()
            {
                return;
            }
        }
    });
    told
}

/// Three nodes; registrations at the first; watchers at the first and the second.
async fn delay(url: &str) {
    events(url, &["delay".into()]).await;
    let nodes: Vec<Server> = (0..3).map(|_| Server::node(url)).collect();
    let mut watchers = [
        watch(nodes[0].1, "delay").await,
        watch(nodes[1].1, "delay").await,
    ];
    let mut delays = [const { Vec::new() }; 2];
    let mut answers = Vec::new();
    let mut stream = TcpStream::connect(nodes[0].1)
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
                        .expect("it is told")
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

/// The same load on one, two and three nodes: all on one event, where the row's lock orders them, and on one event for each node.
async fn rate(url: &str) {
    let (seconds, rounds) = (
        Duration::from_secs(u64::from(number("BENCH_SECONDS", 4))),
        number("BENCH_ROUNDS", 3),
    );
    let slug = |nodes: usize, round: u32, event: usize| format!("rate-{nodes}-{round}-{event}");
    let slugs: Vec<String> = (1..=3)
        .flat_map(|nodes| {
            (0..rounds).flat_map(move |round| (0..4).map(move |event| slug(nodes, round, event)))
        })
        .collect();
    events(url, &slugs).await;
    let servers: Vec<Server> = (0..3).map(|_| Server::node(url)).collect();
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
                    let (address, connections) = (server.1, CONNECTIONS / nodes);
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
                    // The last commits of the other nodes are on their way.
                    let all = async {
                        while load::headcount(servers[0].1, &slug(nodes, round, 3)).await != created
                        {
                        }
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

/// One node under load, another one listening; the first one notifies or does not, in turns.
async fn notify(url: &str) {
    let (seconds, rounds) = (
        Duration::from_secs(u64::from(number("BENCH_SECONDS", 4))),
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
    let _listening = Server::node(url);
    // Two of each: how far two that are the same differ says what a difference means.
    let servers = [
        Server::made(url, false),
        Server::made(url, true),
        Server::made(url, true),
        Server::made(url, false),
    ];
    let mut measured = [const { Vec::new() }; 4];
    // The first round warms up. Which server begins changes with the round.
    for round in 0..=rounds {
        for turn in 0..servers.len() {
            let at = (turn + round as usize) % servers.len();
            let slug = slug(round, at);
            let path = format!("/api/v1/events/{slug}/registrations");
            let outcome = load::register(
                servers[at].1,
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
        "Notify: one node under load on one event, another one listens; {rounds} rounds of {seconds:?}, in turns"
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

/// The program's parts without its configuration; without notifications the broadcaster has no receiver.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn serve(url: &str, notifies: bool) {
    let url: DatabaseUrl = url.parse().expect("a database");
    let store = Store::open(&url, None).await.expect("the database opens");
    let hub = Hub::new(INTERVAL);
    for event in store.events().await.expect("the events") {
        hub.publish(event);
    }
    let (broadcaster, broadcasting) = cluster::broadcasting(store.clone(), INTERVAL);
    if notifies {
        tokio::spawn(broadcasting);
    } else {
        drop(broadcasting);
    }
    tokio::spawn(cluster::follow(store.clone(), hub.clone(), Clock::System));
    let registrar = Registrar::new(
        store.clone(),
        hub.clone(),
        Clock::System,
        broadcaster,
        QUEUE,
    );
    let settings = Settings {
        heartbeat: Duration::from_secs(15),
        public_url: None,
        admin_token: None,
        register_rate_per_ip: 0,
        lab: true,
    };
    let context = Context::new(store, hub, registrar, Clock::System, settings);
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
