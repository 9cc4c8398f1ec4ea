//! The command-line clients: the real binary against a real server.

mod compare;
mod proxy;
mod run;
mod watch;
mod websocketd;
