// The transports that a browser has built in: `open(slug, after, on)` opens one line and returns
// how to close it. `on`: request(), bytes(n), up(), count(count), down(retry_ms): the line is gone,
// wavering(): it comes back by itself, news(): the event's details or announcement may have
// changed, or it is gone.
import { countUrl, retryAfterMs } from "../probe.js";
import { Messages } from "./messages.js";
import {
  REQUEST,
  HEAD,
  UPGRADE,
  FRAME_DOCUMENT,
  bytesOf,
  chunk,
  queryOf,
  webSocketFrame,
} from "./sizes.js";

const WAIT_S = 25;
const PATIENCE_MS = 8_000;

export function openSse(slug, after, on) {
  const source = new EventSource(`${countUrl(slug)}/stream${queryOf(after)}`);
  on.request();
  on.bytes(REQUEST);
  source.addEventListener("open", () => {
    on.bytes(HEAD);
    on.up();
  });
  source.addEventListener("count", (event) => {
    // With `event:`, `id:`, `data:` and the line ends.
    on.bytes(chunk(bytesOf(event.data) + event.lastEventId.length + 26));
    on.count(JSON.parse(event.data));
  });
  for (const kind of ["details", "notice"]) source.addEventListener(kind, () => on.news());
  source.addEventListener("bye", (event) => {
    source.close();
    on.news();
    on.down(JSON.parse(event.data).retry_ms);
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) return on.down();
    on.request();
    on.bytes(REQUEST);
    on.wavering();
  });
  return () => source.close();
}

export function openWebSocket(slug, after, on) {
  const socket = new WebSocket(
    `${location.origin.replace(/^http/, "ws")}${countUrl(slug)}/ws${queryOf(after)}`,
  );
  const messages = new Messages(on);
  on.request();
  on.bytes(UPGRADE);
  socket.addEventListener("open", () => on.up());
  socket.addEventListener("message", ({ data }) => {
    on.bytes(webSocketFrame(data));
    messages.take(data);
  });
  socket.addEventListener("close", () => on.down(messages.retry_ms));
  return () => socket.close();
}

/**
 * The frame is made for each line and removed with it: one that stands in the document would be
 * restored by the Back button and keep the page loading. `place` is the element around it.
 */
export const openFrame = (place) => (slug, _after, on) => {
  const frame = document.createElement("iframe");
  // Without a cursor, as the document loads itself again: one that begins with nothing to show
  // would stay blank.
  frame.src = `${countUrl(slug)}/frame`;
  frame.title = place.dataset.title;
  frame.tabIndex = -1;
  const hear = ({ source, data }) => {
    if (source !== frame.contentWindow || data?.type !== "count") return; // anybody may post to a window
    on.up();
    on.bytes(chunk(bytesOf(JSON.stringify(data.data).replaceAll('"', "&quot;")) + 40));
    on.count(data.data);
  };
  const sent = () => {
    on.request();
    on.bytes(REQUEST + HEAD + FRAME_DOCUMENT);
  };
  addEventListener("message", hear);
  // A load means that the document has ended; it then loads itself again.
  frame.addEventListener("load", () => {
    on.wavering();
    sent();
  });
  sent();
  place.replaceChildren(frame);
  return () => {
    removeEventListener("message", hear);
    frame.remove();
  };
};

/**
 * Long poll, and with `every_ms` interval poll: one loop of questions. A question that nobody
 * answers has a deadline.
 */
export const openPolls = (every_ms) => (slug, after, on) => {
  const stop = new AbortController();
  let position = after;
  let held = false; // the first question is answered at once, so that a line that works is known to
  const ask = async () => {
    on.request();
    const wait = held && position;
    const headers = {
      Accept: "application/json",
      ...(!wait && position ? { "If-None-Match": `"${position}"` } : {}),
    };
    const answer = await fetch(
      countUrl(slug) + (wait ? `${queryOf(position)}&wait=${WAIT_S}` : ""),
      {
        headers,
        cache: "no-store",
        signal: AbortSignal.any([
          stop.signal,
          AbortSignal.timeout(PATIENCE_MS + (wait ? WAIT_S * 1_000 : 0)),
        ]),
      },
    );
    const text = await answer.text();
    on.bytes(REQUEST + HEAD + bytesOf(text));
    if (!answer.ok && answer.status !== 304) return on.down(retryAfterMs(answer));
    on.up();
    held = !every_ms;
    if (text) {
      const count = JSON.parse(text);
      position = count.position;
      on.count(count);
    }
    setTimeout(next, every_ms?.() ?? 0);
  };
  const next = () => {
    if (!stop.signal.aborted)
      ask().catch(() => {
        if (!stop.signal.aborted) on.down();
      });
  };
  next();
  return () => stop.abort();
};
