//! The threads on which everything runs.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// Every so many tasks a thread takes one from the queue that all threads share. What a database has answered comes through there, and so
/// does what a crowd of connections has too much for a thread's own queue: with tokio's choice, dozens, a registration stands behind all of
/// that at each of its steps while a fan-out keeps the threads busy.
const SHARED_QUEUE_INTERVAL: u32 = 2;
/// Every so many tasks a thread looks whether sockets have become ready, twice tokio's number. It looks as well when it finds nothing to
/// do, and where the walker steps aside (`live::bell`), so after each portion of a fan-out. Looking more often brings more of the crowd's own
/// sockets in front of a registration's next step than it brings registrations.
const EVENT_INTERVAL: u32 = 128;

/// A thread for each core that this process may use.
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .enable_all()
        .global_queue_interval(SHARED_QUEUE_INTERVAL)
        .event_interval(EVENT_INTERVAL)
        .build()
}
