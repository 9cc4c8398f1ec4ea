//! SIGHUP: the certificate and the log filter are read again while the server runs.

use super::config::Config;
use super::logging;
use crate::server::Tls;

/// Reads flags, variables and files again; the error is what is wrong with them, in words.
pub type Reread<'a> = &'a dyn Fn() -> Result<Config, Vec<String>>;

/// Takes the certificate and the log filter from a configuration that was read again. A mistake in
/// it changes nothing.
pub(super) fn apply(reread: Reread<'_>, tls: Option<&Tls>) {
    let newer = match reread() {
        Ok(newer) => newer,
        Err(mistakes) => {
            let mistakes = mistakes.join("; ");
            tracing::error!(
                mistakes,
                "the configuration cannot be read again; what was in force stays in force"
            );
            return;
        }
    };
    logging::set_filter(&newer.log);
    match (tls, &newer.tls) {
        (Some(tls), Some(newer)) => tls.replace(newer),
        (None, None) => {}
        (Some(_), None) | (None, Some(_)) => {
            tracing::warn!("TLS begins or ends only with a restart");
        }
    }
    tracing::info!("read the certificate and the log filter again");
}
