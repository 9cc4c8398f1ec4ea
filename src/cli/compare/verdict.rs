//! What the figures mean, in plain words.

use super::outcome::{Outcome, Row};
use super::table::milliseconds;

/// Below this delay an update seems instant to a person (Nielsen's tenth of a second).
const INSTANT_MS: f64 = 100.0;

/// One or two sentences a line, the most important first.
pub(super) fn sentences(outcome: &Outcome) -> Vec<String> {
    let mut rows: Vec<&Row> = outcome.rows.iter().collect();
    rows.sort_by(|a, b| a.mean_age_ms.total_cmp(&b.mean_age_ms));
    let (Some(best), Some(worst)) = (rows.first(), rows.last()) else {
        return Vec::new();
    };
    let mut out = vec![integrity(&outcome.rows)];
    if best.updates == 0 {
        out.push(
            "Nothing has changed while it was watched; there is nothing to compare.".to_owned(),
        );
        return out;
    }
    let places = rows
        .iter()
        .zip(1..)
        .map(|(row, place)| format!("{place}. {} {}", row.name, milliseconds(row.mean_age_ms)));
    out.push(format!(
        "Ranked by mean age: {}.",
        places.collect::<Vec<_>>().join(", ")
    ));
    let instant: Vec<&&Row> = rows
        .iter()
        .filter(|row| row.delay.p90_ms < INSTANT_MS)
        .collect();
    if instant.is_empty() {
        out.push(format!(
            "The freshest number was {}'s, out of date by {} on average; nine of ten changes were \
            shown within {}.",
            best.name,
            milliseconds(best.mean_age_ms),
            milliseconds(best.delay.p90_ms)
        ));
    } else {
        let names: Vec<&str> = instant.iter().map(|row| row.name.as_str()).collect();
        let slowest = instant
            .iter()
            .map(|row| row.delay.p90_ms)
            .fold(0.0, f64::max);
        out.push(format!(
            "Live to a human eye: {}; each showed nine of ten changes within {}.",
            list(&names),
            milliseconds(slowest)
        ));
    }
    if rows.len() > 1 && worst.mean_age_ms > best.mean_age_ms * 2.0 {
        out.push(format!(
            "{} showed a number that was out of date by {} on average, {} by {}.",
            worst.name,
            milliseconds(worst.mean_age_ms),
            best.name,
            milliseconds(best.mean_age_ms)
        ));
    }
    let by_bytes = |row: &&&Row| row.bytes_per_update();
    let cheapest = rows
        .iter()
        .filter(|row| row.updates > 0)
        .min_by(|a, b| by_bytes(a).total_cmp(&by_bytes(b)));
    let most_expensive = rows
        .iter()
        .filter(|row| row.updates > 0)
        .max_by(|a, b| by_bytes(a).total_cmp(&by_bytes(b)));
    if let (Some(cheapest), Some(most_expensive)) = (cheapest, most_expensive)
        && cheapest.name != most_expensive.name
    {
        out.push(format!(
            "On the wire an update costs {:.0} bytes by {} and {:.0} by {}.",
            cheapest.bytes_per_update(),
            cheapest.name,
            most_expensive.bytes_per_update(),
            most_expensive.name
        ));
    }
    if let Some(events) = instant.iter().find(|row| row.name == "Server-sent events") {
        out.push(format!(
            "For a number that only goes from the server to the screen, take server-sent events: \
            {} in the middle, plain HTTP, and a browser comes back by itself.",
            milliseconds(events.delay.p50_ms)
        ));
    }
    out
}

fn integrity(rows: &[Row]) -> String {
    let (watchers, lost): (usize, usize) = rows.iter().fold((0, 0), |(watchers, lost), row| {
        (watchers + row.watchers, lost + row.lost)
    });
    if lost == 0 {
        format!("All {watchers} watchers ended on the newest count: nothing was lost.")
    } else {
        format!("{lost} of {watchers} watchers did NOT end on the newest count.")
    }
}

fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// A run for the tests of this folder.
#[cfg(test)]
pub(super) fn example() -> Outcome {
    use super::outcome::Delay;
    let row = |name: &str, p50: f64, age: f64, bytes: f64| Row {
        name: name.to_owned(),
        watchers: 50,
        changes: 200,
        updates: 9_000,
        delay: Delay {
            p50_ms: p50,
            p90_ms: p50 * 1.8,
            p99_ms: p50 * 1.98,
            max_ms: p50 * 2.0,
            distribution: vec![(0.2, 0.0), (p50, 50.0), (p50 * 2.0, 100.0)],
        },
        mean_age_ms: age,
        requests_per_update: 0.0,
        received_bytes_per_update: bytes,
        sent_bytes_per_update: 0.0,
        server_cpu_us_per_update: Some(3.0),
        client_cpu_percent: Some(12.0),
        skipped: 1_000,
        lost: 0,
        reconnects: 0,
    };
    Outcome {
        server: "http://127.0.0.1:8080/".into(),
        at: crate::domain::clock::Timestamp::from_millis(1_795_251_600_123),
        watchers: 50,
        registrations_per_second: 20.0,
        duration_s: 10.0,
        together: false,
        server_process: Some("headcount".into()),
        server_cpu_us_per_registration: Some(400.0),
        clock_uncertainty_ms: 0.0,
        rows: vec![
            row("Server-sent events", 2.0, 0.4, 270.0),
            row("WebSocket", 2.1, 0.4, 230.0),
            row("Poll every 1s <b>", 500.0, 470.0, 700.0),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_who_is_live_what_it_costs_and_whether_anything_was_lost() {
        let mut outcome = example();
        let text = sentences(&outcome).join("\n");
        for part in [
            "All 150 watchers",
            "Ranked by mean age: 1. Server-sent events 0.4 ms, 2. WebSocket",
            "Server-sent events and WebSocket; each showed nine of ten changes within 3.8 ms",
            "out of date by 470 ms",
            "230 bytes by WebSocket and 700 by Poll",
            "take server-sent events",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        outcome.rows[1].lost = 3;
        assert!(sentences(&outcome)[0].contains("3 of 150 watchers did NOT"));
        outcome.rows.clear();
        assert!(sentences(&outcome).is_empty());
    }
}
