//! What the stories need: databases that vanish afterwards.

pub(crate) mod postgres;
pub(crate) mod sqlite;
