//! The process's metrics: kept as atomics, written in Prometheus' text format.
//!
//! An exporter crate brings sixteen crates for what this file does. Format:
//! <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use metrics::{
    Counter, Gauge, GaugeFn as _, Histogram, HistogramFn, Key, KeyName, Metadata, SharedString,
    Unit,
};

/// The media type of [`Recorder::render`].
pub(crate) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Upper bounds in seconds, from well below a commit to more than anybody waits.
const SECONDS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// Upper bounds of every histogram that does not count seconds.
const COUNTS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// Every series of the process. A series stays for the life of the process.
#[derive(Default)]
pub(crate) struct Recorder {
    help: RwLock<HashMap<String, SharedString>>,
    counters: Series<AtomicU64>,
    /// The bits of an `f64`.
    gauges: Series<AtomicU64>,
    histograms: Series<Buckets>,
}

/// The series of one kind, by name and labels.
struct Series<T>(RwLock<HashMap<Key, Arc<T>>>);

impl<T> Default for Series<T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<T> Series<T> {
    fn get(&self, key: &Key, new: impl FnOnce() -> T) -> Arc<T> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(key) {
            return Arc::clone(found);
        }
        drop(known);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(key.clone()).or_insert_with(|| Arc::new(new())))
    }

    /// Every series with its labels, ordered by name and labels.
    fn sorted(&self) -> BTreeMap<String, BTreeMap<String, Arc<T>>> {
        let mut families: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in known.iter() {
            let family = families.entry(key.name().to_owned()).or_default();
            family.insert(labels(key), Arc::clone(value));
        }
        families
    }
}

/// A histogram with fixed bounds.
struct Buckets {
    bounds: &'static [f64],
    /// Values in each bucket; the last has no bound.
    counts: Box<[AtomicU64]>,
    /// The bits of an `f64`.
    sum: AtomicU64,
}

impl Buckets {
    fn new(name: &str) -> Self {
        let bounds: &[f64] = if name.ends_with("_seconds") {
            &SECONDS
        } else {
            &COUNTS
        };
        Self {
            bounds,
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        }
    }
}

impl HistogramFn for Buckets {
    fn record(&self, value: f64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum.increment(value);
    }
}

impl Recorder {
    fn describe(&self, name: &KeyName, text: SharedString) {
        let mut help = self.help.write().unwrap_or_else(PoisonError::into_inner);
        help.insert(name.as_str().to_owned(), text);
    }

    /// Every series, in the text format.
    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        for (name, family) in self.counters.sorted() {
            self.head(&mut text, &name, "counter");
            for (labels, value) in family {
                line(&mut text, &name, "", &labels, value.load(Ordering::Relaxed));
            }
        }
        for (name, family) in self.gauges.sorted() {
            self.head(&mut text, &name, "gauge");
            for (labels, value) in family {
                line(&mut text, &name, "", &labels, float(&value));
            }
        }
        for (name, family) in self.histograms.sorted() {
            self.head(&mut text, &name, "histogram");
            for (labels, buckets) in family {
                histogram(&mut text, &name, &labels, &buckets);
            }
        }
        text
    }

    fn head(&self, text: &mut String, name: &str, kind: &str) {
        let help = self.help.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(help) = help.get(name) {
            let help = help.replace('\\', r"\\").replace('\n', r"\n");
            text.push_str(&format!("# HELP {name} {help}\n"));
        }
        text.push_str(&format!("# TYPE {name} {kind}\n"));
    }
}

fn histogram(text: &mut String, name: &str, labels: &str, buckets: &Buckets) {
    let bounds = buckets.bounds.iter().map(f64::to_string);
    let mut total = 0;
    for (bound, count) in bounds.chain(["+Inf".to_owned()]).zip(&buckets.counts) {
        total += count.load(Ordering::Relaxed);
        let separator = if labels.is_empty() { "" } else { "," };
        let labels = format!("{labels}{separator}le=\"{bound}\"");
        line(text, name, "_bucket", &labels, total);
    }
    line(text, name, "_sum", labels, float(&buckets.sum));
    line(text, name, "_count", labels, total);
}

fn line(text: &mut String, name: &str, suffix: &str, labels: &str, value: impl std::fmt::Display) {
    // Writing to a string cannot fail.
    let _ = if labels.is_empty() {
        writeln!(text, "{name}{suffix} {value}")
    } else {
        writeln!(text, "{name}{suffix}{{{labels}}} {value}")
    };
}

fn float(bits: &AtomicU64) -> f64 {
    f64::from_bits(bits.load(Ordering::Relaxed))
}

/// `event="gala",transport="sse"`.
fn labels(key: &Key) -> String {
    let escaped = key.labels().map(|label| {
        let value = label
            .value()
            .replace('\\', r"\\")
            .replace('"', "\\\"")
            .replace('\n', r"\n");
        format!("{}=\"{value}\"", label.key())
    });
    escaped.collect::<Vec<_>>().join(",")
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, key: KeyName, _: Option<Unit>, description: SharedString) {
        self.describe(&key, description);
    }

    fn describe_gauge(&self, key: KeyName, _: Option<Unit>, description: SharedString) {
        self.describe(&key, description);
    }

    fn describe_histogram(&self, key: KeyName, _: Option<Unit>, description: SharedString) {
        self.describe(&key, description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.counters.get(key, AtomicU64::default))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.gauges.get(key, AtomicU64::default))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.histograms.get(key, || Buckets::new(key.name())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrape_is_what_prometheus_reads() {
        let recorder = Recorder::default();
        metrics::with_local_recorder(&recorder, || {
            metrics::describe_counter!("asked_total", "Line\nbreak and \\.");
            metrics::counter!("asked_total", "outcome" => "a \"b\" \\ \n").increment(3);
            metrics::counter!("asked_total", "outcome" => "a").increment(1);
            metrics::gauge!("watchers").set(2.5);
            metrics::gauge!("watchers").increment(1.0);
            metrics::histogram!("batch_size").record(2.0);
            metrics::histogram!("batch_size").record(2.5);
            metrics::histogram!("batch_size").record(1e6);
        });
        let scrape = recorder.render();
        let expected = r#"# HELP asked_total Line\nbreak and \\.
# TYPE asked_total counter
asked_total{outcome="a \"b\" \\ \n"} 3
asked_total{outcome="a"} 1
# TYPE watchers gauge
watchers 3.5
# TYPE batch_size histogram
batch_size_bucket{le="1"} 0
batch_size_bucket{le="2"} 1
batch_size_bucket{le="4"} 2
"#;
        assert!(scrape.starts_with(expected), "{scrape}");
        let end = "batch_size_bucket{le=\"512\"} 2\nbatch_size_bucket{le=\"+Inf\"} 3\nbatch_size_sum 1000004.5\nbatch_size_count 3\n";
        assert!(scrape.ends_with(end), "{scrape}");
    }

    #[test]
    fn seconds_have_bounds_from_a_commit_to_patience() {
        let recorder = Recorder::default();
        metrics::with_local_recorder(&recorder, || {
            metrics::histogram!("commit_seconds", "event" => "gala").record(0.001);
        });
        let scrape = recorder.render();
        for line in [
            "commit_seconds_bucket{event=\"gala\",le=\"0.0005\"} 0\n",
            "commit_seconds_bucket{event=\"gala\",le=\"0.001\"} 1\n",
            "commit_seconds_sum{event=\"gala\"} 0.001\n",
        ] {
            assert!(scrape.contains(line), "{scrape}");
        }
    }
}
