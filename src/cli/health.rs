//! `headcount health`: checks whether a server is ready. Container health checks use it, because
//! images have no other HTTP client.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use http::StatusCode;
use tokio::runtime::Builder;

use super::client::address::{Base, loopback};
use super::client::api::{Api, Call};
use super::client::tls;
use super::layers::Layers;
use super::value;

/// For the whole exchange: a container runtime's own deadline is usually 3 s.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Which server to ask.
#[derive(Debug, Args)]
#[expect(
    clippy::doc_markdown,
    reason = "clap prints these comments as they are"
)]
pub(super) struct HealthArgs {
    /// A server's address, e.g. https://example.org; without it the server on this machine is asked
    /// that listens at --listen.
    url: Option<String>,
    /// The server's configuration file.
    #[arg(long, env = "HEADCOUNT_CONFIG", value_name = "FILE")]
    config: Option<String>,
    /// What was read from it.
    #[arg(skip)]
    pub(super) layers: Layers,
    /// The address that the server listens on; an unspecified address (0.0.0.0, ::) means loopback.
    #[arg(
        long,
        env = "HEADCOUNT_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS"
    )]
    listen: SocketAddr,
    /// Use TLS for the server at --listen. Its certificate is not checked, because it names no
    /// loopback address.
    #[arg(long, env = "HEADCOUNT_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<String>,
    /// The same for a server that fetches its certificate itself.
    #[arg(long, env = "HEADCOUNT_ACME_DOMAINS", value_name = "NAMES")]
    acme_domains: Option<String>,
    /// Accept any TLS certificate, for self-signed ones.
    #[arg(long)]
    insecure: bool,
}

/// Exits with 0 when the server is ready, 1 and the reason when it is not, 2 when the address is
/// wrong.
pub(super) fn run(args: &HealthArgs) -> ExitCode {
    if !args.layers.mistakes.is_empty() {
        return fail(&args.layers.mistakes.join("; "), 2);
    }
    let beside = beside(args);
    let base = match Base::parse(args.url.as_ref().unwrap_or(&beside)) {
        Ok(base) => base,
        Err(error) => return fail(&error.to_string(), 2),
    };
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start the runtime: {error}"), 1),
    };
    match runtime.block_on(ask(&base, args.insecure || args.url.is_none())) {
        Ok(StatusCode::OK) => ExitCode::SUCCESS,
        Ok(status) => fail(&format!("{} is not ready: {status}", base.url("")), 1),
        Err(why) => fail(&format!("{} is not ready: {why}", base.url("")), 1),
    }
}

/// The URL of the server that listens at `--listen`.
fn beside(args: &HealthArgs) -> String {
    let address = loopback(args.listen);
    let given = |option: &Option<String>| option.as_ref().is_some_and(|text| !text.is_empty());
    let tls = given(&args.tls_cert) || given(&args.acme_domains);
    format!("{}://{address}/", if tls { "https" } else { "http" })
}

async fn ask(base: &Base, insecure: bool) -> Result<StatusCode, String> {
    let tls = tls::config_for(base, insecure).map_err(|error| error.to_string())?;
    let api = Api::new(base.clone(), tls, ANSWER_TIMEOUT);
    let answer = api.send(&Call::get("health/ready")).await?;
    Ok(answer.status)
}

fn fail(why: &str, code: u8) -> ExitCode {
    value::complain("health", why);
    ExitCode::from(code)
}
