//! Pure codecs: values in, bytes out.
//!
//! Owns the form of every push on each wire. Has no clock, no socket and no state, so that tables
//! and properties test it. Bytes are rendered once and shared; see [`message::Message`] and
//! [`chunk::Chunk`].

pub mod calendar;
pub mod chunk;
pub mod digits;
pub mod engineio;
pub mod frame;
mod json;
pub mod message;
pub mod ndjson;
pub mod socketio;
pub mod sse;
pub mod websocket;
pub mod websocket_lengths;
pub mod webtransport;
