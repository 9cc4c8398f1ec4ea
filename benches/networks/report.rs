//! The figures of all rounds: the median with its range.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Network;

/// What one round gave.
pub(super) struct Run {
    /// What `headcount compare` says.
    pub(super) outcome: Value,
    /// What `outside.py` says.
    pub(super) outside: Value,
    /// The kernel's counters of lost and of all packets.
    pub(super) lost: u64,
    pub(super) packets: u64,
    /// For how much of the time some task of the machine waited for a processor.
    pub(super) waited_percent: f64,
    /// How late the relay was.
    pub(super) relay: Value,
}

/// `[median, least, most]`.
pub(super) fn spread(mut values: Vec<f64>) -> Value {
    values.sort_by(f64::total_cmp);
    match values.as_slice() {
        [] => Value::Null,
        [least, ..] => json!([values[values.len() / 2], least, values[values.len() - 1]]),
    }
}

/// A network's figures.
pub(super) fn summary(network: &Network, runs: &[Run]) -> Value {
    let (lost, packets) = runs.iter().fold((0, 0), |(lost, all), run| {
        (lost + run.lost, all + run.packets)
    });
    json!({
        "name": network.name,
        "about": network.about,
        "round_trip_ms": network.round_trip_ms,
        "jitter_ms": network.jitter_ms,
        "rate": network.rate,
        "stated_loss_percent": f64::from(network.lost_per_mille) / 10.0,
        "dropped_packets": lost,
        "packets": packets,
        "waited_percent": spread(runs.iter().map(|run| run.waited_percent).collect()),
        "relay_p99_ms": spread(runs.iter().filter_map(|run| run.relay["late_p99_ms"].as_f64()).collect()),
        "rows": rows(runs),
    })
}

/// A row for each transport: the product's clients and those outside, side by side.
fn rows(runs: &[Run]) -> Vec<Value> {
    let Some(first) = runs.first() else {
        return Vec::new();
    };
    let names = first.outside["rows"].as_array().into_iter().flatten();
    let rows = names.filter_map(|row| row["name"].as_str()).map(|name| {
        let own: Vec<&Value> = runs.iter().filter_map(|run| named(&run.outcome, name)).collect();
        let outside: Vec<&Value> = runs.iter().filter_map(|run| named(&run.outside, name)).collect();
        let pick = |rows: &[&Value], pick: &dyn Fn(&Value) -> Option<f64>| {
            spread(rows.iter().filter_map(|row| pick(row)).collect())
        };
        let figure = |name: &'static str| move |row: &Value| row[name].as_f64();
        let sum = |name: &str| own.iter().chain(&outside).filter_map(|row| row[name].as_u64()).sum::<u64>();
        let whole = |row: &Value, name: &str| row[name].as_f64();
        json!({
            "name": name,
            "mean_age_ms": pick(&own, &figure("mean_age_ms")),
            "p50_ms": pick(&own, &|row| row["delay"]["p50_ms"].as_f64()),
            "p99_ms": pick(&own, &|row| row["delay"]["p99_ms"].as_f64()),
            "outside_mean_age_ms": pick(&outside, &figure("mean_age_ms")),
            "outside_p50_ms": pick(&outside, &figure("p50_ms")),
            "outside_p99_ms": pick(&outside, &figure("p99_ms")),
            // With the headers of IP, TCP or UDP, and TLS, as the capture has them.
            "bytes_per_update": pick(&outside, &|row| {
                Some((whole(row, "received_bytes")? + whole(row, "sent_bytes")?) / whole(row, "updates")?)
            }),
            "packets_per_update": pick(&outside, &|row| {
                Some((whole(row, "received_packets")? + whole(row, "sent_packets")?) / whole(row, "updates")?)
            }),
            "requests_per_update": pick(&outside, &|row| Some(whole(row, "requests")? / whole(row, "updates")?)),
            "reconnects": sum("reconnects"),
            "lost": sum("lost"),
        })
    });
    rows.collect()
}

fn named<'a>(report: &'a Value, name: &str) -> Option<&'a Value> {
    report["rows"]
        .as_array()?
        .iter()
        .find(|row| row["name"] == name)
}

/// The rounds with a cut and a restart.
pub(super) fn breaks(runs: &[Run]) -> Value {
    let mut rows = rows(runs);
    for row in &mut rows {
        for mark in ["the line is back", "the server is back"] {
            let name = row["name"].as_str().unwrap_or_default();
            let outside = runs.iter().filter_map(|run| named(&run.outside, name));
            let seconds = outside.filter_map(|row| row["right_again_s"][mark].as_f64());
            let seconds = spread(seconds.collect());
            row["right_again_s"][mark] = seconds;
        }
    }
    json!({ "rows": rows })
}

/// A figure with its range.
fn range(value: &Value, digits: usize) -> String {
    let [middle, least, most] = [0, 1, 2].map(|at| value[at].as_f64());
    match (middle, least, most) {
        (Some(middle), Some(least), Some(most)) => {
            format!("{middle:.digits$} ({least:.digits$}–{most:.digits$})")
        }
        _ => "–".to_owned(),
    }
}

fn each(rows: &Value) -> impl Iterator<Item = (&Value, &str)> {
    let rows = rows.as_array().into_iter().flatten();
    rows.map(|row| (row, row["name"].as_str().unwrap_or_default()))
}

// Writing to a string cannot fail, here and below.

pub(super) fn table(network: &Network, figures: &Value) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "\n{}: {}. Round trip {} ms (jitter {} ms), {} each way, stated loss {} %; the kernel \
         dropped {} of {} packets. The relay's p99 is {} ms late; some task waited for a processor for \
         {} % of the time",
        network.name,
        network.about,
        network.round_trip_ms,
        network.jitter_ms,
        network.rate,
        figures["stated_loss_percent"],
        figures["dropped_packets"],
        figures["packets"],
        range(&figures["relay_p99_ms"], 1),
        range(&figures["waited_percent"], 0),
    );
    let _ = writeln!(
        out,
        "{:<33}{:>18}{:>18}{:>18}{:>18}{:>8}{:>11}{:>5}",
        "", "mean age ms", "outside", "p50 ms", "p99 ms", "bytes", "reconnects", "lost"
    );
    for (row, name) in each(&figures["rows"]) {
        let own = |name: &str| {
            let of_outside = &row[format!("outside_{name}")];
            if row[name].is_null() {
                of_outside
            } else {
                &row[name]
            }
        };
        let _ = writeln!(
            out,
            "{:<33}{:>18}{:>18}{:>18}{:>18}{:>8}{:>11}{:>5}",
            name,
            range(&row["mean_age_ms"], 0),
            range(&row["outside_mean_age_ms"], 0),
            range(own("p50_ms"), 0),
            range(own("p99_ms"), 0),
            row["bytes_per_update"][0]
                .as_f64()
                .map_or("–".to_owned(), |bytes| format!("{bytes:.0}")),
            row["reconnects"].to_string(),
            row["lost"].to_string(),
        );
    }
    for (part, title) in [
        ("reconnect", "a new connection, up to the first count"),
        ("path", "another address, up to the first newer count"),
    ] {
        let _ = writeln!(out, "{title}:");
        for (row, name) in each(&figures[part]) {
            let _ = write!(out, "  {name:<42}{:>18} ms", range(&row["ms"], 0));
            if part == "reconnect" {
                let _ = write!(
                    out,
                    "{:>20} bytes{:>14} packets  {}",
                    range(&row["bytes"], 0),
                    range(&row["packets"], 0),
                    row["notes"]
                );
            }
            out.push('\n');
        }
    }
    out
}

pub(super) fn breaks_table(figures: &Value) -> String {
    let mut out = String::from(
        "\nA cut of 10 s, and a restart of the server, at 2 % of loss. Seconds until the last watcher is \
         right again:\n",
    );
    for (row, name) in each(&figures["rows"]) {
        let _ = writeln!(
            out,
            "{name:<33} after the cut {:>16}, after the restart {:>16}, reconnects {:>3}, lost {}",
            range(&row["right_again_s"]["the line is back"], 1),
            range(&row["right_again_s"]["the server is back"], 1),
            row["reconnects"].to_string(),
            row["lost"]
        );
    }
    out
}

pub(super) fn quiet_table(rows: &Value) -> String {
    let mut out = String::from("\nFour changes in a minute, for each watcher:\n");
    for (row, name) in each(rows).filter(|(row, _)| row["wakes"].is_number()) {
        let each = |name: &str| {
            row[name].as_f64().unwrap_or(0.0) / row["watchers"].as_f64().unwrap_or(1.0)
        };
        let _ = writeln!(
            out,
            "{name:<31}{:>8.0} bytes{:>6.0} packets{:>6.1} wake-ups{:>6.1} requests",
            each("received_bytes") + each("sent_bytes"),
            each("received_packets") + each("sent_packets"),
            each("wakes"),
            each("requests"),
        );
    }
    out
}

pub(super) fn idle_table(rows: &Value) -> String {
    let mut out = String::from("\nThe server's memory for each idle watcher, over TLS or QUIC:\n");
    for (row, name) in each(rows) {
        let _ = writeln!(
            out,
            "{name:<31}{:>8.1} KiB",
            row["kib"].as_f64().unwrap_or(f64::NAN)
        );
    }
    out
}
