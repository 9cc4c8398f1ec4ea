//! `headcount compare`: every transport under the same load, measured at the watcher.
//!
//! By default each transport has its own phase, with the same number of watchers and the same
//! registrations at the same moments. Each watcher has its own socket, as a browser has. Afterwards
//! the run compares what each watcher saw with the server's change log. Everything runs on one
//! thread, so that measuring takes at most one core beside a server on the same machine; the report
//! states its share.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tokio::runtime::Builder;

use super::client::address::Base;
use super::client::{Transport, tls};
use super::{signal, value};

mod age;
mod clock;
mod files;
mod html;
mod lab;
mod load;
mod outcome;
mod phase;
mod plot;
mod process;
mod run;
mod table;
mod variant;
mod verdict;
mod watcher;

use variant::Variant;

/// Runs every transport under load and reports what each costs and how late it is.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
#[expect(
    clippy::doc_markdown,
    reason = "clap prints these comments as they are"
)]
pub(super) struct CompareArgs {
    /// The server's address, e.g. http://127.0.0.1:8080
    url: String,
    /// An existing event, instead of one created for this run.
    #[arg(long, value_name = "SLUG", requires = "yes_register_people")]
    event: Option<String>,
    /// Confirm that made-up people may register at that event.
    #[arg(long)]
    yes_register_people: bool,
    /// The bearer token of the organiser's API, to create an event for this run.
    #[arg(
        long,
        env = "HEADCOUNT_ADMIN_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    admin_token: Option<String>,
    /// Watchers for each transport.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=50_000), value_name = "N")]
    watchers: u32,
    /// Registrations a second, at random moments that are the same for each transport.
    #[arg(long, default_value_t = 20.0, value_parser = rate, value_name = "R")]
    rate: f64,
    /// How long people register, for each transport.
    #[arg(long, default_value = "10s", value_parser = duration, value_name = "DURATION")]
    duration: Duration,
    /// What to compare.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = variant::ALL, value_name = "LIST")]
    transports: Vec<Transport>,
    /// The intervals of `poll`, each with its own row.
    #[arg(long, value_delimiter = ',', default_value = "1s,3s", value_parser = value::interval, value_name = "DURATIONS")]
    poll_intervals: Vec<Duration>,
    /// Measure all transports at the same time instead of one after the other.
    #[arg(long)]
    together: bool,
    /// The server's process, to read its CPU time; found by itself when the server listens on this
    /// machine's loopback.
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,
    /// Print the figures as JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Write a report with plots, in one HTML file.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Accept any TLS certificate, for self-signed ones.
    #[arg(long)]
    insecure: bool,
}

/// Exits with 0 when every watcher ended on the newest count, 1 when one did not or the run failed,
/// 2 when an option is wrong.
pub(super) fn run(args: &CompareArgs) -> ExitCode {
    let base = match Base::parse(&args.url) {
        Ok(base) => base,
        Err(error) => return fail(&error.to_string(), 2),
    };
    let tls = match tls::config_for(&base, args.insecure) {
        Ok(tls) => tls,
        Err(error) => return fail(&format!("no TLS: {error}"), 1),
    };
    let variants = variant::list(&args.transports, &args.poll_intervals);
    if let Err(why) = files::allow(sockets(args, &variants)) {
        return fail(&why, 1);
    }
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start the runtime: {error}"), 1),
    };
    let outcome = runtime.block_on(async {
        let stop = signal::stop();
        let lab = lab::Lab::open(base, tls, args).await?;
        let measure = async {
            let offered = offered(&lab, variants).await?;
            run::measure(&lab, args, &offered).await
        };
        let measured = tokio::select! {
            measured = measure => measured,
            () = stop => Err("interrupted".to_owned()),
        };
        // Also after a failure or Ctrl-C: the event must not stay in the organiser's list.
        lab.close().await;
        measured
    });
    match outcome.and_then(|outcome| report(args, &outcome)) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(lost) => fail(
            &format!("{lost} watchers did not receive the newest count"),
            1,
        ),
        Err(why) => fail(&why, 1),
    }
}

/// Leaves WebTransport out where the server does not offer it: it is off by default.
async fn offered(lab: &lab::Lab, variants: Vec<Variant>) -> Result<Vec<Variant>, String> {
    let (sessions, others): (Vec<_>, Vec<_>) = variants
        .iter()
        .partition(|variant| variant.transport == Transport::WebTransport);
    if sessions.is_empty() || lab.has_webtransport().await? {
        return Ok(variants);
    }
    let why = "the server does not speak WebTransport; start it with --webtransport-listen";
    if others.is_empty() {
        return Err(why.to_owned());
    }
    value::complain("compare", why);
    Ok(others)
}

/// Prints the results. Returns how many watchers lost something.
fn report(args: &CompareArgs, outcome: &outcome::Outcome) -> Result<usize, String> {
    if let Some(file) = &args.report {
        std::fs::write(file, html::render(outcome)?)
            .map_err(|error| format!("{}: {error}", file.display()))?;
    }
    let text = if args.json {
        serde_json::to_string_pretty(outcome).map_err(|error| error.to_string())? + "\n"
    } else {
        table::render(outcome)
    };
    // A closed pipe (`| head`) is not a failure of the run.
    let _ = std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes());
    Ok(outcome.rows.iter().map(|row| row.lost).sum())
}

/// Sockets open at the same time, with some for the registrations.
fn sockets(args: &CompareArgs, variants: &[Variant]) -> u64 {
    let rows = if args.together { variants.len() } else { 1 };
    u64::from(args.watchers) * rows as u64 + 256
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.1..=10_000.0).contains(&rate) {
        Ok(rate)
    } else {
        Err("from 0.1 to 10000 a second".to_owned())
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration = value::duration(text)?;
    if duration >= Duration::from_secs(1) {
        Ok(duration)
    } else {
        Err("a second at least".to_owned())
    }
}

fn fail(why: &str, code: u8) -> ExitCode {
    value::complain("compare", why);
    ExitCode::from(code)
}
