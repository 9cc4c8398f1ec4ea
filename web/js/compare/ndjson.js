// NDJSON, read by fetch() while they come. `on` is described in lines.js.
import { countUrl, retryAfterMs } from "../probe.js";
import { Messages, readLines } from "./messages.js";
import { HEAD, REQUEST, chunk, queryOf } from "./sizes.js";

export function openNdjson(slug, after, on) {
  const stop = new AbortController();
  const messages = new Messages(on);
  const read = async () => {
    on.request();
    on.bytes(REQUEST);
    const answer = await fetch(`${countUrl(slug)}/stream${queryOf(after)}`, {
      headers: { Accept: "application/x-ndjson" },
      cache: "no-store",
      signal: stop.signal,
    });
    if (!answer.ok) return on.down(retryAfterMs(answer));
    on.bytes(HEAD);
    on.up();
    await readLines(
      answer.body,
      (line) => messages.take(line),
      (n) => on.bytes(chunk(n)),
    );
    on.down(messages.retry_ms);
  };
  read().catch(() => {
    if (!stop.signal.aborted) on.down(messages.retry_ms);
  });
  return () => stop.abort();
}
