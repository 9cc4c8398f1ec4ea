//! iframe streaming: an endless HTML document (docs/protocol.md, section 6).

use std::convert::Infallible;
use std::time::Duration;

use http_body_util::BodyExt as _;

use super::frame_parser::{Found, FrameParser};
use super::request::{self, Http};
use super::session::{Cut, Session};

/// The media type.
const HTML: &str = "text/html";
/// Asks for a refusal that a program can read.
const ACCEPT: &str = "text/html, application/json";

pub(super) async fn run(session: &mut Session<'_>) -> Result<Infallible, Cut> {
    let mut http = Http::new(session.target, session.meter);
    let resume = session
        .cursor()
        .map(|cursor| format!("?after={cursor}"))
        .unwrap_or_default();
    let response = http
        .get(
            &session.target.path(&format!("/frame{resume}")),
            ACCEPT,
            &[],
            Duration::ZERO,
        )
        .await?;
    let mut body = request::expect(response, HTML).await?.into_body();
    session.connected()?;
    let mut parser = FrameParser::default();
    let mut reload = None;
    while let Some(piece) = Session::alive(session.meter, body.frame()).await? {
        let piece =
            piece.map_err(|error| Cut::later(format!("the document broke off: {error}")))?;
        let Some(data) = piece.data_ref() else {
            continue;
        };
        for found in parser.push(data).map_err(|_| {
            Cut::Hopeless(
                "unexpected response, a count without an end; is this a Headcount server?".into(),
            )
        })? {
            match found {
                Found::Count(json) => drop(session.count(&json)?),
                Found::Refresh(after) => reload = Some(after),
            }
        }
    }
    // After a clean end a browser reloads the document at the time that its head gave.
    Err(Cut::Later {
        why: "the document has ended".into(),
        wait: reload,
    })
}
