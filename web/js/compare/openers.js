// How each line is opened, in the order in which the page explains them.
import { openFrame, openPolls, openSse, openWebSocket } from "./lines.js";
import { openNdjson } from "./ndjson.js";
import { openSocketIo } from "./socketio.js";
import { openWebTransport } from "./webtransport.js";

/** `place` is the frame's element, `interval` the milliseconds between two polls. */
export const openers = (place, interval) => ({
  sse: openSse,
  ndjson: openNdjson,
  websocket: openWebSocket,
  webtransport: openWebTransport,
  socketio: openSocketIo,
  "long-poll": openPolls(null),
  frame: openFrame(place),
  poll: openPolls(interval),
});
