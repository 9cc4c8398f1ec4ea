// What a browser does not tell about bytes on the wire, as measured once from outside. Every figure
// made of these is marked ≈.
export const REQUEST = 520; // a browser's request line and headers, HTTP/1.1
export const HEAD = 360; // an answer's status line and headers
export const UPGRADE = 720; // both heads of a WebSocket's opening
export const QUIC_OPENING = 6_200; // the handshake of QUIC, SETTINGS and the session's request
export const STREAM_PIECE = 40; // QUIC's packet around a piece of a stream, without UDP's and IP's headers
export const DATAGRAM = 4; // the same packet has the count once more
export const FRAME_DOCUMENT = 3_100; // the iframe's document up to its first count

const encoder = new TextEncoder();
export const bytesOf = (text) => encoder.encode(text).length;
/** A text frame to a browser (RFC 6455, section 5.2). */
export const webSocketFrame = (text) => {
  const n = bytesOf(text);
  return n + (n < 126 ? 2 : 4);
};
/** `?after=`, where there is a position to resume from. */
export const queryOf = (after, first = "?") =>
  after ? `${first}after=${encodeURIComponent(after)}` : "";
/** A chunk with its length and line ends (RFC 9112, section 7.1). */
export const chunk = (n) => n + n.toString(16).length + 4;
