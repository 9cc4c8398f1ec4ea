// What a browser does not tell about bytes on the wire, as measured once from outside. Every figure
// made of these is marked ≈.
export const REQUEST = 520; // a browser's request line and headers, HTTP/1.1
export const HEAD = 360; // an answer's status line and headers
export const UPGRADE = 720; // both heads of a WebSocket's opening
export const FRAME_DOCUMENT = 3_100; // the iframe's document up to its first count

const encoder = new TextEncoder();
export const bytesOf = (text) => encoder.encode(text).length;
/** A text frame to a browser (RFC 6455, section 5.2). */
export const webSocketFrame = (text) => {
  const n = bytesOf(text);
  return n + (n < 126 ? 2 : 4);
};
/** A chunk with its length and line ends (RFC 9112, section 7.1). */
export const chunk = (n) => n + n.toString(16).length + 4;
