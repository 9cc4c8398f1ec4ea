//! Prints items: counts to stdout, everything else to stderr.

use std::io::{self, ErrorKind, Write};

use jiff::tz::TimeZone;

use super::line;
use crate::cli::client::count::Count;
use crate::cli::client::item::{Item, Seen};
use crate::domain::clock::{Clock, Timestamp};

/// How a count is written.
#[derive(Debug, Clone)]
pub(super) enum Format {
    /// For people, in their time zone.
    Human(TimeZone),
    /// As the server sent it.
    Json,
}

/// Keeps the last count, to print what changed, and the last failure, to print when it is over.
#[derive(Debug)]
pub(super) struct Printer {
    format: Format,
    previous: Option<Count>,
    cut: bool,
    failure: Option<io::Error>,
}

impl Printer {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            previous: None,
            cut: false,
            failure: None,
        }
    }

    /// Why writing to stdout failed, unless its reader is gone.
    pub(super) fn failure(self) -> Option<io::Error> {
        self.failure
    }

    /// False when the reader of stdout is gone.
    pub(super) fn print(&mut self, item: Item) -> bool {
        match item {
            Item::Seen(seen) => return self.count(*seen),
            Item::Stale(since) => self.say(&format!(
                "the server cannot reach its database since \
                {}; the count may be older than it looks",
                self.time(since)
            )),
            Item::Fresh => self.say("the server reaches its database again"),
            Item::Notice(text) => self.say(&format!("notice: {text}")),
            Item::Disconnected { why, wait } => {
                self.cut = true;
                self.say(&format!(
                    "{why}; trying again in {:.1} s",
                    wait.as_secs_f64()
                ));
            }
            Item::Connected if std::mem::take(&mut self.cut) => self.say("connected again"),
            Item::Connected => {}
        }
        true
    }

    fn count(&mut self, seen: Seen) -> bool {
        let Seen {
            mut json, count, ..
        } = seen;
        let text = match &self.format {
            Format::Json => {
                json.push('\n');
                json
            }
            Format::Human(_) => {
                // The current state is shown with the current time, however old it is.
                let at = if self.previous.is_some() {
                    count.at
                } else {
                    Clock::System.now()
                };
                format!(
                    "{}  {}\n",
                    self.time(at),
                    line::describe(self.previous.as_ref(), &count)
                )
            }
        };
        self.previous = Some(count);
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Ok(()) => true,
            Err(error) => {
                self.failure = (error.kind() != ErrorKind::BrokenPipe).then_some(error);
                false
            }
        }
    }

    fn say(&self, what: &str) {
        let what = line::printable(what);
        // Nobody has to read stderr.
        let _ = writeln!(io::stderr(), "{}  {what}", self.time(Clock::System.now()));
    }

    fn time(&self, at: Timestamp) -> String {
        let zone = match &self.format {
            Format::Human(zone) => zone.clone(),
            Format::Json => TimeZone::UTC,
        };
        line::time(at, zone)
    }
}
