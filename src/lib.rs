//! Headcount: a self-hosted live registration counter.
//!
//! People register for an event with limited places. Every page, wall screen and script that
//! watches the event shows the new count within milliseconds of the commit. Two promises hold
//! everything together: an event never gives a place that it does not have, and a registration
//! is durable before its response leaves.
//!
//! # Where to start
//!
//! Follow one registration, from the socket to the database and out to the watchers:
//!
//! 1. [`server`] accepts the connection and enforces limits and deadlines.
//! 2. [`routes`] finds the handler; [`http`] reads the form and checks it.
//! 3. [`write_path`] queues it. One writer for each event takes whatever waits as a batch.
//! 4. [`domain`] decides, as a pure function: who gets a place, who waits, who is refused.
//! 5. [`store`] commits the batch in one transaction, to SQLite or Postgres.
//! 6. [`live`] publishes the new count; [`transport`] sends it to each watcher, in the bytes that
//!    [`wire`] renders once.
//!
//! [`app`] starts these parts and stops them in order; [`cli`] is the command line, with clients of
//! its own.
//!
//! # Floors
//!
//! Modules are listed from the top floor down, and a module uses only lower floors;
//! `tests/it/architecture` checks it. `ARCHITECTURE.md` is the map with the invariants,
//! `docs/protocol.md` the public contract, and `CONTRIBUTING.md` names the files to touch for each
//! kind of change.
//!
//! The crate is a program: its modules are public for the tests and benchmarks, and change without
//! notice.

pub mod cli;

pub mod app;
pub mod routes;
pub mod server;

pub mod http;
pub mod transport;

pub mod context;
pub mod problem;

pub mod live;
pub mod outbox;
pub mod text;
pub mod write_path;

pub mod negotiation;
pub mod stats;
pub mod store;
pub mod wire;

pub mod domain;
pub mod trace;
