// A small Socket.IO v5 client over Engine.IO v4, by WebSocket: the official library weighs about 45
// kB and comes from a package registry; what this page needs of it is one namespace, one event in,
// and the ping. https://socket.io/docs/v4/engine-io-protocol/ and
// https://socket.io/docs/v4/socket-io-protocol/
import { UPGRADE, webSocketFrame } from "./sizes.js";

const OPEN = "0",
  CLOSE = "1",
  PING = "2",
  PONG = "3",
  MESSAGE = "4"; // Engine.IO packets
const CONNECT = "0",
  DISCONNECT = "1",
  EVENT = "2",
  REFUSED = "4"; // Socket.IO packets, inside of MESSAGE

export function openSocketIo(slug, after, on) {
  const socket = new WebSocket(
    `${location.origin.replace(/^http/, "ws")}/socket.io/?EIO=4&transport=websocket`,
  );
  let silence, quiet_ms, retry_ms;
  const say = (packet) => {
    on.bytes(webSocketFrame(packet) + 4);
    socket.send(packet);
  }; // a client's frames carry a mask
  // Scripts see this ping, unlike a bare WebSocket's: after a longer silence the connection is
  // dead.
  const expectPing = () => {
    clearTimeout(silence);
    silence = setTimeout(() => socket.close(), quiet_ms);
  };

  const hear = {
    [OPEN]: (text) => {
      const { pingInterval, pingTimeout } = JSON.parse(text);
      quiet_ms = pingInterval + pingTimeout;
      expectPing();
      say(MESSAGE + CONNECT + JSON.stringify(after ? { event: slug, after } : { event: slug }));
    },
    [PING]: () => {
      expectPing();
      say(PONG);
    },
    [CLOSE]: () => socket.close(),
    [MESSAGE]: (text) => {
      const body = text.slice(1);
      if (text[0] === CONNECT) on.up();
      if (text[0] === DISCONNECT || text[0] === REFUSED) socket.close();
      if (text[0] !== EVENT) return;
      const [name, data] = JSON.parse(body);
      if (name === "count") on.count(data);
      if (name === "bye") retry_ms = data.retry_ms;
    },
  };
  on.request();
  on.bytes(UPGRADE);
  socket.addEventListener("message", ({ data }) => {
    on.bytes(webSocketFrame(data));
    hear[data[0]]?.(data.slice(1));
  });
  socket.addEventListener("close", () => {
    clearTimeout(silence);
    on.down(retry_ms);
  });
  return () => {
    clearTimeout(silence);
    socket.close();
  };
}
