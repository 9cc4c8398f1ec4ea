//! Socket.IO v5 on the default namespace, over WebSocket from the first byte on (docs/protocol.md,
//! section 7).

use std::convert::Infallible;

use futures_util::SinkExt as _;
use serde::Deserialize;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::item::End;
use super::line::Line;
use super::session::{Cut, Session};
use super::socketio_packet::{PONG, Packet, connect};
use super::websocket::{next_text, open};

/// `connect_error`'s object.
#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    message: String,
    #[serde(default)]
    data: Data,
}

#[derive(Deserialize, Default)]
struct Data {
    #[serde(default)]
    code: String,
}

pub(super) async fn run(session: &mut Session<'_>) -> Result<Infallible, Cut> {
    let path = format!(
        "{}socket.io/?EIO=4&transport=websocket",
        session.target.base.path
    );
    let mut socket = open(session.target, session.meter, &path).await?;
    loop {
        let text = next_text(session.meter, &mut socket).await?;
        match Packet::parse(&text) {
            Packet::Open => {
                let join = connect(session.target.slug.as_str(), session.cursor().as_deref());
                send(&mut socket, join).await?;
            }
            Packet::Ping => send(&mut socket, PONG.to_owned()).await?,
            Packet::Connected => session.connected()?,
            Packet::Event(name, data) => session.message(&name, data.get())?,
            Packet::Refused(json) => return Err(refused(json)),
            Packet::Close | Packet::Disconnected => {
                return Err(Cut::later("the server has closed"));
            }
            Packet::Other => {}
        }
    }
}

async fn send(socket: &mut WebSocketStream<Line>, text: String) -> Result<(), Cut> {
    socket
        .send(Message::text(text))
        .await
        .map_err(|error| Cut::later(format!("the connection broke off: {error}")))
}

fn refused(json: &str) -> Cut {
    match serde_json::from_str::<Refusal>(json) {
        Ok(Refusal { data, .. }) if data.code == "event-not-found" => Cut::Final(End::NoSuchEvent),
        Ok(Refusal { message, .. }) => Cut::later(format!("the server refuses: {message}")),
        Err(_) => Cut::Hopeless(
            "unexpected response, a refusal that is not an object; is this a Headcount server?"
                .into(),
        ),
    }
}
