//! Pure codecs: values in, bytes out.
//!
//! Owns how a count and everything else that is pushed looks on each wire. No clock, no socket, no state: that is what
//! is tested by table and property. Bytes are rendered once and shared; see [`message::Message`] and [`chunk::Chunk`].

pub mod chunk;
pub mod engineio;
pub mod frame;
mod json;
pub mod message;
pub mod socketio;
pub mod sse;
pub mod websocket;
pub mod websocket_lengths;
