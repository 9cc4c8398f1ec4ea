//! The organiser's API (docs/protocol.md, section 10). Every call begins with the organiser's
//! proof.

pub(super) mod accounts;
pub(super) mod announcements;
pub(super) mod audit;
pub(super) mod duplicate;
pub(super) mod export;
mod formula;
pub(super) mod import;
mod owned;
pub(super) mod query;
pub(super) mod registrations;
pub(super) mod rounds;
mod routes;
pub(super) mod sessions;
pub(super) mod settings;
mod settings_fields;
pub(super) mod tokens;
pub(super) mod webhooks;

pub(super) use query::LIMIT_MAX;
pub(super) use routes::routes;
