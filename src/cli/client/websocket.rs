//! WebSocket (RFC 6455; docs/protocol.md, section 5).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use http::HeaderValue;
use http::header::USER_AGENT;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::line::Line;
use super::meter::Meter;
use super::request::{AGENT, meaning};
use super::session::{Cut, Session};
use super::target::Target;

/// The time limit from the first byte to the 101.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The wait after 1013 (try again later) without `retry_ms`.
const OVER_LIMIT: Duration = Duration::from_secs(5);

/// The longest message of a server.
const LARGEST: usize = 256 * 1024;

pub(super) async fn run(session: &mut Session<'_>) -> Result<Infallible, Cut> {
    let resume = session
        .cursor()
        .map(|cursor| format!("?after={cursor}"))
        .unwrap_or_default();
    let path = session.target.path(&format!("/ws{resume}"));
    let mut socket = open(session.target, session.meter, &path).await?;
    session.connected()?;
    loop {
        let text = next_text(session.meter, &mut socket).await?;
        session.envelope(&text)?;
    }
}

/// Opens a WebSocket to a request target of the server.
pub(super) async fn open(
    target: &Target,
    meter: &Arc<Meter>,
    path: &str,
) -> Result<WebSocketStream<Line>, Cut> {
    let url = format!(
        "{}://{}{path}",
        if target.base.tls { "wss" } else { "ws" },
        target.base.authority
    );
    let mut request = url
        .into_client_request()
        .map_err(|error| Cut::Hopeless(error.to_string()))?;
    request
        .headers_mut()
        .insert(USER_AGENT, HeaderValue::from_static(AGENT));
    // tungstenite allocates its whole read buffer at once: its default of 128 KiB would be 64 MB
    // for 500 watchers.
    let config = WebSocketConfig::default()
        .read_buffer_size(4 * 1024)
        .max_message_size(Some(LARGEST))
        .max_frame_size(Some(LARGEST));
    let line = Line::open(&target.base, &target.tls, meter).await?;
    meter.request();
    match timeout(
        HANDSHAKE,
        client_async_with_config(request, line, Some(config)),
    )
    .await
    {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(Error::Http(response))) => {
            let (head, body) = response.into_parts();
            Err(meaning(
                head.status,
                &head.headers,
                &body.unwrap_or_default(),
            ))
        }
        Ok(Err(error)) => Err(Cut::later(format!(
            "{} closed the connection: {error}",
            target.base.authority
        ))),
        Err(_) => Err(Cut::later(format!(
            "{} does not answer",
            target.base.authority
        ))),
    }
}

/// The next text message. tungstenite answers pings and the closing handshake by itself.
pub(super) async fn next_text(
    meter: &Meter,
    socket: &mut WebSocketStream<Line>,
) -> Result<Utf8Bytes, Cut> {
    loop {
        match Session::alive(meter, socket.next()).await? {
            Some(Ok(Message::Text(text))) => return Ok(text),
            Some(Ok(Message::Close(frame))) => return Err(closed(frame.as_ref())),
            Some(Ok(
                Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_),
            )) => {}
            Some(Err(error)) => {
                return Err(Cut::later(format!("the connection broke off: {error}")));
            }
            None => return Err(Cut::later("the connection has ended")),
        }
    }
}

fn closed(frame: Option<&CloseFrame>) -> Cut {
    let Some(CloseFrame { code, reason }) = frame else {
        return Cut::later("the server has closed");
    };
    let why = format!("the server has closed: {} {reason}", u16::from(*code))
        .trim_end()
        .to_owned();
    Cut::Later {
        why,
        wait: (*code == CloseCode::Again).then_some(OVER_LIMIT),
    }
}
