//! Long poll: a request that the server answers when the count changes (RFC 7240; docs/protocol.md,
//! section 3).

use std::convert::Infallible;
use std::time::Duration;

use http::StatusCode;
use http::header::{HeaderName, IF_NONE_MATCH};
use tokio::time::sleep;

use super::poll::JSON;
use super::request::{self, Http};
use super::session::{Cut, Session};
use super::target::Target;

/// The pause after an immediate answer without news, as while the count is stale: it prevents a hot
/// loop.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) async fn run(session: &mut Session<'_>) -> Result<Infallible, Cut> {
    let mut http = Http::new(session.target, session.meter);
    let path = session.target.path("");
    let prefer = format!("wait={}", Target::LONG_POLL_WAIT.as_secs());
    let mut first = true;
    loop {
        let validator = session.cursor().map(|position| format!("\"{position}\""));
        let mut headers = vec![(HeaderName::from_static("prefer"), prefer.as_str())];
        headers.extend(
            validator
                .iter()
                .map(|validator| (IF_NONE_MATCH, validator.as_str())),
        );
        let response = http
            .get(&path, JSON, &headers, Target::LONG_POLL_WAIT)
            .await?;
        if std::mem::take(&mut first) {
            session.connected()?;
        }
        if response.status() == StatusCode::NOT_MODIFIED {
            let waited = response.headers().contains_key("preference-applied");
            session.unchanged()?;
            if !waited {
                sleep(PAUSE).await;
            }
        } else {
            let body = request::text(request::expect(response, JSON).await?).await?;
            if !session.answer(&body)? {
                sleep(PAUSE).await;
            }
        }
    }
}
