//! `headcount watch`: one line for each change, for people and for scripts.
//!
//! Only counts go to stdout. Each line is written whole and flushed, so that a pipe (websocketd,
//! `while read`) gets it at once. A slow reader blocks the writer, which blocks the socket, and the
//! server then skips revisions: there is no backlog.

use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use jiff::tz::TimeZone;
use tokio::runtime::Builder;

use self::printer::{Format, Printer};
use super::client::item::{End, Item};
use super::client::meter::Meter;
use super::client::target::Target;
use super::client::{Transport, address, follow, tls};
use super::{signal, value};

mod line;
mod printer;
mod reader;

/// Follows an event and prints one line for each change, until it is interrupted.
#[derive(Debug, Args)]
#[expect(
    clippy::doc_markdown,
    reason = "clap prints these comments as they are"
)]
pub(super) struct WatchArgs {
    /// The event's page or API address, e.g. https://example.org/e/spring-gala.
    url: String,
    /// The transport to follow the count with.
    #[arg(long, value_enum, default_value_t = Transport::Sse)]
    transport: Transport,
    /// Print each count as the JSON object that the server sent.
    #[arg(long)]
    json: bool,
    /// Time between two requests with --transport poll.
    #[arg(long, value_parser = value::interval, default_value = "1s", value_name = "DURATION")]
    interval: Duration,
    /// Accept any TLS certificate, for self-signed ones.
    #[arg(long)]
    insecure: bool,
}

/// Exits with 0 when stopped or when the reader is gone, 1 when the event does not exist or was
/// deleted, 2 when the address is wrong.
pub(super) fn run(args: &WatchArgs) -> ExitCode {
    let target = match target(args) {
        Ok(target) => target,
        Err(error) => return fail(&error, 2),
    };
    // Printing blocks when the reader is slow. On a thread of its own it does not block signals.
    let runtime = match Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start the runtime: {error}"), 1),
    };
    let format = if args.json {
        Format::Json
    } else {
        Format::Human(TimeZone::system())
    };
    let (transport, url) = (args.transport, args.url.clone());
    let code = runtime.block_on(async move {
        let stop = signal::stop();
        let watching =
            tokio::spawn(async move { watch(&target, transport, Printer::new(format)).await });
        tokio::select! {
            () = stop => ExitCode::SUCCESS,
            () = reader::gone() => ExitCode::SUCCESS,
            ended = watching => match ended {
                Ok(Ok(())) => ExitCode::SUCCESS,
                Ok(Err(why)) => fail(&format!("{url}: {why}"), 1),
                Err(panic) => fail(&panic.to_string(), 1),
            },
        }
    });
    runtime.shutdown_background();
    code
}

fn target(args: &WatchArgs) -> Result<Target, String> {
    let (base, slug) = address::event(&args.url).map_err(|error| error.to_string())?;
    let tls = tls::config_for(&base, args.insecure).map_err(|error| format!("no TLS: {error}"))?;
    Ok(Target {
        base,
        slug,
        interval: args.interval,
        tls,
    })
}

/// Ends with 0 when stdout is closed.
async fn watch(target: &Target, transport: Transport, mut printer: Printer) -> Result<(), String> {
    let meter = Arc::new(Meter::default());
    let mut sink = |item: Item| {
        if printer.print(item) {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    };
    match follow(target, transport, &meter, &mut sink).await {
        End::Stopped => printer.failure().map_or(Ok(()), |error| {
            Err(format!("the line cannot be written: {error}"))
        }),
        end @ (End::NoSuchEvent | End::Deleted | End::Refused(_)) => Err(end.to_string()),
    }
}

fn fail(why: &str, code: u8) -> ExitCode {
    value::complain("watch", why);
    ExitCode::from(code)
}
