//! `headcount config`: prints the options that are in force, and where each comes from.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{Arg, ArgAction, Args, Command};

use super::layers::{Setting, is_in_files, option};
use super::serve::ServeArgs;
use super::value;
use crate::app::config::Config;

/// The width of a comment in the example.
const WIDTH: usize = 100;

/// Prints the options that `headcount serve` would use with the same flags, variables and files, one
/// a line, and where each value comes from. Secrets are masked.
#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    /// Print a configuration file with every option and its default as comments instead
    #[arg(long)]
    example: bool,
    #[command(flatten)]
    pub(super) serve: ServeArgs,
}

/// Exits with 0 when a server could start with these options, 2 when one is mistaken.
pub(super) fn run(args: &ConfigArgs) -> ExitCode {
    if args.example {
        value::say(example().trim_end());
        return ExitCode::SUCCESS;
    }
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
        quoted(value)
    };
    format!("{:<48} # {origin}", format!("{name} = {value}"))
}

/// Quotes and escapes of JSON are those of TOML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A configuration file in which every option is a comment: what it does, and its default.
fn example() -> String {
    let mut text = "# The configuration of Headcount. Remove the # of what you change. Flags and variables win.\n"
        .to_owned();
    let serve = ServeArgs::augment_args(Command::new("serve"));
    for arg in serve.get_arguments().filter(|arg| is_in_files(arg)) {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        text.push('\n');
        for line in wrapped(&help) {
            let _ = writeln!(text, "# {line}");
        }
        let _ = writeln!(
            text,
            "#{} = {}",
            option(arg.get_id().as_str()),
            default(arg)
        );
    }
    text
}

/// The default as TOML; empty when there is none.
fn default(arg: &Arg) -> String {
    if matches!(arg.get_action(), ArgAction::SetTrue) {
        return "false".to_owned();
    }
    let defaults = arg.get_default_values();
    let defaults: Vec<_> = defaults
        .iter()
        .map(|value| value.to_string_lossy())
        .collect();
    quoted(&defaults.join(","))
}

fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && lines[last].len() + 1 + word.len() > WIDTH {
            lines.push(word.to_owned());
        } else {
            if !lines[last].is_empty() {
                lines[last].push(' ');
            }
            lines[last].push_str(word);
        }
    }
    lines
}
