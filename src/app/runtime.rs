//! The threads on which everything runs.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// How often a thread takes a task from the queue that all threads share, in tasks. Database
/// answers arrive there, and so does what overflows a thread's own queue. With tokio's default,
/// dozens, a registration waits behind all of that at each step while a fan-out keeps the threads
/// busy.
const SHARED_QUEUE_INTERVAL: u32 = 2;
/// How often a thread checks for ready sockets, in tasks; twice tokio's default. It also checks
/// when it is idle, and after each chunk of a fan-out. Checking more often puts more of the crowd's
/// own sockets before a registration's next step.
const EVENT_INTERVAL: u32 = 128;

/// A thread for each core that this process may use.
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .enable_all()
        .global_queue_interval(SHARED_QUEUE_INTERVAL)
        .event_interval(EVENT_INTERVAL)
        .build()
}
