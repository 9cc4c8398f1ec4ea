//! How counts and watchers develop: one more reader of the change log.
//!
//! [`add_up::run`] adds the log up by minutes, hours and days, and [`sampler::run`] records how many
//! people watch. [`series::read`] fills the steps between into a series without gaps. A commit does
//! nothing for it, and no request waits for it.

pub mod add_up;
pub mod forecast;
pub mod sampler;
pub mod series;
pub mod summary;
