// Long poll: asks with its position and waits for a different one (RFC 7240 `wait`).
import { probe } from "../probe.js";

const WAIT_S = 25;
const PATIENCE_MS = (WAIT_S + 8) * 1_000;
// A stale answer comes at once; asking again at once would hammer a server in trouble.
const STALE_PAUSE_MS = 3_000;

export function openLongPoll(slug, _position, on) {
  const stop = new AbortController();
  let position = null;
  let first = true;

  (async () => {
    while (!stop.signal.aborted) {
      const query = position ? `?after=${encodeURIComponent(position)}&wait=${WAIT_S}` : "";
      try {
        const { count } = await probe(slug, null, {
          query,
          patience_ms: PATIENCE_MS,
          signal: stop.signal,
        });
        if (stop.signal.aborted) return;
        on.expect(PATIENCE_MS);
        if (count) {
          on.count(count, { authoritative: first });
          position = count.stale_since ? null : count.position;
          first = false;
        }
        if (count?.stale_since) {
          on.event("stale", { stale_since: count.stale_since });
          await new Promise((done) => setTimeout(done, STALE_PAUSE_MS));
        } else on.up();
      } catch (error) {
        if (stop.signal.aborted) return;
        if (error.gone) on.event("gone", {});
        else on.down({ retry_ms: error.retry_ms });
        return;
      }
    }
  })();
  return { close: () => stop.abort() };
}
