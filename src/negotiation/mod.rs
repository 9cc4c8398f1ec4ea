//! Content negotiation: what the fields of a request's head ask for.
//!
//! Owns one reading of each grammar: lists ([`list`]), weights ([`weight`]), media types
//! ([`accept`]), codings ([`encoding`]), languages ([`language`]), preferences ([`prefer`]) and entity tags ([`etag`]).
//!
//! Invalid input has one meaning everywhere. A list member that breaks the grammar counts as not
//! sent. A field without any valid member counts as absent. Nothing here refuses a request.

pub mod accept;
pub mod encoding;
pub mod etag;
pub mod language;
pub mod list;
pub mod prefer;
pub mod weight;
