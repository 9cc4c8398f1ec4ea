//! The loop around every transport: connect, follow, wait, reconnect with the cursor.

use std::convert::Infallible;
use std::sync::Arc;

use tokio::time::sleep;

use super::item::{End, Item, Sink};
use super::meter::Meter;
use super::session::{Cut, Session};
use super::target::Target;
use super::{
    Transport, backoff, frame, long_poll, ndjson, poll, socketio, sse, websocket, webtransport,
};

/// Follows the event until the sink stops it, or until no further message can come.
pub(in crate::cli) async fn follow(
    target: &Target,
    transport: Transport,
    meter: &Arc<Meter>,
    sink: &mut dyn Sink,
) -> End {
    let mut session = Session::new(target, meter, sink);
    let mut failures = 0;
    loop {
        session.active = false;
        let Err(cut) = run(transport, &mut session).await;
        let (why, asked) = match cut {
            Cut::Final(End::NoSuchEvent) if session.ever => return End::Deleted,
            Cut::Final(end) => return end,
            Cut::Hopeless(why) if !session.ever => return End::Refused(why),
            Cut::Hopeless(why) => (why, None),
            Cut::Later { why, wait } => (why, wait),
        };
        failures = if session.active { 1 } else { failures + 1 };
        let wait = backoff::wait(failures, asked.or(session.retry), rand::random());
        if let Err(Cut::Final(end)) = session.give(Item::Disconnected { why, wait }) {
            return end;
        }
        sleep(wait).await;
    }
}

/// Runs one connection or series of requests until it is cut.
async fn run(transport: Transport, session: &mut Session<'_>) -> Result<Infallible, Cut> {
    match transport {
        Transport::Sse => sse::run(session).await,
        Transport::Ndjson => ndjson::run(session).await,
        Transport::WebSocket => websocket::run(session).await,
        Transport::WebTransport => webtransport::run(session).await,
        Transport::LongPoll => long_poll::run(session).await,
        Transport::Poll => poll::run(session).await,
        Transport::SocketIo => socketio::run(session).await,
        Transport::Frame => frame::run(session).await,
    }
}
