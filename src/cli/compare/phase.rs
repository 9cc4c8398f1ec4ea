//! One phase: watchers connect, people register, all watchers catch up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::lab::Lab;
use super::load;
use super::outcome::{Raw, Row};
use super::process::Process;
use super::variant::Variant;
use super::watcher::Watcher;
use crate::cli::client::meter::Traffic;

/// How often to check whether all watchers are there.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// What all phases of a run share.
pub(super) struct Setting<'a> {
    pub(super) lab: &'a Lab,
    pub(super) watchers: u32,
    pub(super) schedule: &'a [Duration],
    pub(super) server: Option<&'a Process>,
    /// The server's CPU time for a registration without watchers, in microseconds; `None` when
    /// unknown.
    pub(super) cpu_us_per_registration: Option<f64>,
    pub(super) progress: &'a ProgressBar,
}

/// The watchers of one transport.
struct Crowd {
    variant: Variant,
    watchers: Vec<Arc<Watcher>>,
    traffic: Traffic,
    cuts: u32,
}

/// Measures the transports side by side.
pub(super) async fn run(setting: &Setting<'_>, variants: &[Variant]) -> Result<Vec<Row>, String> {
    let lab = setting.lab;
    // Dropping it ends every watcher.
    let mut tasks = JoinSet::new();
    let mut crowds: Vec<Crowd> = variants
        .iter()
        .map(|variant| Crowd::gather(setting, *variant, &mut tasks))
        .collect();
    for crowd in &crowds {
        crowd.arrived().await?;
    }
    // Connecting must not count as a cost of updates.
    sleep(Duration::from_millis(300)).await;
    let before = lab.count().await?;
    for crowd in &mut crowds {
        (crowd.traffic, crowd.cuts) = crowd.totals();
    }
    let (cpu, own, started) = (
        setting.server.and_then(Process::cpu),
        Process::own().cpu(),
        Instant::now(),
    );
    load::people(lab, setting.schedule, setting.progress).await?;
    let ended = Instant::now();
    let newest = lab.count().await?.revision();
    for crowd in &crowds {
        crowd.caught_up(newest).await;
    }
    let wall = started.elapsed();
    let spent = |process: Option<&Process>, earlier: Option<Duration>| {
        Some(process?.cpu()?.saturating_sub(earlier?))
    };
    let (cpu, own) = (
        spent(setting.server, cpu),
        spent(Some(&Process::own()), own),
    );
    let readings: Vec<_> = crowds.iter().map(Crowd::totals).collect();
    tasks.abort_all();
    let commits = lab.commits(&before.position.to_string()).await?;
    let registrations: f64 = setting.schedule.iter().map(|_| 1.0).sum();
    let server_cpu_us = cpu
        .zip(setting.cpu_us_per_registration)
        .map(|(cpu, each)| (cpu.as_secs_f64() * 1e6 - each * registrations).max(0.0));
    let rows = crowds.iter().zip(readings).map(|(crowd, (traffic, cuts))| {
        Row::of(&Raw {
            variant: crowd.variant,
            watchers: &crowd.watchers,
            commits: &commits,
            clock: &lab.clock,
            from: lab.clock.at(started),
            to: lab.clock.at(ended),
            traffic: traffic - crowd.traffic,
            reconnects: cuts - crowd.cuts,
            server_cpu_us,
            client_cpu_percent: own.map(|own| own.as_secs_f64() / wall.as_secs_f64() * 100.0),
        })
    });
    Ok(rows.collect())
}

/// The server's CPU time for a registration without watchers, in microseconds.
pub(super) async fn alone(setting: &Setting<'_>, server: &Process) -> Result<Option<f64>, String> {
    let before = server.cpu();
    load::people(setting.lab, setting.schedule, setting.progress).await?;
    let registrations: f64 = setting.schedule.iter().map(|_| 1.0).sum();
    Ok(server.cpu().zip(before).map(|(after, before)| {
        after.saturating_sub(before).as_secs_f64() * 1e6 / registrations.max(1.0)
    }))
}

impl Crowd {
    fn gather(setting: &Setting<'_>, variant: Variant, tasks: &mut JoinSet<()>) -> Self {
        let target = Arc::new(setting.lab.target(variant.interval));
        let watchers: Vec<Arc<Watcher>> = (0..setting.watchers).map(|_| Arc::default()).collect();
        for (number, watcher) in (0..setting.watchers).zip(&watchers) {
            let (watcher, target) = (Arc::clone(watcher), Arc::clone(&target));
            let after = variant.ramp() * number / setting.watchers;
            tasks.spawn(async move {
                sleep(after).await;
                watcher.watch(target, variant).await;
            });
        }
        Self {
            variant,
            watchers,
            traffic: Traffic::default(),
            cuts: 0,
        }
    }

    /// Waits for every watcher's first count.
    async fn arrived(&self) -> Result<(), String> {
        const RAMP_TIMEOUT: Duration = Duration::from_secs(30);
        let deadline = Instant::now() + self.variant.ramp() + RAMP_TIMEOUT;
        loop {
            let there = self
                .watchers
                .iter()
                .filter(|watcher| watcher.newest() > 0)
                .count();
            if there == self.watchers.len() {
                return Ok(());
            }
            if Instant::now() > deadline || self.watchers.iter().any(|watcher| watcher.gave_up()) {
                let mut missing = self.watchers.iter().filter(|watcher| watcher.newest() == 0);
                let why = missing
                    .find_map(|watcher| watcher.trouble())
                    .unwrap_or_else(|| "the others waited without success".into());
                return Err(format!(
                    "{}: only {there} of {} watchers received a count: {why}",
                    self.variant.name(),
                    self.watchers.len()
                ));
            }
            sleep(CHECK_INTERVAL).await;
        }
    }

    /// Waits until each shows `newest`, for as long as the transport may take.
    async fn caught_up(&self, newest: i64) {
        let deadline = Instant::now() + self.variant.grace();
        while Instant::now() < deadline
            && self
                .watchers
                .iter()
                .any(|watcher| watcher.newest() < newest)
        {
            sleep(CHECK_INTERVAL).await;
        }
    }

    fn totals(&self) -> (Traffic, u32) {
        (
            self.watchers
                .iter()
                .map(|watcher| watcher.meter.read())
                .sum(),
            self.watchers.iter().map(|watcher| watcher.cuts()).sum(),
        )
    }
}
