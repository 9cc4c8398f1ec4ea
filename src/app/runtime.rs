//! The threads on which everything runs.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// Every so many tasks a thread takes one from the queue that all threads share. What a database has answered comes through there, and so
/// does what a crowd of connections has too much for a thread's own queue: with tokio's choice, dozens, a registration stands behind all of
/// that at each of its steps while a fan-out keeps the threads busy.
const SHARED_QUEUE_INTERVAL: u32 = 2;
/// Every so many tasks a thread looks whether sockets have become ready, twice tokio's number: it looks as well whenever its queue is
/// empty, and so after each portion of a fan-out (`live::bell`). Within a portion the looking would only bring the crowd's own sockets in
/// front of a registration's next step.
const EVENT_INTERVAL: u32 = 128;

/// A thread for each core that this process may use.
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().global_queue_interval(SHARED_QUEUE_INTERVAL).event_interval(EVENT_INTERVAL).build()
}
