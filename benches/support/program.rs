//! A server in a process of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

/// A running server; stopped when it is dropped.
pub(crate) struct Program {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Program {
    /// Starts `command`, which prints its address on its first line, and waits for that line.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("a pipe"))
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
        Self { process, address }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `headcount` on a free port, with the database at `url` and no limit for one address.
pub(crate) fn headcount(url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headcount"));
    command.args([
        "--listen",
        "127.0.0.1:0",
        "--register-rate-per-ip",
        "0",
        "--database-url",
        url,
    ]);
    command
}
