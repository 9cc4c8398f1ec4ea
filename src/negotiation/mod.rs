//! Content negotiation: what the fields of a request's head ask for.
//!
//! Owns one reading of each grammar: lists ([`list`]), weights ([`weight`]), media types
//! ([`accept`]), languages ([`language`]), preferences ([`prefer`]) and entity tags ([`etag`]).
//!
//! Garbage has one meaning everywhere: a list member that breaks the grammar counts as not sent,
//! and a field without any readable member counts as absent. Nothing here refuses a request.

pub mod accept;
pub mod etag;
pub mod language;
pub mod list;
pub mod prefer;
pub mod weight;
