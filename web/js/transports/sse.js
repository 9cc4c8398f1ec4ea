// EventSource. The browser resumes by itself with Last-Event-ID; it gives up for good (readyState 2) on any answer
// that is not a 200 stream, and then `down` is called. Heartbeat comments are invisible here: see live.js for silence.
import { countUrl } from "../probe.js";

const FIRST_FRAME_MS = 8_000; // a proxy that buffers the stream shows itself by this silence

export function openSse(slug, on) {
  const source = new EventSource(`${countUrl(slug)}/stream`);
  let first = true;
  let heard = false;
  const patience = setTimeout(() => { if (!heard) fail({ refused: true }); }, FIRST_FRAME_MS);
  const close = () => { clearTimeout(patience); source.close(); };
  const fail = (why) => { close(); on.down(why); };

  source.addEventListener("open", () => {
    first = true;
    if (heard) on.up(); // a resumed stream whose position is current sends no frame, only a comment
  });
  source.addEventListener("count", (event) => {
    heard = true;
    const count = JSON.parse(event.data);
    on.count(count, { authoritative: first });
    first = false;
    if (count.stale_since) on.event("stale", count);
    else on.up();
  });
  for (const kind of ["watching", "notice", "stale"]) {
    source.addEventListener(kind, (event) => { heard = true; on.event(kind, JSON.parse(event.data)); });
  }
  source.addEventListener("bye", (event) => {
    const { reason, retry_ms } = JSON.parse(event.data);
    if (reason === "deleted") { close(); on.event("gone", {}); }
    else if (reason === "limit") { close(); on.down({ retry_ms, refused: true }); }
    else { heard = true; on.wavering(); } // a drain: the browser comes back by itself after the `retry:` it was given
  });
  source.addEventListener("error", () => {
    // A stream that worked is the browser's to bring back; one that never did may never do.
    if (source.readyState === EventSource.CLOSED || !heard) fail({});
    else on.wavering();
  });
  return { close };
}
