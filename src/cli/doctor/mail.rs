//! Whether the mail server takes mail from here.

use super::finding::Finding;
use crate::app::config::Config;
use crate::outbox::mail;

/// Connects, signs in and names the sender; sends nothing. `None` without `--smtp-url`.
pub(super) async fn examine(config: &Config) -> Option<Finding> {
    let settings = config.mail.as_ref()?;
    let (server, from) = (&settings.server, &settings.from);
    Some(match mail::check(settings).await {
        Ok(()) => Finding::ok("mail", format!("{server} takes mail from {from}")),
        Err(error) => Finding::fault(
            "mail",
            format!("{server}: {error}; check --smtp-url, --mail-from and the firewall"),
        ),
    })
}
