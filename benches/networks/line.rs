//! The line between two network namespaces, and the programs at its ends.
//!
//! - Delay, jitter and cuts of a train by `relay.py` between two TUN devices;
//! - rate by the kernel's token bucket (`tc … tbf`) on each device;
//! - loss by nftables, at random on arrival; the kernel's own counters are read.
//!
//! TCP and QUIC are the real ones. Everything is removed when a [`Line`] is dropped.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::Network;

/// A namespace, its address and its device.
pub(super) const SERVER: (&str, &str, &str) = ("headcount-server", "10.99.0.1", "line0");
pub(super) const CLIENT: (&str, &str, &str) = ("headcount-client", "10.99.0.2", "line1");
pub(super) const PROGRAM: &str = env!("CARGO_BIN_EXE_headcount");
pub(super) const TOKEN: &str = "a-token-for-benchmarks";
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/networks");
/// Where `scripts/setup` installs what `tests/it/requirements.txt` lists.
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/python/bin/python");

/// Ports of the server.
pub(super) struct Ports {
    /// HTTP/1.1 and HTTP/2 over TLS, and WebTransport over UDP.
    pub(super) tls: u16,
    pub(super) plain: u16,
    /// HTTP/3 by Caddy.
    pub(super) caddy: u16,
}

pub(super) const PORTS: Ports = Ports {
    tls: 8443,
    plain: 8080,
    caddy: 9443,
};

/// The two namespaces, with a line between them.
pub(super) struct Line {
    // Ended in this order.
    relay: Ended,
    namespaces: Namespaces,
    folder: TempDir,
}

struct Namespaces([&'static str; 2]);

impl Drop for Namespaces {
    fn drop(&mut self) {
        for name in self.0 {
            let _ = Command::new("ip").args(["netns", "delete", name]).status();
        }
    }
}

impl Line {
    pub(super) fn open(network: &Network) -> Result<Self, String> {
        let namespaces = Namespaces([SERVER.0, CLIENT.0]);
        for (name, ..) in [SERVER, CLIENT] {
            run("ip", &["netns", "add", name])?;
            run("ip", &["-n", name, "link", "set", "lo", "up"])?;
        }
        let relay = relay(network)?;
        for (name, _, device) in [SERVER, CLIENT] {
            // A tenth of a second waits in the queue before packets are dropped there.
            let bucket = format!(
                "-n {name} qdisc add dev {device} root tbf rate {} burst 16kb latency 100ms",
                network.rate
            );
            run("tc", &bucket.split(' ').collect::<Vec<_>>())?;
            let rules = format!(
                "table inet line {{ chain arrive {{ type filter hook prerouting priority raw; \
                 iifname {device} counter; \
                 iifname {device} numgen random mod 1000 < {} counter drop; }}; }}",
                network.lost_per_mille
            );
            inside(name, "nft", &[&rules])?;
        }
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let names = ["localhost".to_owned(), SERVER.1.to_owned()];
        let made = rcgen::generate_simple_self_signed(names).map_err(|error| error.to_string())?;
        let line = Self {
            relay,
            namespaces,
            folder,
        };
        line.write("cert.pem", &made.cert.pem())?;
        line.write("key.pem", &made.signing_key.serialize_pem())?;
        Ok(line)
    }

    /// The server, over TLS and with WebTransport. A second one continues with the first one's data.
    pub(super) fn server(&self) -> Result<Ended, String> {
        let listen = format!("0.0.0.0:{}", PORTS.tls);
        let (cert, key) = (self.path("cert.pem"), self.path("key.pem"));
        let tls = [
            "--webtransport-listen",
            &listen,
            "--tls-cert",
            &cert,
            "--tls-key",
            &key,
        ];
        self.start_server("tls.db", &listen, &tls)
    }

    /// A server without TLS.
    pub(super) fn plain_server(&self) -> Result<Ended, String> {
        self.start_server("plain.db", &format!("0.0.0.0:{}", PORTS.plain), &[])
    }

    fn start_server(&self, file: &str, listen: &str, more: &[&str]) -> Result<Ended, String> {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", SERVER.0, PROGRAM, "--listen", listen])
            .args(["--database-url", &format!("sqlite://{}", self.path(file))])
            .args(["--admin-token", TOKEN, "--log", "error", "--drain", "3s"])
            .args(more)
            // Freed memory is returned at once, so that what is resident is in use.
            .env("MIMALLOC_PURGE_DELAY", "0");
        ready(&mut command, "Limits")
    }

    /// Caddy with HTTP/3 in front of the server.
    pub(super) fn caddy(&self) -> Result<Ended, String> {
        let file = format!(
            "{{\n admin off\n auto_https disable_redirects\n log {{\n  output discard\n }}\n}}\n\
             https://localhost:{} {{\n tls {} {}\n reverse_proxy https://{}:{} {{\n  \
             flush_interval -1\n  transport http {{\n   tls_insecure_skip_verify\n  }}\n }}\n}}\n",
            PORTS.caddy,
            self.path("cert.pem"),
            self.path("key.pem"),
            SERVER.1,
            PORTS.tls
        );
        self.write("Caddyfile", &file)?;
        let home = self.folder.path();
        let child = Command::new("ip")
            .args([
                "netns",
                "exec",
                SERVER.0,
                "caddy",
                "run",
                "--config",
                &self.path("Caddyfile"),
            ])
            .envs([
                ("HOME", home),
                ("XDG_DATA_HOME", home),
                ("XDG_CONFIG_HOME", home),
            ])
            .stderr(Stdio::null())
            .spawn();
        child.map(Ended).map_err(|error| format!("caddy: {error}"))
    }

    /// Nothing passes for this time.
    pub(super) fn cut(&self, time: Duration) -> Result<(), String> {
        let rules = "table inet cut { chain gone { type filter hook prerouting priority -400; \
                     iifname != lo drop; }; }";
        for name in self.names() {
            inside(name, "nft", &[rules])?;
        }
        sleep(time);
        for name in self.names() {
            inside(name, "nft", &["delete table inet cut"])?;
        }
        Ok(())
    }

    /// The packets that were lost, and those that arrived or were lost.
    pub(super) fn counters(&self) -> Result<(u64, u64), String> {
        let (mut lost, mut packets) = (0, 0);
        for name in self.names() {
            let (all, dropped) =
                counters(&inside(name, "nft", &["list", "table", "inet", "line"])?);
            packets += all;
            lost += dropped;
        }
        Ok((lost, packets))
    }

    /// Removes it; returns what the relay says of its own lateness.
    pub(super) fn close(self) -> Result<Value, String> {
        let Self { mut relay, .. } = self;
        let text = relay.stop()?;
        serde_json::from_str(&text).map_err(|error| format!("relay.py: {error}"))
    }

    fn names(&self) -> [&'static str; 2] {
        self.namespaces.0
    }

    fn path(&self, file: &str) -> String {
        self.folder.path().join(file).display().to_string()
    }

    fn write(&self, file: &str, text: &str) -> Result<(), String> {
        std::fs::write(self.folder.path().join(file), text)
            .map_err(|error| format!("{file}: {error}"))
    }
}

/// A process that is ended when it is dropped.
pub(super) struct Ended(Child);

impl Ended {
    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Ends it in order, and returns what it still says.
    pub(super) fn stop(&mut self) -> Result<String, String> {
        if let Some(pid) = Pid::from_raw(self.0.id().cast_signed()) {
            kill_process(pid, Signal::TERM).map_err(|error| error.to_string())?;
        }
        let mut text = String::new();
        if let Some(output) = &mut self.0.stdout {
            let read = output.read_to_string(&mut text);
            read.map_err(|error| error.to_string())?;
        }
        self.0.wait().map_err(|error| error.to_string())?;
        Ok(text)
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `outside.py`, running.
pub(super) struct Outside {
    child: Ended,
    input: Option<ChildStdin>,
}

impl Outside {
    pub(super) fn start(part: &str, place: &Value) -> Result<Self, String> {
        Self::start_in(CLIENT.0, part, place)
    }

    /// Starts it; a watching one has every first count when this returns.
    pub(super) fn start_in(namespace: &str, part: &str, place: &Value) -> Result<Self, String> {
        let program = format!("{FOLDER}/outside.py");
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", namespace, PYTHON, "-B", &program])
            .args([part, &place.to_string()])
            .stdin(Stdio::piped());
        let mut child = ready(&mut command, "ready")?;
        let input = child.0.stdin.take();
        Ok(Self { child, input })
    }

    /// Sends it a line.
    pub(super) fn say(&mut self, line: &str) -> Result<(), String> {
        let input = self.input.as_mut().ok_or("outside.py has no input")?;
        writeln!(input, "{line}").map_err(|error| format!("outside.py: {error}"))
    }

    /// Ends its input, and returns its figures.
    pub(super) fn end(mut self) -> Result<Value, String> {
        self.input = None;
        let mut text = String::new();
        if let Some(output) = &mut self.child.0.stdout {
            let read = output.read_to_string(&mut text);
            read.map_err(|error| format!("outside.py: {error}"))?;
        }
        serde_json::from_str(&text).map_err(|error| format!("outside.py: {error}"))
    }
}

fn relay(network: &Network) -> Result<Ended, String> {
    let (every, cut) = network.cut.unwrap_or((0, 0));
    let mut command = Command::new("python3");
    command
        .arg(format!("{FOLDER}/relay.py"))
        .args([SERVER.0, &format!("{}/24", SERVER.1)])
        .args([CLIENT.0, &format!("{}/24", CLIENT.1)])
        // The jitter has a mean of its half, on each way.
        .arg(((network.round_trip_ms - network.jitter_ms) / 2.0).to_string())
        .arg(network.jitter_ms.to_string())
        .args([every.to_string(), cut.to_string()]);
    ready(&mut command, "ready")
}

/// Starts a program and waits for a line that begins with `word`.
fn ready(command: &mut Command, word: &str) -> Result<Ended, String> {
    let child = command.stdout(Stdio::piped()).spawn();
    let mut child =
        Ended(child.map_err(|error| format!("{}: {error}", command.get_program().display()))?);
    if let Some(output) = child.0.stdout.take() {
        let mut output = BufReader::new(output);
        let mut line = String::new();
        while output.read_line(&mut line).is_ok_and(|read| read > 0) {
            if line.starts_with(word) {
                // Nothing follows at once.
                child.0.stdout = Some(output.into_inner());
                return Ok(child);
            }
            line.clear();
        }
    }
    Err(format!("a program ended before it said {word:?}"))
}

pub(super) fn inside(namespace: &str, program: &str, args: &[&str]) -> Result<String, String> {
    let prefix = ["netns", "exec", namespace, program];
    run("ip", &[&prefix[..], args].concat())
}

fn run(program: &str, args: &[&str]) -> Result<String, String> {
    let mut command = Command::new(program);
    let done = command.args(args).stderr(Stdio::inherit()).output();
    let done = done.map_err(|error| format!("{program}: {error}"))?;
    let output = String::from_utf8_lossy(&done.stdout).into_owned();
    // `compare` exits with 1 when something was lost; its figures say what.
    if done.status.success() || output.starts_with('{') {
        Ok(output)
    } else {
        Err(format!("{program} {}: {}", args.join(" "), done.status))
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

/// A moment, and for how long some task has waited for a processor since the machine's start.
pub(super) struct Pressure(Instant, f64);

impl Pressure {
    pub(super) fn now() -> Self {
        let text = std::fs::read_to_string("/proc/pressure/cpu").unwrap_or_default();
        let some = text.lines().find(|line| line.starts_with("some"));
        let total = some.and_then(|line| line.rsplit_once("total=")?.1.parse().ok());
        Self(Instant::now(), total.unwrap_or(0.0))
    }

    /// The share of the time since then.
    pub(super) fn percent(&self) -> f64 {
        let now = Self::now();
        (now.1 - self.1) / 1e4 / now.0.duration_since(self.0).as_secs_f64()
    }
}
