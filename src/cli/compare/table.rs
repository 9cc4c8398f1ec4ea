//! The figures as text.

use std::fmt::Write as _;

use super::outcome::{Outcome, Row};
use super::verdict;

const HEADS: [&str; 12] = [
    "",
    "watchers",
    "updates",
    "delay p50",
    "p90",
    "p99",
    "max",
    "mean age",
    "requests",
    "bytes",
    "server CPU",
    "skipped",
];

/// A table, the terms explained, and the verdict.
pub(super) fn render(outcome: &Outcome) -> String {
    let mut lines: Vec<Vec<String>> = vec![
        HEADS
            .iter()
            .map(|head| (*head).to_owned())
            .chain(["lost".to_owned()])
            .collect(),
    ];
    lines.extend(outcome.rows.iter().map(cells));
    let widths: Vec<usize> = (0..lines[0].len())
        .map(|column| {
            lines
                .iter()
                .map(|line| line[column].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    for line in lines {
        let mut text = String::new();
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            // Writing to a string cannot fail.
            let _ = if column == 0 {
                write!(text, "{cell:<width$}")
            } else {
                write!(text, "  {cell:>width$}")
            };
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out.push('\n');
    for line in terms(outcome).iter().chain(&verdict::sentences(outcome)) {
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// One row's cells, in the order of the heads; the report uses the same.
pub(super) fn cells(row: &Row) -> Vec<String> {
    let delay = &row.delay;
    let mut cells = vec![
        row.name.clone(),
        row.watchers.to_string(),
        row.updates.to_string(),
    ];
    cells.extend(
        [
            delay.p50_ms,
            delay.p90_ms,
            delay.p99_ms,
            delay.max_ms,
            row.mean_age_ms,
        ]
        .map(milliseconds),
    );
    cells.push(format!("{:.2}", row.requests_per_update));
    cells.push(format!("{:.0}", row.bytes_per_update()));
    cells.push(
        row.server_cpu_us_per_update
            .map_or_else(|| "–".to_owned(), |us| format!("{us:.0} µs")),
    );
    cells.extend([row.skipped.to_string(), row.lost.to_string()]);
    cells
}

/// The heads, for the report.
pub(super) fn heads() -> impl Iterator<Item = &'static str> {
    HEADS.into_iter().chain(["lost"])
}

/// How to read the figures.
pub(super) fn terms(outcome: &Outcome) -> Vec<String> {
    let mut lines = vec![
        format!(
            "{} watchers for each transport, {} registrations a second for {} s, {}.",
            outcome.watchers,
            outcome.registrations_per_second,
            outcome.duration_s,
            if outcome.together {
                "all transports at the same time"
            } else {
                "one transport after the other"
            }
        ),
        "Delay: from a change's commit until it or a later one is shown. Mean age: for how long \
        the number on the screen has been out of date, averaged over time."
            .to_owned(),
        "Requests, bytes (both ways, on the wire) and server CPU are for each update shown. \
        Skipped: overtaken by a later count before it was sent. Lost: watchers that did not end \
        on the newest count."
            .to_owned(),
    ];
    if let (Some(process), Some(each)) = (
        &outcome.server_process,
        outcome.server_cpu_us_per_registration,
    ) {
        lines.push(format!(
            "Server CPU is that of the process {process}, without the {each:.0} µs \
            that each registration takes while nobody watches."
        ));
    }
    let shares: Vec<f64> = outcome
        .rows
        .iter()
        .filter_map(|row| row.client_cpu_percent)
        .collect();
    if let Some(most) = shares.iter().copied().reduce(f64::max) {
        lines.push(format!(
            "The measuring itself took at most {most:.0} % of one core; delays \
            include its own reading."
        ));
    }
    if outcome.clock_uncertainty_ms > 0.0 {
        lines.push(format!(
            "The two machines' clocks may be {} apart.",
            milliseconds(outcome.clock_uncertainty_ms)
        ));
    }
    lines
}

/// `0.8 ms`, `250 ms`, `1.50 s`.
pub(super) fn milliseconds(ms: f64) -> String {
    if ms < 9.95 {
        format!("{ms:.1} ms")
    } else if ms < 999.5 {
        format!("{ms:.0} ms")
    } else {
        format!("{:.2} s", ms / 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_two_or_three_digits() {
        let texts: Vec<_> = [0.04, 0.8, 9.94, 9.96, 250.4, 999.6, 3_002.0]
            .into_iter()
            .map(milliseconds)
            .collect();
        assert_eq!(
            texts,
            [
                "0.0 ms", "0.8 ms", "9.9 ms", "10 ms", "250 ms", "1.00 s", "3.00 s"
            ]
        );
    }

    #[test]
    fn the_heads_stand_over_their_cells() {
        let outcome = verdict::example();
        assert_eq!(cells(&outcome.rows[0]).len(), heads().count());
        let text = render(&outcome);
        let lines: Vec<_> = text.lines().take(1 + outcome.rows.len()).collect();
        let ends: Vec<_> = lines.iter().map(|line| line.chars().count()).collect();
        assert!(ends.iter().all(|end| end == &ends[0]), "{text}");
    }
}
