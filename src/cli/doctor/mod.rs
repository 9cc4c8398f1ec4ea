//! `headcount doctor`: checks everything that a server needs, before it starts or while it runs.
//!
//! It takes the options of `serve` and reports one line for each check: what was found, and what to
//! do. It changes nothing; it only writes and removes a file of a few KiB to measure the disk.

use std::process::ExitCode;

use clap::Args;
use tokio::runtime::Builder;

use super::serve::ServeArgs;
use super::value;
use crate::app::config::Config;

mod address;
mod certificate;
mod database;
mod finding;
mod machine;
mod mail;

use finding::{Finding, Level};

/// Checks configuration, database, schema, disk, open files, clock, addresses, certificate, proxy and
/// mail server of the server that these options would start. Prints one line for each check, with what to do.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    pub(super) serve: ServeArgs,
}

/// Exits with 0 when nothing keeps the server from working, 1 when something does, 2 for mistaken
/// options.
pub(super) fn run(args: &DoctorArgs) -> ExitCode {
    // A bad certificate is a finding, not an invalid option.
    let files = certificate::Files::of(&args.serve);
    let mut options = args.serve.clone();
    if files.is_some() {
        (options.tls_cert, options.tls_key) = (None, None);
    }
    let config = match Config::read(&options) {
        Ok(config) => config,
        Err(mistakes) => {
            for mistake in mistakes {
                Finding::fault("configuration", mistake).print();
            }
            return ExitCode::from(2);
        }
    };
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            value::complain("doctor", &format!("cannot start the runtime: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let mut worst = Level::Ok;
    let files = files.or_else(|| config.acme.as_ref().map(certificate::Files::fetched));
    for finding in runtime.block_on(examine(&config, files.as_ref())) {
        finding.print();
        worst = worst.max(finding.level);
    }
    match worst {
        Level::Ok | Level::Warning => ExitCode::SUCCESS,
        Level::Fault => ExitCode::FAILURE,
    }
}

async fn examine(config: &Config, files: Option<&certificate::Files>) -> Vec<Finding> {
    let mut findings = vec![configuration(config)];
    let (database, inspection) = database::examine(config).await;
    findings.extend(database);
    findings.extend(machine::disk(config));
    findings.push(machine::open_files(config));
    findings.push(machine::clock(inspection.as_ref()));
    let (listen, serves) = address::listen(config, files.is_some()).await;
    findings.push(listen);
    findings.extend(address::webtransport(config, files.is_some(), serves).await);
    findings.extend(files.map(|files| {
        let to_come = config.acme.as_ref().and_then(|acme| files.to_come(acme));
        to_come.unwrap_or_else(|| files.examine(config.public_url.as_deref()))
    }));
    findings.extend(address::public(config, files.is_some(), serves).await);
    findings.extend(mail::examine(config).await);
    findings
}

fn configuration(config: &Config) -> Finding {
    let warnings = config.warnings();
    if warnings.is_empty() {
        Finding::ok("configuration", "every option is valid")
    } else {
        Finding::warning("configuration", warnings.join("; "))
    }
}
