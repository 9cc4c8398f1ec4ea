//! TLS handshakes a second on one core, by this program and by nginx, with the same key and cipher.
//!
//! ```sh
//! cargo bench --bench handshakes      # BENCH_SECONDS, BENCH_ROUNDS, BENCH_CLIENTS
//! ```
//!
//! The server runs on the first core, the clients on the second. They are one program for both servers:
//! TLS 1.3, X25519, AES-128-GCM, once with a full handshake each time and once with a ticket of the
//! handshake before. A client closes in order after its handshake and waits for the server's end, so the
//! server has done all its work, tickets included. It checks no certificate: that would cost more than
//! what is measured. Both servers in turn, so that a disturbance of the machine affects both.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

#[path = "support/handshakes/clients.rs"]
mod clients;
#[path = "support/pinning.rs"]
#[expect(dead_code, reason = "another benchmark uses more of it")]
mod pinning;
#[path = "support/handshakes/servers.rs"]
mod servers;
#[path = "support/settings.rs"]
mod settings;

use clients::Clients;
use servers::Server;
use settings::number;

/// In a server's folder, as PEM.
const CERTIFICATE: &str = "certificate.pem";
const KEY: &str = "key.pem";

/// The keys of certificates that are in use, as `openssl req -newkey` calls them.
const KEYS: [(&str, &[&str]); 2] = [
    (
        "ECDSA P-256",
        &["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
    ),
    ("RSA 2048", &["rsa:2048"]),
];

fn main() {
    pinning::move_to_second_core();
    let rounds = number("BENCH_ROUNDS", 5);
    println!(
        "{:<12} {:<8} {:<10} {:>12} {:>15}",
        "key", "", "server", "handshakes/s", "CPU µs each"
    );
    for (name, key) in KEYS {
        let folder = with_certificate(key);
        for (kind, clients) in [("full", Clients::full()), ("resumed", Clients::resuming())] {
            let mut figures = [const { Vec::new() }; 2];
            for _ in 0..rounds {
                for (figures, start) in figures.iter_mut().zip([Server::headcount, Server::nginx]) {
                    figures.push(measure(&start(folder.path()), &clients));
                }
            }
            let [ours, nginx] = figures.map(|rounds| Figures::median(&rounds));
            for (server, figures) in [("headcount", &ours), ("nginx", &nginx)] {
                let Figures { rate, cpu } = figures;
                println!("{name:<12} {kind:<8} {server:<10} {rate:>12.0} {cpu:>15.1}");
            }
            println!(
                "{name:<12} {kind:<8} {:<10} {:>11.2}× {:>14.2}×",
                "  ratio",
                ours.rate / nginx.rate,
                ours.cpu / nginx.cpu
            );
        }
    }
}

/// What one round measured.
struct Figures {
    /// Handshakes a second.
    rate: f64,
    /// Processor time of the server for each, microseconds.
    cpu: f64,
}

impl Figures {
    fn median(rounds: &[Self]) -> Self {
        let median = |of: fn(&Self) -> f64| {
            let mut values: Vec<f64> = rounds.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        Self {
            rate: median(|figures| figures.rate),
            cpu: median(|figures| figures.cpu),
        }
    }
}

fn measure(server: &Server, clients: &Clients) -> Figures {
    // Fills tables, pools and the clients' tickets.
    clients.run(server.address, 0.5);
    let before = server.cpu();
    let (handshakes, seconds) = clients.run(server.address, number("BENCH_SECONDS", 3.0));
    let cpu = server.cpu() - before;
    Figures {
        rate: handshakes / seconds,
        cpu: cpu * 1e6 / handshakes,
    }
}

/// A folder with a certificate for `localhost` and its key.
fn with_certificate(key: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
        ])
        .args(["-addext", "subjectAltName=DNS:localhost", "-newkey"])
        .args(key)
        .args([
            Path::new("-keyout"),
            &path(KEY),
            Path::new("-out"),
            &path(CERTIFICATE),
        ])
        .output()
        .expect("openssl");
    assert!(made.status.success(), "{made:?}");
    folder
}
