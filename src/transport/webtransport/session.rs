//! One open session: the stream of messages, and the newest count as a datagram.
//!
//! The task asks for a message only when QUIC has taken all of the one before, and QUIC takes a few
//! kilobytes. So nothing queues for a slow reader, and the next message it gets is the newest.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::{sleep, timeout};
use wtransport::quinn::{Connection, RecvStream, SendStream};

use super::http3::{Fault, Peer, code, reject};
use crate::domain::clock::Clock;
use crate::live::presence::Transport;
use crate::live::subscription::{Item, Subscription};
use crate::transport::{meter, refusal};
use crate::wire::message::Reason;
use crate::wire::{ndjson, webtransport as wire};

/// A client that has not taken a message by then is gone.
pub const STALL: Duration = Duration::from_secs(30);
/// How long each step of the end may take: the farewell, and the client's own close.
const CLOSING: Duration = Duration::from_secs(1);
/// A browser drops what its page has not read when a session closes. So the close follows the
/// farewell's acknowledgement by this.
const READING: Duration = Duration::from_millis(100);
/// Streams that a client may open and that are refused; further ones are left unanswered.
const REFUSED_STREAMS: u32 = 100;
/// Bytes of capsules that a client may send. None is understood; further ones are left unread.
const CAPSULES: usize = 4 * 1024;

/// Why a session ends.
enum Ending {
    /// The client has closed it, or is gone.
    Gone,
    /// The client takes nothing.
    Stalled,
    /// The server says goodbye.
    Bye { reason: Reason, retry_ms: u64 },
}

/// The two halves of the request's stream, whose end is the session's.
pub(super) struct Connect {
    pub(super) send: SendStream,
    pub(super) recv: RecvStream,
}

/// Follows the subscription until either side ends it, and closes the connection.
pub(super) async fn run(
    peer: &Peer,
    connect: Connect,
    subscription: Subscription,
    clock: &Clock,
) -> Result<(), Fault> {
    let Connect { mut send, recv } = connect;
    let id = u64::from(send.id());
    let mut stream = open_stream(peer, &mut send, id).await?;
    // Kept to the end: dropping its half of the stream would stop the client before the farewell.
    let mut client = Client {
        connection: &peer.connection,
        recv,
        refused: 0,
        capsules: 0,
    };
    match follow(peer, id, &mut stream, &mut client, subscription, clock).await {
        Ending::Gone => peer.connection.close(code::NO_ERROR, b""),
        Ending::Stalled => {
            metrics::counter!(super::EXPIRED, "deadline" => "stall").increment(1);
            peer.connection.close(code::EXCESSIVE_LOAD, b"stalled");
        }
        Ending::Bye { reason, retry_ms } => {
            farewell(peer, &mut stream, &mut send, reason, retry_ms).await;
        }
    }
    Ok(())
}

/// Accepts the session and says goodbye at once.
pub(super) async fn refuse(peer: &Peer, connect: Connect, reason: Reason) -> Result<(), Fault> {
    let Connect {
        mut send,
        recv: _recv,
    } = connect;
    let id = u64::from(send.id());
    let mut stream = open_stream(peer, &mut send, id).await?;
    let retry_ms = refusal::retry_ms(reason);
    farewell(peer, &mut stream, &mut send, reason, retry_ms).await;
    Ok(())
}

/// Accepts the session and opens its one stream.
async fn open_stream(peer: &Peer, connect: &mut SendStream, id: u64) -> Result<SendStream, Fault> {
    let accept = [
        (":status", "200"),
        // What browsers of the second draft expect.
        ("sec-webtransport-http3-draft", "draft02"),
    ];
    let open = async {
        connect.write_all(&wire::head(&accept)).await?;
        let mut stream = peer.connection.open_uni().await?;
        stream.write_all(&wire::stream_header(id)).await?;
        Ok(stream)
    };
    // A client may allow no stream.
    timeout(STALL, open).await.unwrap_or(Err(Fault::Gone))
}

async fn follow(
    peer: &Peer,
    id: u64,
    stream: &mut SendStream,
    client: &mut Client<'_>,
    mut subscription: Subscription,
    clock: &Clock,
) -> Ending {
    loop {
        // The first count is as old as the event's last change.
        let first = subscription.is_fresh();
        let item = tokio::select! {
            biased;
            () = client.ended() => return Ending::Gone,
            item = subscription.next() => item,
        };
        let bytes = match item {
            Some(Item::Message(message)) => {
                if !first {
                    meter::observe(Transport::WebTransport, clock, &message);
                }
                if let Some(datagram) = message.datagram()
                    && peer.takes_datagrams
                {
                    // Too long for the path, or no room: the stream has it as well.
                    let datagram = wire::datagram_of(id, datagram);
                    let _ = peer.connection.send_datagram(datagram);
                }
                message.ndjson().data()
            }
            Some(Item::Heartbeat) => Bytes::from_static(ndjson::HEARTBEAT),
            Some(Item::End { reason, retry_ms }) => return Ending::Bye { reason, retry_ms },
            None => return Ending::Gone,
        };
        let written = tokio::select! {
            biased;
            () = client.ended() => return Ending::Gone,
            written = timeout(STALL, stream.write_chunk(bytes)) => written,
        };
        match written {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Ending::Gone,
            Err(_) => return Ending::Stalled,
        }
    }
}

/// The client's side of a session.
struct Client<'a> {
    connection: &'a Connection,
    recv: RecvStream,
    refused: u32,
    capsules: usize,
}

impl Client<'_> {
    /// Waits until the client has ended the session, and refuses the streams that it opens
    /// meanwhile. It is cancel-safe.
    async fn ended(&mut self) {
        let mut bytes = [0; 256];
        loop {
            tokio::select! {
                _ = self.connection.closed() => return,
                read = self.recv.read(&mut bytes), if self.capsules < CAPSULES => match read {
                    Ok(Some(read)) => self.capsules += read,
                    // With or without a capsule that closes: the session is over.
                    Ok(None) | Err(_) => return,
                },
                stream = self.connection.accept_bi(), if self.refused < REFUSED_STREAMS => {
                    let Ok((mut send, mut recv)) = stream else {
                        return;
                    };
                    self.refused += 1;
                    reject(&mut send, &mut recv);
                }
            }
        }
    }
}

/// The last message, then the session's close with the code that a WebSocket would have
/// (docs/protocol.md, section 5).
async fn farewell(
    peer: &Peer,
    stream: &mut SendStream,
    connect: &mut SendStream,
    reason: Reason,
    retry_ms: u64,
) {
    let (code, why) = match reason {
        // A deleted event has come to its end: there is nothing to reconnect for.
        Reason::Deleted => (1000, "deleted"),
        Reason::Drain => (1001, "drain"),
        Reason::Limit => (1013, "limit"),
    };
    let bye = Item::bye(reason, retry_ms).ndjson().data();
    let last = async {
        stream.write_chunk(bye).await?;
        // It is finished here only.
        let _ = stream.finish();
        // Ends when the client has all of it.
        let _ = stream.stopped().await;
        sleep(READING).await;
        Ok::<_, Fault>(())
    };
    let _ = timeout(CLOSING, last).await;
    let close = async {
        connect.write_all(&wire::close_session(code, why)).await?;
        let _ = connect.finish();
        // The client closes the connection.
        peer.connection.closed().await;
        Ok::<_, Fault>(())
    };
    let _ = timeout(CLOSING, close).await;
    peer.connection.close(code::NO_ERROR, b"");
}
