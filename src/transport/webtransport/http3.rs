//! HTTP/3 on one connection, up to the request for a session (RFC 9114; RFC 9220 for `:protocol`).
//!
//! Only what a session needs is read. Other streams of the client stay unread, and QUIC's limits of
//! streams and bytes bound what they may hold ([`super::endpoint`]).

use wtransport::proto::headers::Headers;
use wtransport::quinn::{
    Connection, ConnectionError, ReadError, ReadExactError, RecvStream, SendStream, VarInt,
    WriteError,
};

use crate::problem::{self, Problem};
use crate::wire::webtransport::{self as wire, Kind};

/// The longest head of a request, bytes: a browser's has about 500.
const LARGEST_HEAD: u64 = 8 * 1024;
/// The longest SETTINGS, bytes: a browser's have about 50.
const LARGEST_SETTINGS: u64 = 1024;
/// The longest frame that is skipped, bytes. Frames of unknown types exist to be skipped; real ones
/// are short.
const LARGEST_SKIPPED: u64 = 4 * 1024;

/// Error codes (RFC 9114, section 8.1; RFC 9204, section 6).
pub(super) mod code {
    use wtransport::quinn::VarInt;

    pub(in super::super) const NO_ERROR: VarInt = VarInt::from_u32(0x100);
    pub(in super::super) const STREAM_CREATION: VarInt = VarInt::from_u32(0x103);
    pub(in super::super) const FRAME_UNEXPECTED: VarInt = VarInt::from_u32(0x105);
    pub(in super::super) const FRAME_ERROR: VarInt = VarInt::from_u32(0x106);
    pub(in super::super) const EXCESSIVE_LOAD: VarInt = VarInt::from_u32(0x107);
    pub(in super::super) const SETTINGS_ERROR: VarInt = VarInt::from_u32(0x109);
    pub(in super::super) const MISSING_SETTINGS: VarInt = VarInt::from_u32(0x10a);
    pub(in super::super) const REQUEST_REJECTED: VarInt = VarInt::from_u32(0x10b);
    pub(in super::super) const DECOMPRESSION: VarInt = VarInt::from_u32(0x200);
}

/// Why a connection ends before its session.
#[derive(Debug)]
pub(super) enum Fault {
    /// The client is gone.
    Gone,
    /// The client broke the protocol; it learns the code.
    Broken(VarInt),
}

/// The errors that mean that the other side is gone.
macro_rules! gone {
    ($($error:ty),*) => {
        $(impl From<$error> for Fault {
            fn from(_: $error) -> Self {
                Self::Gone
            }
        })*
    };
}
gone!(ConnectionError, ReadError, WriteError);

/// A connection on which both sides have agreed on HTTP/3.
pub(super) struct Peer {
    pub(super) connection: Connection,
    /// Whether the client takes datagrams (RFC 9297, section 2.1.1).
    pub(super) takes_datagrams: bool,
    /// Streams that must stay open as long as the connection does (RFC 9114, section 6.2.1).
    _held: (SendStream, Vec<RecvStream>),
}

/// A request, read up to the end of its head.
pub(super) struct Request {
    pub(super) fields: Headers,
    pub(super) send: SendStream,
    pub(super) recv: RecvStream,
}

/// Exchanges SETTINGS and reads the first request.
pub(super) async fn open(connection: Connection) -> Result<(Peer, Request), Fault> {
    let control = async {
        let mut control = connection.open_uni().await?;
        control.write_all(&wire::control_stream()).await?;
        Ok(control)
    };
    let (control, (takes_datagrams, held), request) =
        tokio::try_join!(control, settings(&connection), request(&connection))?;
    let peer = Peer {
        connection,
        takes_datagrams,
        _held: (control, held),
    };
    Ok((peer, request))
}

/// Reads the client's SETTINGS; also returns the streams that must stay open.
async fn settings(connection: &Connection) -> Result<(bool, Vec<RecvStream>), Fault> {
    let mut held = Vec::new();
    loop {
        let mut stream = connection.accept_uni().await?;
        match number(&mut stream).await? {
            Some(wire::CONTROL_STREAM) => {
                let (kind, length) = frame_head(&mut stream)
                    .await?
                    .ok_or(Fault::Broken(code::MISSING_SETTINGS))?;
                if kind != Kind::Settings {
                    return Err(Fault::Broken(code::MISSING_SETTINGS));
                }
                let payload = payload(&mut stream, length, LARGEST_SETTINGS).await?;
                let payload = payload.ok_or(Fault::Broken(code::EXCESSIVE_LOAD))?;
                let datagrams =
                    wire::allows_datagrams(&payload).ok_or(Fault::Broken(code::SETTINGS_ERROR))?;
                held.push(stream);
                return Ok((datagrams, held));
            }
            // A push comes from a server only (RFC 9114, section 4.6).
            Some(0x01) => return Err(Fault::Broken(code::STREAM_CREATION)),
            // QPACK's two streams (RFC 9204, section 4.2).
            Some(0x02 | 0x03) => held.push(stream),
            Some(_) | None => {
                // It may have ended by itself.
                let _ = stream.stop(code::STREAM_CREATION);
            }
        }
    }
}

/// Reads the first request. A stream of a session that does not exist is refused.
async fn request(connection: &Connection) -> Result<Request, Fault> {
    'streams: loop {
        let (mut send, mut recv) = connection.accept_bi().await?;
        loop {
            let Some((kind, length)) = frame_head(&mut recv).await? else {
                continue 'streams;
            };
            match kind {
                Kind::Headers => {
                    let Some(block) = payload(&mut recv, length, LARGEST_HEAD).await? else {
                        // RFC 6585, section 5.
                        respond(&mut send, &[(":status", "431")], b"").await?;
                        continue 'streams;
                    };
                    let fields = wire::fields(&block).ok_or(Fault::Broken(code::DECOMPRESSION))?;
                    return Ok(Request { fields, send, recv });
                }
                Kind::WebTransport => {
                    reject(&mut send, &mut recv);
                    continue 'streams;
                }
                Kind::Settings | Kind::Misplaced => {
                    return Err(Fault::Broken(code::FRAME_UNEXPECTED));
                }
                Kind::Unknown => {
                    let skipped = payload(&mut recv, length, LARGEST_SKIPPED).await?;
                    skipped.ok_or(Fault::Broken(code::EXCESSIVE_LOAD))?;
                }
            }
        }
    }
}

/// Refuses a stream of the client without reading it.
pub(super) fn reject(send: &mut SendStream, recv: &mut RecvStream) {
    // The client may have ended either half.
    let _ = send.reset(code::REQUEST_REJECTED);
    let _ = recv.stop(code::REQUEST_REJECTED);
}

/// A whole response.
pub(super) async fn respond(
    send: &mut SendStream,
    fields: &[(&str, &str)],
    body: &[u8],
) -> Result<(), Fault> {
    let mut bytes = wire::head(fields);
    if !body.is_empty() {
        bytes.extend_from_slice(&wire::data(body));
    }
    send.write_all(&bytes).await?;
    // It is finished here only.
    let _ = send.finish();
    Ok(())
}

/// A refusal as a response, with the document that every address gives.
pub(super) async fn refuse(send: &mut SendStream, problem: &Problem) -> Result<(), Fault> {
    let status = problem.code().status();
    let mut fields = vec![
        (":status", status.as_str()),
        ("content-type", problem::CONTENT_TYPE),
    ];
    let more = problem.headers().iter();
    fields.extend(more.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))));
    respond(send, &fields, problem.document().to_string().as_bytes()).await
}

/// A frame's kind and the length of its payload, which follows; `None` at the stream's end.
async fn frame_head(stream: &mut RecvStream) -> Result<Option<(Kind, u64)>, Fault> {
    let Some(kind) = number(stream).await? else {
        return Ok(None);
    };
    let kind = Kind::of(kind);
    if kind == Kind::WebTransport {
        return Ok(Some((kind, 0)));
    }
    let length = number(stream).await?;
    let length = length.ok_or(Fault::Broken(code::FRAME_ERROR))?;
    Ok(Some((kind, length)))
}

/// A frame's payload; `None` when it is longer than `most`. Memory is taken for what is allowed
/// only.
async fn payload(
    stream: &mut RecvStream,
    length: u64,
    most: u64,
) -> Result<Option<Vec<u8>>, Fault> {
    if length > most {
        return Ok(None);
    }
    let mut payload = vec![0; usize::try_from(length).unwrap_or_default()];
    exact(stream, &mut payload).await?;
    Ok(Some(payload))
}

/// A variable-length integer (RFC 9000, section 16); `None` at the stream's end.
async fn number(stream: &mut RecvStream) -> Result<Option<u64>, Fault> {
    let mut bytes = [0; 8];
    if stream.read(&mut bytes[..1]).await?.is_none() {
        return Ok(None);
    }
    let length = 1_usize << (bytes[0] >> 6);
    exact(stream, &mut bytes[1..length]).await?;
    bytes[0] &= 0x3f;
    let value = bytes[..length].iter();
    Ok(Some(
        value.fold(0, |value, byte| value << 8 | u64::from(*byte)),
    ))
}

async fn exact(stream: &mut RecvStream, bytes: &mut [u8]) -> Result<(), Fault> {
    match stream.read_exact(bytes).await {
        Ok(()) => Ok(()),
        // The stream ended inside a frame (RFC 9114, section 7.1).
        Err(ReadExactError::FinishedEarly(_)) => Err(Fault::Broken(code::FRAME_ERROR)),
        Err(ReadExactError::ReadError(_)) => Err(Fault::Gone),
    }
}
