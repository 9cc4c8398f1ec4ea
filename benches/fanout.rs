//! What a watcher and a delivery cost: this server beside the bare loop of `write()` that is the floor, for SSE and WebSocket, in one run.
//!
//! ```sh
//! cargo bench --bench fanout                            # 1,000 and 10,000 watchers, then registering beside 10,000
//! BENCH_WATCHERS=18000 BENCH_ROUNDS=1 cargo bench --bench fanout
//! BENCH_ONLY=memory cargo bench --bench fanout          # delivering, memory, mixed, registering
//! ```
//!
//! The server is a process of its own on the first core, the crowd is one loop on the second (where `taskset` exists). A delivery's delay
//! is the time from the crowd's wish for a change to the reading of its bytes, so it holds the crowd's own work too, the same for all.
//! The processor time is the server process's, the kernel's work for its sockets included.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use headcount::domain::clock::Timestamp;
use headcount::domain::event::{Capacity, Event, NewEvent, Slug};

#[path = "support/fanout/bare.rs"]
mod bare;
#[path = "support/fanout/crowd.rs"]
mod crowd;
#[path = "support/load.rs"]
#[expect(dead_code, reason = "another benchmark uses more of it")]
mod load;
#[path = "support/fanout/served.rs"]
mod served;

use crowd::{Crowd, Technique};

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
/// Changes a second.
const PACE: Duration = Duration::from_millis(333);
/// Come before anything is measured: they pay for tables, pools and the allocator's arenas.
const FIRST: usize = 200;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    match args.iter().position(|arg| arg == "--serve" || arg == "--watch") {
        Some(at) if args[at] == "--watch" => watch(&args[at + 1], &args[at + 2]),
        Some(at) => serve(&args[at + 1], args.get(at + 2)),
        None => measure(),
    }
    ExitCode::SUCCESS
}

fn serve(kind: &str, url: Option<&String>) {
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    match kind {
        "bare" => bare::serve(),
        "ours" => runtime().block_on(served::ours(url.expect("a database"))),
        "warp" => runtime().block_on(served::warps()),
        other => panic!("{other} is no server"),
    }
}

fn new_event() -> NewEvent {
    NewEvent {
        slug: Slug::parse("gala").expect("a slug"),
        title: "Gala".into(),
        description: String::new(),
        capacity: Capacity::limited(i64::from(Capacity::MAX)).expect("in range"),
        waitlist: false,
        opens_at: None,
        closes_at: None,
    }
}

/// The event after so many changes, as every server tells it.
fn event(revision: i64) -> Event {
    let event = new_event().open("q7f2k9ab".parse().expect("an epoch"), Timestamp::from_millis(1_795_251_600_123));
    Event { revision, registered: u32::try_from(revision).expect("a benchmark is short"), ..event }
}

fn number(variable: &str, default: usize) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn has_taskset() -> bool {
    Command::new("taskset").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// A server in a process of its own.
struct Server {
    child: Child,
    ask: ChildStdin,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start(kind: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let exe = std::env::current_exe().expect("this program");
        let mut command = if has_taskset() {
            let mut command = Command::new("taskset");
            command.args(["-c", "0"]).arg(exe);
            command
        } else {
            Command::new(exe)
        };
        let url = format!("sqlite://{}", folder.path().join("bench.db").display());
        let mut child = command.args(["--serve", kind, &url]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the server starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("an address");
        Self { ask: child.stdin.take().expect("a pipe"), child, address: line.trim().parse().expect("an address"), _folder: folder }
    }

    /// Makes one change.
    fn change(&mut self) -> Instant {
        let now = Instant::now();
        self.ask.write_all(b"change\n").expect("the server listens");
        now
    }

    /// Processor time of all its threads so far, seconds.
    fn cpu(&self) -> f64 {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("a process");
        let nanos = |thread: std::io::Result<std::fs::DirEntry>| -> u64 {
            let text = std::fs::read_to_string(thread.expect("a thread").path().join("schedstat")).unwrap_or_default();
            text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
        };
        Duration::from_nanos(threads.map(nanos).sum()).as_secs_f64()
    }

    /// Memory that is its own, bytes.
    fn resident(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("a line");
        line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") * 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What one run gave.
#[derive(Debug, Clone, Copy)]
struct Figures {
    /// Microseconds of the server for each delivery.
    cpu: f64,
    /// Milliseconds.
    p50: f64,
    p99: f64,
    /// From the wish to the last watcher, milliseconds.
    span: f64,
    /// KiB.
    memory: f64,
    /// A second.
    connects: f64,
}

impl Figures {
    fn median(runs: &[Self]) -> Self {
        let of = |field: fn(&Self) -> f64| median(runs.iter().map(field).collect());
        Self {
            cpu: of(|run| run.cpu),
            p50: of(|run| run.p50),
            p99: of(|run| run.p99),
            span: of(|run| run.span),
            memory: of(|run| run.memory),
            connects: of(|run| run.connects),
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn quantile(sorted: &[f64], quantile: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a list")]
    let at = (sorted.len() as f64 * quantile) as usize;
    sorted[at.min(sorted.len() - 1)]
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).expect("a benchmark is short"))
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Connects a crowd, lets it hear some changes, and looks at the server meanwhile.
fn run(kind: &str, technique: impl Fn(usize) -> Technique + Copy, watchers: usize) -> (Figures, Vec<(Technique, f64)>) {
    let mut server = Server::start(kind);
    let mut crowd = Crowd::new();
    crowd.join(server.address, FIRST, technique);
    let before = server.resident();
    let joined = crowd.join(server.address, watchers - FIRST, technique);
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
        delays.extend(received.into_iter().map(|(technique, delay)| (technique, ms(delay))));
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
    if has_taskset() {
        let _ = Command::new("taskset").args(["-a", "-p", "-c", "1", &std::process::id().to_string()]).stdout(Stdio::null()).status();
    } else {
        println!("taskset is missing: server and crowd share the cores");
    }
    let only = std::env::var("BENCH_ONLY").ok();
    let wanted = |part: &str| only.as_deref().is_none_or(|only| only.split(',').any(|only| only == part));
    let watchers = std::env::var("BENCH_WATCHERS").unwrap_or_else(|_| "1000,10000".into());
    let watchers: Vec<usize> = watchers.split(',').map(|number| number.trim().parse().expect("BENCH_WATCHERS is numbers with commas")).collect();
    if wanted("delivering") {
        delivering(&watchers, &["bare", "ours"], number("BENCH_ROUNDS", 3));
    }
    if wanted("memory") {
        println!("\nbeside warp's own, 2,000 watchers");
        delivering(&[2_000], &["ours", "warp"], 1);
    }
    if wanted("mixed") {
        mixed(*watchers.last().expect("a number"));
    }
    if wanted("registering") {
        registering(*watchers.last().expect("a number"));
    }
}

/// Both techniques by each server in turn, so that a disturbance of the machine meets all.
fn delivering(watchers: &[usize], kinds: &[&str], rounds: usize) {
    println!(
        "{:<10} {:>8}  {:<5} {:>13} {:>9} {:>9} {:>9} {:>13} {:>10}",
        "technique", "watchers", "", "µs/delivery", "p50 ms", "p99 ms", "span ms", "KiB/watcher", "connects/s"
    );
    for &watchers in watchers {
        for technique in [Technique::Sse, Technique::WebSocket] {
            let mut runs = vec![Vec::new(); kinds.len()];
            for _ in 0..rounds {
                for (runs, kind) in runs.iter_mut().zip(kinds) {
                    runs.push(run(kind, |_| technique, watchers).0);
                }
            }
            let medians: Vec<Figures> = runs.iter().map(|runs| Figures::median(runs)).collect();
            for (kind, figures) in kinds.iter().zip(&medians) {
                let Figures { cpu, p50, p99, span, memory, connects } = figures;
                println!("{:<10} {watchers:>8}  {kind:<5} {cpu:>13.2} {p50:>9.1} {p99:>9.1} {span:>9.1} {memory:>13.2} {connects:>10.0}", technique.name());
            }
            let [first, second] = [medians[0], medians[1]];
            println!(
                "{:<26} {:>12.2}× {:>8.2}× {:>8.2}× {:>8.2}× {:>12.2}× {:>9.2}×",
                format!("  {} / {}", kinds[1], kinds[0]),
                second.cpu / first.cpu,
                second.p50 / first.p50,
                second.p99 / first.p99,
                second.span / first.span,
                second.memory / first.memory,
                second.connects / first.connects
            );
        }
    }
}

/// Both techniques on one server: neither may be served after the other.
fn mixed(watchers: usize) {
    println!("\nhalf SSE, half WebSocket, {watchers} watchers on one server");
    for kind in ["bare", "ours"] {
        let (_, delays) = run(kind, |number| if number % 2 == 0 { Technique::Sse } else { Technique::WebSocket }, watchers);
        for technique in [Technique::Sse, Technique::WebSocket] {
            let mut sorted: Vec<f64> = delays.iter().filter(|(of, _)| *of == technique).map(|(_, delay)| *delay).collect();
            sorted.sort_by(f64::total_cmp);
            println!("{kind:<5} {:<10} p50 {:.1} ms, p99 {:.1} ms", technique.name(), quantile(&sorted, 0.5), quantile(&sorted, 0.99));
        }
    }
}

/// A visitor's wait for an answer while everybody is told of every registration.
fn registering(watchers: usize) {
    let seconds = Duration::from_secs(5);
    let (connections, pause) = (8, Duration::from_millis(100));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let server = Server::start("ours");
    let path = "/api/v1/events/gala/registrations";
    println!("\nregistering, {connections} people who come again and again, about {:.0} registrations a second", count(connections) / pause.as_secs_f64());
    let mut quiet = 0.0;
    for watchers in [0, watchers] {
        let exe = std::env::current_exe().expect("this program");
        // At the lowest priority: what is measured is the server's fairness, not that of the core which both loads share.
        let crowd = (watchers > 0).then(|| {
            let mut crowd = Command::new("nice")
                .args(["-n", "19"])
                .arg(exe)
                .args(["--watch", &server.address.to_string(), &watchers.to_string()])
                .stdout(Stdio::piped())
                .spawn()
                .expect("a crowd starts");
            let mut line = String::new();
            BufReader::new(crowd.stdout.take().expect("a pipe")).read_line(&mut line).expect("the crowd is there");
            crowd
        });
        let cpu = server.cpu();
        let outcome = runtime.block_on(load::register(server.address, path, connections, pause, seconds, &format!("beside-{watchers}")));
        let busy = (server.cpu() - cpu) / outcome.elapsed.as_secs_f64();
        assert_eq!((outcome.refused, outcome.failed), (0, 0), "every request is served");
        if watchers == 0 {
            quiet = outcome.p99_ms;
        }
        println!(
            "{watchers:>8} watchers: {:.0} a second, p50 {:.1} ms, p99 {:.1} ms ({:.1}×), server's core {:.0} % busy",
            outcome.rate(),
            outcome.p50_ms,
            outcome.p99_ms,
            outcome.p99_ms / quiet,
            busy * 100.0
        );
        if let Some(mut crowd) = crowd {
            let _ = crowd.kill();
            let _ = crowd.wait();
        }
    }
}

/// The crowd beside the registering.
fn watch(address: &str, watchers: &str) {
    let mut crowd = Crowd::new();
    crowd.join(address.parse().expect("an address"), watchers.parse().expect("a number"), |_| Technique::Sse);
    println!("here");
    crowd.endure();
}
