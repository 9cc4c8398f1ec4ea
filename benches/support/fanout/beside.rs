//! How long a registration takes while every watcher receives every count.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::crowd::{Audience as _, Crowd, Transport};
use super::host::Server;
use super::streams::{Connector, Streams};
use super::{count, load, median};

const PEOPLE: usize = 8;
const PAUSE: Duration = Duration::from_millis(100);

/// Registers without and with watchers in turn, so that a disturbance of the disk affects both.
pub(super) fn registering(watchers: usize, transport: Transport, rounds: usize) {
    println!(
        "\nregistering, {PEOPLE} people who come again and again, about {:.0} registrations a second; medians of {rounds} rounds",
        count(PEOPLE) / PAUSE.as_secs_f64()
    );
    let mut runs = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (runs, watchers) in runs.iter_mut().zip([0, watchers]) {
            runs.push(once(watchers, transport));
        }
    }
    let of = |runs: &[[f64; 4]], field: usize| median(runs.iter().map(|run| run[field]).collect());
    let quiet = of(&runs[0], 2);
    for (runs, watchers) in runs.iter().zip([0, watchers]) {
        let p99s: Vec<String> = runs.iter().map(|run| format!("{:.1}", run[2])).collect();
        println!(
            "{watchers:>8} watchers ({}): {:.0} a second, p50 {:.1} ms, p99 {:.1} ms ({:.1}×; \
            {}), server's core {:.0} % busy",
            transport.name(),
            of(runs, 0),
            of(runs, 1),
            of(runs, 2),
            of(runs, 2) / quiet,
            p99s.join(", "),
            of(runs, 3)
        );
    }
}

/// Registrations a second, p50 and p99 in milliseconds, and how busy the server was in percent.
fn once(watchers: usize, transport: Transport) -> [f64; 4] {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let server = Server::start("ours");
    let crowd = (watchers > 0).then(|| start(&server, watchers, transport));
    let cpu = server.cpu();
    let path = "/api/v1/events/gala/registrations";
    let outcome = runtime.block_on(load::register(
        server.address,
        path,
        PEOPLE,
        PAUSE,
        Duration::from_secs(5),
        "beside",
    ));
    let busy = (server.cpu() - cpu) / outcome.elapsed.as_secs_f64();
    if let Some(mut crowd) = crowd {
        let _ = crowd.kill();
        let _ = crowd.wait();
    }
    assert_eq!(
        (outcome.refused, outcome.failed),
        (0, 0),
        "every request is served"
    );
    [outcome.rate(), outcome.p50_ms, outcome.p99_ms, busy * 100.0]
}

/// A crowd in its own process, at the lowest priority: the server's fairness is measured, not that
/// of the core that both loads share.
fn start(server: &Server, watchers: usize, transport: Transport) -> Child {
    let exe = std::env::current_exe().expect("this program");
    let mut crowd = Command::new("nice")
        .args(["-n", "19"])
        .arg(exe)
        .args([
            "--watch",
            &server.address.to_string(),
            &watchers.to_string(),
            transport.name(),
        ])
        .stdout(Stdio::piped())
        .spawn()
        .expect("a crowd starts");
    let mut line = String::new();
    BufReader::new(crowd.stdout.take().expect("a pipe"))
        .read_line(&mut line)
        .expect("the crowd is there");
    crowd
}

/// That process.
pub(super) fn watch(address: &str, watchers: &str, transport: &str) {
    let (address, watchers) = (
        address.parse().expect("an address"),
        watchers.parse().expect("a number"),
    );
    if transport == Transport::Http2.name() {
        let mut streams = Streams::new(Transport::Http2, Connector::http2());
        streams.join(address, watchers);
        println!("here");
        streams.endure();
    }
    let mut crowd = Crowd::new(|_| Transport::Sse);
    crowd.join(address, watchers);
    println!("here");
    crowd.endure();
}
