//! The public pages and the organiser's console. Rendered on the server, they work without JavaScript.
//!
//! A handler reads the newest state and fills a template's struct; `answer` adds the headers.
//! Changes are POST requests that end in a 303. A refused form comes back as the same page with what
//! was typed. GET changes nothing, because mail scanners and prefetchers follow links. Two
//! exceptions: a mailed private link proves the email address, and `/confirm/{token}` registers.

mod admin;
mod answer;
mod badge;
mod calendar;
mod chart;
mod compare;
mod confirm;
mod dashboard;
mod form;
mod language;
mod mail;
mod mistakes;
mod public;
mod qr;
mod questions;
mod rail;
mod refused;
mod register;
mod registration;
mod routes;
#[cfg(test)]
pub(crate) mod samples;
mod schedule;
mod share;
mod states;
mod structured;
mod templates;
mod views;
mod visit;

pub use answer::{error_page, see_other};
pub use routes::routes;
