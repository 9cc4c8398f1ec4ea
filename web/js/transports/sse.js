// Server-sent events, read with `fetch`: EventSource hides the heartbeat comments, and without them
// a page cannot tell a quiet line from a dead one.
import { countUrl, probe, retryAfterMs } from "../probe.js";
import { EventStreamParser } from "./event-stream.js";

// How long a line may be silent before its first heartbeat shows the server's pause.
const UNKNOWN_MS = 10_000;
const SLACK_MS = 5_000; // how late a heartbeat may be
const FIRST_BYTES_MS = 8_000; // a proxy that buffers the stream shows itself by this silence

export function openSse(slug, position, on) {
  const stop = new AbortController();
  const fail = (why = {}) => {
    if (stop.signal.aborted) return;
    stop.abort();
    on.down(why);
  };
  // Where a plain question is answered but the stream brings nothing, something on the way holds
  // the stream back.
  const patience = setTimeout(() => {
    probe(slug, null).then(
      () => fail({ refused: true }),
      () => fail(),
    );
  }, FIRST_BYTES_MS);
  read(slug, position, on, { signal: stop.signal, onMessage: () => clearTimeout(patience) })
    .then(fail, () => fail())
    .finally(() => clearTimeout(patience));
  return { close: () => stop.abort() };
}

/** Reads to the end and says why it ended. */
async function read(slug, position, on, { signal, onMessage }) {
  const headers = { Accept: "text/event-stream" };
  if (position) headers["Last-Event-ID"] = position;
  const answer = await fetch(`${countUrl(slug)}/stream`, { headers, cache: "no-store", signal });
  if (answer.status === 404) return on.event("gone", {});
  if (!answer.ok) return { retry_ms: retryAfterMs(answer) };
  if (!answer.headers.get("Content-Type")?.startsWith("text/event-stream"))
    return { refused: true };
  const parser = new EventStreamParser();
  const quiet = new QuietTime();
  let first = true;
  let ending = {};
  const pieces = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let piece; !(piece = await pieces.read()).done;) {
    for (const { type, data, retry_ms } of parser.push(piece.value)) {
      if (signal.aborted) return {};
      onMessage();
      on.expect(quiet.after(type, performance.now()));
      if (retry_ms !== undefined) ending.retry_ms = retry_ms;
      if (type === "retry") continue;
      if (type === "comment") on.up();
      else if (type === "bye") {
        const { reason, retry_ms: pause_ms } = JSON.parse(data);
        if (reason === "deleted") return on.event("gone", {});
        ending = { retry_ms: pause_ms, refused: reason === "limit" };
      } else if (type === "count") {
        const count = JSON.parse(data);
        on.count(count, { authoritative: first });
        first = false;
        if (count.stale_since) on.event("stale", count);
        else on.up();
      } else on.event(type, JSON.parse(data));
    }
  }
  return ending;
}

/** How long this line may be silent. The pause before a comment is the server's heartbeat. */
export class QuietTime {
  #allowed_ms = UNKNOWN_MS;
  #received_ms = null;

  /** After a message of `type` at `now_ms`: within how many milliseconds the next one must come. */
  after(type, now_ms) {
    // The first comment of a stream only takes the place of a count.
    if (type === "comment" && this.#received_ms !== null && now_ms - this.#received_ms > 500)
      this.#allowed_ms = now_ms - this.#received_ms + SLACK_MS;
    this.#received_ms = now_ms;
    return this.#allowed_ms;
  }
}
