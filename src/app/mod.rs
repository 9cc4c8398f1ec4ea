//! The composition root.
pub mod config;
pub mod logging;
pub mod metrics;

/// x
pub async fn run(config: config::Config) -> Result<(), String> { let _ = config; Ok(()) }
