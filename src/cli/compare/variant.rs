//! The compared variants: a transport, and for the interval poll its interval.

use std::time::Duration;

use super::super::client::Transport;

/// In the order in which the table shows them, the pushes first.
pub(super) const ALL: [Transport; 8] = [
    Transport::Sse,
    Transport::Ndjson,
    Transport::WebSocket,
    Transport::WebTransport,
    Transport::SocketIo,
    Transport::Frame,
    Transport::LongPoll,
    Transport::Poll,
];

/// A way to watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Variant {
    pub(super) transport: Transport,
    /// Used by the interval poll only.
    pub(super) interval: Duration,
}

impl Variant {
    /// Its name for people.
    pub(super) fn name(&self) -> String {
        match self.transport {
            Transport::Sse => "Server-sent events".into(),
            Transport::Ndjson => "NDJSON".into(),
            Transport::WebSocket => "WebSocket".into(),
            Transport::WebTransport => "WebTransport".into(),
            Transport::SocketIo => "Socket.IO".into(),
            Transport::Frame => "iframe streaming".into(),
            Transport::LongPoll => "Long poll".into(),
            Transport::Poll => format!("Poll every {}", humantime::format_duration(self.interval)),
        }
    }

    /// The time over which watchers start: polls must not run in step, and no real crowd comes in
    /// one instant.
    pub(super) fn ramp(&self) -> Duration {
        match self.transport {
            Transport::Poll => self.interval,
            Transport::Sse
            | Transport::Ndjson
            | Transport::WebSocket
            | Transport::WebTransport
            | Transport::SocketIo
            | Transport::Frame
            | Transport::LongPoll => Duration::from_secs(1),
        }
    }

    /// How long after the last change every watcher must have shown it.
    pub(super) fn grace(&self) -> Duration {
        self.ramp() * 2 + Duration::from_secs(5)
    }
}

/// The rows of a run, without repetition.
pub(super) fn list(transports: &[Transport], intervals: &[Duration]) -> Vec<Variant> {
    let mut rows = Vec::new();
    for transport in ALL
        .into_iter()
        .filter(|transport| transports.contains(transport))
    {
        let intervals = if transport == Transport::Poll {
            intervals
        } else {
            &[Duration::from_secs(1)]
        };
        for &interval in intervals {
            let row = Variant {
                transport,
                interval,
            };
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_poll_interval_is_a_row_of_its_own() {
        let second = Duration::from_secs(1);
        let names: Vec<_> = list(
            &[Transport::Poll, Transport::Sse, Transport::Sse],
            &[second, second * 3, second],
        )
        .iter()
        .map(Variant::name)
        .collect();
        assert_eq!(
            names,
            ["Server-sent events", "Poll every 1s", "Poll every 3s"]
        );
        assert_eq!(list(&ALL, &[second, second * 3]).len(), 9);
    }
}
