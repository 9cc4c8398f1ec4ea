//! What the program reports about itself: text for people, JSON lines for machines, both on
//! standard error.
//!
//! Logging never stops a task. Lines go through a bounded queue to a thread of its own, which is
//! the only one that waits for whatever is behind standard error. When nobody reads there, or the
//! disk is full, lines are lost and everything else goes on.
//!
//! A line that belongs to a request ends with its trace id.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal as _, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterFn, Targets};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry};

use super::config::Log;
use super::otlp::Exporter;
use crate::trace::{self, SPANS, TraceId, Traces};

/// Lines that may wait to be written. A line has some 200 bytes, so this is below a megabyte.
const QUEUE: usize = 4096;
/// The most trace ids in the line of a batch: a bound on the bytes that wait.
const IDS_MAX: usize = 32;
/// How long the end of the program waits for the last lines.
const FLUSH_WITHIN: Duration = Duration::from_millis(500);

/// How often the end of the program looks for room in a full queue.
const FLUSH_RETRY: Duration = Duration::from_millis(5);

static LINES: OnceLock<Lines> = OnceLock::new();

/// Changes the filter while the program runs.
static FILTER: OnceLock<Handle<Targets, Registry>> = OnceLock::new();

/// Starts logging for the whole process, and sends spans to `exporter`; a second call changes
/// nothing.
pub fn start(log: &Log, exporter: Option<&Exporter>) {
    let (filter, handle) = reload::Layer::new(filter(log));
    // Colours are for a terminal; in a file or a journal they are noise. <https://no-color.org>
    let coloured = io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let lines = LINES.get_or_init(|| Lines::write_to(io::stderr(), log.json));
    let layer = fmt::layer()
        .with_writer(lines.clone())
        .with_target(false)
        .with_ansi(coloured)
        // It would report on standard error that standard error cannot be written.
        .log_internal_errors(false);
    let exports = exporter.is_some();
    let registry = tracing_subscriber::registry()
        .with(filter)
        .with(FilterFn::new(move |item| {
            if item.target() == SPANS {
                exports
            } else {
                is_safe_to_log(item.target(), *item.level())
            }
        }));
    let output = if log.json {
        layer.json().flatten_event(true).boxed()
    } else {
        layer.boxed()
    };
    let layers = match exporter {
        // A log line has the trace id; the names of spans would only repeat what it says.
        Some(exporter) => {
            #[expect(
                clippy::redundant_closure_for_method_calls,
                reason = "the method is not general enough in its lifetimes"
            )]
            let output = output.with_filter(FilterFn::new(|item| item.is_event()));
            let spans = FilterFn::new(|item| item.target() == SPANS);
            vec![output.boxed(), exporter.layer().with_filter(spans).boxed()]
        }
        None => vec![output],
    };
    // It fails only if a subscriber is set already, as in a test that starts several servers.
    if registry.with(layers).try_init().is_ok() {
        let _ = FILTER.set(handle);
        log_panics();
    }
}

/// Logs what the filter of `log` lets through from now on. The format stays.
pub fn set_filter(log: &Log) {
    if let Some(handle) = FILTER.get() {
        // It fails only when no subscriber is left.
        let _ = handle.reload(filter(log));
    }
}

/// The filter was parsed once already, when the configuration was read.
fn filter(log: &Log) -> Targets {
    let info = Targets::new().with_default(LevelFilter::INFO);
    let filter: Targets = log.filter.parse().unwrap_or(info);
    // Spans are no lines: whether they leave is not the log's concern.
    filter.with_target(SPANS, LevelFilter::INFO)
}

/// Waits until everything logged so far is written, as long as that is possible at once.
pub fn flush() {
    if let Some(lines) = LINES.get() {
        lines.flush(FLUSH_WITHIN);
    }
}

/// The libraries that read what clients send. Their warnings report what one client does, and it can
/// do that without end: h2 warns of each connection that resets too many streams.
const CLIENT_FACING: [&str; 11] = [
    "h2",
    "hyper",
    "hyper_util",
    "quinn",
    "quinn_proto",
    "quinn_udp",
    "rustls",
    "tokio_rustls",
    "tungstenite",
    "warp",
    "wtransport",
];

/// Below `info`, the libraries log whole requests, and a path can be somebody's private link. Those
/// that face clients log at most errors, so that no client can fill the log.
fn is_safe_to_log(target: &str, level: Level) -> bool {
    let part = target.split("::").next().unwrap_or(target);
    if part == "headcount" {
        true
    } else if CLIENT_FACING.contains(&part) {
        level <= Level::ERROR
    } else {
        level <= Level::INFO
    }
}

/// The standard hook writes to standard error itself, and waits there.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("unnamed");
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            tracing::error!(thread, "{panic}\n{backtrace}");
        } else {
            tracing::error!(thread, "{panic}");
        }
    }));
}

/// Sends lines to the thread that writes.
#[derive(Debug, Clone)]
struct Lines {
    queue: SyncSender<Order>,
    lost: Arc<AtomicUsize>,
    json: bool,
}

#[derive(Debug)]
enum Order {
    Write(Vec<u8>),
    /// Answered when everything before it is written.
    Flush(SyncSender<()>),
}

impl Lines {
    /// Starts the thread. If the system has none left, lines are lost.
    fn write_to(output: impl Write + Send + 'static, json: bool) -> Self {
        let (queue, orders) = sync_channel(QUEUE);
        let lost = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&lost);
        let _ = std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write_all(output, &orders, &counted));
        Self { queue, lost, json }
    }

    fn flush(&self, within: Duration) {
        let deadline = Instant::now() + within;
        let (done, written) = sync_channel(1);
        let mut order = Order::Flush(done);
        while let Err(TrySendError::Full(refused)) = self.queue.try_send(order) {
            if Instant::now() >= deadline {
                return;
            }
            order = refused;
            std::thread::sleep(FLUSH_RETRY);
        }
        let _ = written.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}

/// Writes until the program ends. A line that cannot be written is lost; the next one is tried
/// again, because a full disk can have room later.
fn write_all(mut output: impl Write, orders: &Receiver<Order>, lost: &AtomicUsize) {
    while let Ok(order) = orders.recv() {
        match order {
            Order::Write(line) => {
                let _ = output.write_all(&line);
                let lost = lost.swap(0, Ordering::Relaxed);
                if lost > 0 {
                    let _ = writeln!(
                        output,
                        "{lost} log lines were lost: nobody read them in time"
                    );
                }
            }
            Order::Flush(done) => {
                let _ = output.flush();
                let _ = done.send(());
            }
        }
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line {
            bytes: Vec::new(),
            lines: self.clone(),
        }
    }
}

/// One line, queued when it is complete.
struct Line {
    bytes: Vec<u8>,
    lines: Lines,
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let mut line = std::mem::take(&mut self.bytes);
        if let Some(traces) = trace::current() {
            append(&mut line, &traces, self.lines.json);
        }
        if self.lines.queue.try_send(Order::Write(line)).is_err() {
            self.lines.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Appends the trace ids to a complete line: as a member of a JSON object, or as a field in text.
fn append(line: &mut Vec<u8>, traces: &Traces, json: bool) {
    let end: &[u8] = if json { b"}\n" } else { b"\n" };
    let Some(length) = line.strip_suffix(end).map(<[u8]>::len) else {
        return;
    };
    line.truncate(length);
    let ids = |ids: &[TraceId]| {
        let ids: Vec<_> = ids.iter().take(IDS_MAX).map(TraceId::to_string).collect();
        ids.join(if json { "\",\"" } else { "," })
    };
    let field = match (traces, json) {
        (Traces::One(id), true) => format!(",\"trace_id\":\"{id}\""),
        (Traces::One(id), false) => format!(" trace_id={id}"),
        (Traces::Batch(batch), true) => format!(",\"trace_ids\":[\"{}\"]", ids(batch)),
        (Traces::Batch(batch), false) => format!(" trace_ids={}", ids(batch)),
    };
    line.extend_from_slice(field.as_bytes());
    line.extend_from_slice(end);
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    /// An output that waits before each line until it may go on.
    struct Slow {
        allowed: Receiver<()>,
        written: Sender<Vec<u8>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.allowed.recv().map_err(io::Error::other)?;
            self.written
                .send(bytes.to_vec())
                .map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn log(lines: &Lines, text: &str) {
        write!(lines.make_writer(), "{text}").unwrap();
    }

    #[test]
    fn a_log_that_nobody_reads_loses_lines_and_says_how_many() {
        let (allow, allowed) = channel();
        let (written, read) = channel();
        let lines = Lines::write_to(Slow { allowed, written }, false);
        // The thread may hold one more.
        for line in 0..QUEUE + 10 {
            log(&lines, &format!("line {line}\n"));
        }
        lines.flush(Duration::from_millis(1));
        for _ in 0..QUEUE + 20 {
            allow.send(()).unwrap();
        }
        lines.flush(Duration::from_secs(20));
        let read: Vec<_> = read.try_iter().collect();
        let text = String::from_utf8(read.concat()).unwrap();
        assert!(text.starts_with("line 0\n"), "{text}");
        assert!(text.contains(" log lines were lost"), "{text}");
    }

    #[test]
    fn a_log_that_cannot_be_written_stops_nobody() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(io::ErrorKind::StorageFull.into())
            }
        }
        let lines = Lines::write_to(Full, false);
        for _ in 0..3 * QUEUE {
            log(&lines, "lost\n");
        }
        lines.flush(Duration::from_secs(20));
    }

    #[test]
    fn libraries_log_no_requests_and_no_warnings_of_what_clients_do() {
        assert!(
            is_safe_to_log("headcount", Level::TRACE)
                && is_safe_to_log("headcount::live::hub", Level::TRACE)
        );
        assert!(is_safe_to_log("sqlx::query", Level::WARN));
        assert!(is_safe_to_log("h2::proto::streams", Level::ERROR));
        assert!(!is_safe_to_log("h2::proto::streams", Level::WARN));
        assert!(!is_safe_to_log("rustls::common_state", Level::WARN));
        for library in [
            "hyper::proto::h1",
            "h2",
            "warp",
            "sqlx::query",
            "headcounter",
        ] {
            assert!(
                !is_safe_to_log(library, Level::DEBUG) && !is_safe_to_log(library, Level::TRACE)
            );
        }
    }
}
