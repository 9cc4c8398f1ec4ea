//! `headcount config`: prints the options that are in force, and where each comes from.

use std::process::ExitCode;

use clap::Args;

use super::layers::Setting;
use super::serve::ServeArgs;
use super::value;
use crate::app::config::Config;

/// Prints the options that `headcount serve` would use with the same flags, variables and files, one
/// a line, and where each value comes from. Secrets are masked.
#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    #[command(flatten)]
    pub(super) serve: ServeArgs,
}

/// Exits with 0 when a server could start with these options, 2 when one is mistaken.
pub(super) fn run(args: &ConfigArgs) -> ExitCode {
    for setting in &args.serve.layers.settings {
        value::say(&line(setting));
    }
    match Config::read(&args.serve) {
        Ok(_) => ExitCode::SUCCESS,
        Err(mistakes) => {
            for mistake in mistakes {
                value::complain("config", &mistake);
            }
            ExitCode::from(2)
        }
    }
}

/// A line of a configuration file, with the origin as its comment.
fn line(setting: &Setting) -> String {
    let Setting {
        name,
        value,
        is_switch,
        origin,
    } = setting;
    let value = if *is_switch {
        value.clone()
    } else {
        // Quotes and escapes of JSON are those of TOML.
        serde_json::Value::from(value.as_str()).to_string()
    };
    format!("{:<48} # {origin}", format!("{name} = {value}"))
}
