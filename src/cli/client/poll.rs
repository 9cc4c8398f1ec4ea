//! Interval poll: repeats the same request with the last answer's validator (docs/protocol.md,
//! section 3).

use std::convert::Infallible;
use std::time::Duration;

use http::StatusCode;
use http::header::IF_NONE_MATCH;
use tokio::time::{MissedTickBehavior, interval};

use super::request::{self, Http};
use super::session::{Cut, Session};

/// The count's media type.
pub(super) const JSON: &str = "application/json";

pub(super) async fn run(session: &mut Session<'_>) -> Result<Infallible, Cut> {
    let mut http = Http::new(session.target, session.meter);
    let path = session.target.path("");
    let mut tick = interval(session.target.interval);
    // After an answer that took longer than the interval, skip the missed requests.
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut first = true;
    loop {
        tick.tick().await;
        let validator = session.cursor().map(|position| format!("\"{position}\""));
        let headers: Vec<_> = validator
            .iter()
            .map(|validator| (IF_NONE_MATCH, validator.as_str()))
            .collect();
        let response = http.get(&path, JSON, &headers, Duration::ZERO).await?;
        if std::mem::take(&mut first) {
            session.connected()?;
        }
        if response.status() == StatusCode::NOT_MODIFIED {
            session.unchanged()?;
        } else {
            let body = request::text(request::expect(response, JSON).await?).await?;
            session.answer(&body)?;
        }
    }
}
