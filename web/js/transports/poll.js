// Interval poll: the last resort, and the only one that every network lets through.
import { probe } from "../probe.js";

const EVERY_MS = 4_000;
const PATIENCE_MS = 12_000; // a question, its answer, and the pause between

export function openPoll(slug, _position, on) {
  const stop = new AbortController();
  let position = null;
  let first = true;
  let timer;

  const ask = async () => {
    try {
      const { count } = await probe(slug, position, { signal: stop.signal });
      if (stop.signal.aborted) return;
      on.expect(PATIENCE_MS);
      if (count) {
        on.count(count, { authoritative: first });
        position = count.stale_since ? null : count.position;
        first = false;
      }
      if (count?.stale_since) on.event("stale", { stale_since: count.stale_since });
      else on.up();
      timer = setTimeout(ask, EVERY_MS * (0.85 + Math.random() * 0.3));
    } catch (error) {
      if (stop.signal.aborted) return;
      if (error.gone) on.event("gone", {});
      else on.down({ retry_ms: error.retry_ms });
    }
  };
  ask();
  return {
    close: () => {
      clearTimeout(timer);
      stop.abort();
    },
  };
}
