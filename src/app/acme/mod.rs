//! A certificate from an authority, fetched and renewed by the server itself (ACME, RFC 8555). The
//! authority checks each name by a handshake on port 443 (RFC 8737), so no second port is needed.
//!
//! Until the first certificate has come, the server uses one of its own, which browsers refuse. What
//! fails is logged and tried again; the certificate in force stays in force.

mod files;
mod order;
mod settings;

use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::context::blocking;
use crate::domain::clock::{Clock, Timestamp};
use crate::server::Tls;

pub use settings::{LETS_ENCRYPT, Settings};
pub(super) use settings::{contact, directory, names};

/// How long one order may take: authorities promise minutes at most.
const DEADLINE: Duration = Duration::from_mins(5);
/// The pause after the first failure; each further one is twice as long. Let's Encrypt allows five
/// failures an hour for a name.
const FIRST_PAUSE: Duration = Duration::from_mins(2);
/// The longest pause; an authority may be away for a day.
const LONGEST_PAUSE: Duration = Duration::from_hours(6);
/// How often the clock is looked at: a machine that slept renews within this time.
const LOOK: Duration = Duration::from_hours(1);

/// Renews the certificate when a third of its time is left. Runs until it is dropped.
pub(super) async fn run(settings: Settings, tls: Tls, clock: Clock) {
    let mut pause = FIRST_PAUSE;
    loop {
        let wait = due(&settings, clock.now()).await;
        if !wait.is_zero() {
            sleep(wait.min(LOOK)).await;
            continue;
        }
        match timeout(DEADLINE, renew(&settings, &tls)).await {
            Ok(Ok(())) => {
                tracing::info!(names = ?settings.names, "a new certificate is in force");
                pause = FIRST_PAUSE;
                if due(&settings, clock.now()).await.is_zero() {
                    tracing::error!(
                        "the new certificate has to be renewed already; is the clock right?"
                    );
                    sleep(FIRST_PAUSE).await;
                }
            }
            Ok(Err(error)) => {
                failed(&settings, &error, pause);
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Err(_) => {
                failed(&settings, "it does not answer in time", pause);
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
        tls.forget();
    }
}

fn failed(settings: &Settings, error: &str, pause: Duration) {
    tracing::error!(
        error,
        authority = %settings.directory,
        names = ?settings.names,
        again_in = %humantime::format_duration(pause),
        "the authority gave no certificate; the one in force stays in force"
    );
}

/// How long the certificate in the folder is good enough; zero when there is none.
async fn due(settings: &Settings, now: Timestamp) -> Duration {
    let files = settings.files();
    let names = settings.names.clone();
    let renewal = blocking::run((), move || files.renewal(&names)).await;
    renewal.flatten().map_or(Duration::ZERO, |at| at.since(now))
}

async fn renew(settings: &Settings, tls: &Tls) -> Result<(), String> {
    let account = order::account(settings).await?;
    let issued = order::certificate(&account, &settings.names, tls).await?;
    let newer = Tls::from_pem(issued.chain.as_bytes(), issued.key.as_bytes())
        .map_err(|error| error.to_string())?;
    let files = settings.files();
    let written = blocking::run((), move || files.write(&issued)).await;
    written
        .unwrap_or_else(|| Err(std::io::ErrorKind::Interrupted.into()))
        .map_err(|error| format!("{}: {error}", settings.folder.display()))?;
    tls.replace(&newer);
    Ok(())
}
