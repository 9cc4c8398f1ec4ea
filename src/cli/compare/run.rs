//! The phases of a run, one after the other or all at once.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::CompareArgs;
use super::lab::Lab;
use super::load;
use super::outcome::Outcome;
use super::phase::{self, Setting};
use super::process::Process;
use super::variant::Variant;
use crate::domain::clock::Clock;

/// Long enough to measure a registration by a clock of hundredths of a second.
const ALONE: Duration = Duration::from_secs(10);

/// Measures everything.
pub(super) async fn measure(
    lab: &Lab,
    args: &CompareArgs,
    variants: &[Variant],
) -> Result<Outcome, String> {
    let server = match args.server_pid {
        Some(pid) => Some(
            Process::of(pid)
                .ok_or_else(|| format!("there is no process {pid} that can be seen"))?,
        ),
        None if lab.local => Process::listening_on(lab.base.port),
        None => None,
    };
    let schedule = load::schedule(args.rate, args.duration);
    let calm = load::schedule(args.rate, args.duration.min(ALONE));
    // With all transports at once, the server's CPU time cannot be split between them.
    let unmixed = server.as_ref().filter(|_| !args.together);
    let phases = if args.together { 1 } else { variants.len() };
    let progress = bar(phases * schedule.len() + unmixed.map_or(0, |_| calm.len()));
    let mut setting = Setting {
        lab,
        watchers: args.watchers,
        schedule: &calm,
        server: server.as_ref(),
        cpu_us_per_registration: None,
        progress: &progress,
    };
    if let Some(server) = unmixed {
        progress.set_message("nobody watches");
        setting.cpu_us_per_registration = phase::alone(&setting, server).await?;
    }
    setting.schedule = &schedule;
    let mut rows = Vec::new();
    if args.together {
        progress.set_message("all together");
        rows = phase::run(&setting, variants).await?;
    } else {
        for variant in variants {
            progress.set_message(variant.name());
            rows.extend(phase::run(&setting, std::slice::from_ref(variant)).await?);
        }
    }
    let cpu_us_per_registration = setting.cpu_us_per_registration;
    progress.finish_and_clear();
    Ok(Outcome {
        server: lab.base.url(""),
        at: Clock::System.now(),
        watchers: args.watchers,
        registrations_per_second: args.rate,
        duration_s: args.duration.as_secs_f64(),
        together: args.together,
        server_process: server.map(|process| process.name),
        server_cpu_us_per_registration: cpu_us_per_registration,
        clock_uncertainty_ms: lab.clock.uncertainty.as_secs_f64() * 1e3,
        rows,
    })
}

/// A progress bar on stderr, only on a terminal.
fn bar(registrations: usize) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{msg:20} {wide_bar} {pos}/{len} registrations, {eta} left");
    // The template is a valid constant.
    ProgressBar::new(registrations as u64)
        .with_style(style.expect("a template that indicatif reads"))
}
