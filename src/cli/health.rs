//! `headcount health`: whether the server beside it is ready; for container health checks, which have no other HTTP client.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

/// How long the whole exchange may take; a health check has a deadline of its own.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where to ask.
#[derive(Debug, Args)]
pub(super) struct HealthArgs {
    /// The address that the server listens on; one that stands for all addresses is asked on loopback.
    #[arg(long, env = "HEADCOUNT_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,
}

/// Ends with 0 when the server is ready, else with 1 and the reason.
pub(super) fn run(args: &HealthArgs) -> ExitCode {
    match ask(args.listen) {
        Ok(status) if status.starts_with("HTTP/1.1 200") => ExitCode::SUCCESS,
        Ok(status) => {
            eprintln!("not ready: {status}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("not ready: {}: {error}", args.listen);
            ExitCode::FAILURE
        }
    }
}

fn ask(mut address: SocketAddr) -> std::io::Result<String> {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    // The status line is all that is wanted.
    stream.take(4096).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned())
}
