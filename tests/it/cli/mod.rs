//! The command-line clients: the real binary against a real server.

mod acme;
mod compare;
mod config;
mod doctor;
mod health;
mod organise;
mod proxy;
mod run;
pub(crate) mod tls;
mod watch;
mod websocketd;
