// One watcher for each transport, spoken by Node: through any proxy, with or without TLS.
import { EventEmitter, once } from "node:events";
import http from "node:http";
import https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { io } from "socket.io-client";
import WebSocket from "ws";

// Certificates here are made for the test.
const insecure = { rejectUnauthorized: false };
const POLL_EVERY_MS = 100;

/** One request, its whole answer. */
export async function ask(url, { method = "GET", headers = {}, body, signal, ...options } = {}) {
  const { request } = url.startsWith("https:") ? https : http;
  const asked = request(url, { method, headers, signal, agent: false, ...insecure, ...options });
  asked.end(body);
  const [answer] = await once(asked, "response", { signal });
  answer.setEncoding("utf8");
  let text = "";
  for await (const piece of answer) text += piece;
  return { status: answer.statusCode, headers: answer.headers, text, json: () => JSON.parse(text) };
}

/** A body that does not end, piece by piece. */
async function* stream(url, { headers = {}, signal }) {
  const { request } = url.startsWith("https:") ? https : http;
  const asked = request(url, { headers, signal, agent: false, ...insecure });
  asked.end();
  const [answer] = await once(asked, "response", { signal });
  if (answer.statusCode !== 200) throw new Error(`${url}: ${answer.statusCode}`);
  answer.setEncoding("utf8");
  yield* answer;
}

/** The blocks of an event stream as `{event, id, data, retry}`; what carries nothing is left out. */
export async function* blocks(pieces) {
  let rest = "";
  for await (const piece of pieces) {
    rest += piece;
    for (let end; (end = rest.indexOf("\n\n")) >= 0; rest = rest.slice(end + 2)) {
      const block = {};
      for (const line of rest.slice(0, end).split("\n")) {
        const colon = line.indexOf(":");
        if (colon > 0) block[line.slice(0, colon)] = line.slice(colon + 1).replace(/^ /, "");
      }
      if (Object.keys(block).length) yield block;
    }
  }
}

async function* sse(base, slug, signal) {
  for await (const { event, data } of blocks(
    stream(`${base}/api/v1/events/${slug}/stream`, { signal }),
  )) {
    if (event === "count") yield JSON.parse(data);
  }
}

async function* frame(base, slug, signal) {
  let rest = "";
  for await (const piece of stream(`${base}/api/v1/events/${slug}/frame`, { signal })) {
    rest += piece;
    for (
      let found;
      (found = /<p data-count="([^"]*)"[^>]*>[^<]*<\/p>/.exec(rest));
      rest = rest.slice(found.index + found[0].length)
    ) {
      yield JSON.parse(
        found[1]
          .replaceAll("&quot;", '"')
          .replaceAll("&#39;", "'")
          .replaceAll("&lt;", "<")
          .replaceAll("&gt;", ">")
          .replaceAll("&amp;", "&"),
      );
    }
  }
}

function polling(pause_ms, wait_s) {
  return async function* poll(base, slug, signal) {
    for (let etag; ;) {
      const headers = {
        ...(etag && { "if-none-match": etag }),
        ...(wait_s && { prefer: `wait=${wait_s}` }),
      };
      const answer = await ask(`${base}/api/v1/events/${slug}`, { headers, signal });
      if (answer.status === 200) {
        ({ etag } = answer.headers);
        yield answer.json();
      } else if (answer.status !== 304) throw new Error(`poll: ${answer.status}`);
      await sleep(pause_ms, undefined, { signal });
    }
  };
}

/**
 * Each name's watcher: `(base, slug, onCount)` calls `onCount` with every count and returns how to
 * end it.
 */
function pulling(counts) {
  return (base, slug, onCount, fail) => {
    const stop = new AbortController();
    (async () => {
      for await (const count of counts(base, slug, stop.signal)) onCount(count);
    })().then(
      () => fail(new Error("it ended")),
      (error) => {
        if (!stop.signal.aborted) fail(error);
      },
    );
    return () => stop.abort();
  };
}

function socketio(transports) {
  return (base, slug, onCount, fail) => {
    const socket = io(base, {
      transports,
      auth: { event: slug },
      forceNew: true,
      reconnection: false,
      ...insecure,
    });
    socket.on("count", onCount).on("connect_error", fail);
    return () => socket.disconnect();
  };
}

const openers = {
  sse: pulling(sse),
  "long-poll": pulling(polling(0, 30)),
  poll: pulling(polling(POLL_EVERY_MS)),
  frame: pulling(frame),
  websocket: (base, slug, onCount, fail) => {
    const socket = new WebSocket(
      `${base.replace(/^http/, "ws")}/api/v1/events/${slug}/ws`,
      insecure,
    );
    socket.on("error", fail).on("message", (text) => {
      const { type, data } = JSON.parse(text);
      if (type === "count") onCount(data);
    });
    return () => socket.terminate();
  },
  "socket.io polling": socketio(["polling"]),
  "socket.io websocket": socketio(["websocket"]),
};

/** The names of all transports. */
export const TRANSPORTS = Object.keys(openers);

/** Opens a watcher. `sees(n)` resolves with the moment at which it received that `n` are registered. */
export function watch(transport, base, slug) {
  const events = new EventEmitter().setMaxListeners(0);
  const seen = new Map();
  let failure;
  const fail = (error) => {
    failure ??= error;
    events.emit("change");
  };
  const close = openers[transport](
    base,
    slug,
    ({ registered }) => {
      seen.set(registered, performance.now());
      events.emit("change");
    },
    fail,
  );
  const sees = async (n, within = 10_000) => {
    const signal = AbortSignal.timeout(within);
    while (!seen.has(n)) {
      if (failure) throw new Error(`${transport}: ${failure.message}`, { cause: failure });
      await once(events, "change", { signal }).catch((cause) => {
        throw new Error(`${transport} did not receive ${n} within ${within} ms`, { cause });
      });
    }
    return seen.get(n);
  };
  return { transport, sees, close };
}
