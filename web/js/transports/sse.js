// EventSource. The browser resumes by itself with Last-Event-ID; it gives up for good (readyState 2) on any answer
// that is not a 200 stream, and then `down` is called. Heartbeat comments are invisible here: see live.js for silence.
import { countUrl, probe } from "../probe.js";

const FIRST_FRAME_MS = 8_000; // a proxy that buffers the stream shows itself by this silence

export function openSse(slug, on) {
  const source = new EventSource(`${countUrl(slug)}/stream`);
  let first = true;
  let heard = false;
  let asked = false;
  let over = false;
  const patience = setTimeout(() => {
    if (!heard) judge(() => fail({}));
  }, FIRST_FRAME_MS);
  const close = () => {
    over = true;
    clearTimeout(patience);
    source.close();
  };
  const fail = (why) => {
    if (!over) {
      close();
      on.down(why);
    }
  };
  // Nothing has come by the stream. Where a plain question is answered, the stream is blocked on its way.
  const judge = (otherwise) => {
    asked = true;
    probe(slug, null).then(
      () => {
        if (!heard) fail({ refused: true });
      },
      () => {
        if (!heard) otherwise();
      },
    );
  };

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
    source.addEventListener(kind, (event) => {
      heard = true;
      on.event(kind, JSON.parse(event.data));
    });
  }
  source.addEventListener("bye", (event) => {
    const { reason, retry_ms } = JSON.parse(event.data);
    if (reason === "deleted") {
      close();
      on.event("gone", {});
    } else if (reason === "limit") fail({ retry_ms, refused: true });
    else {
      heard = true;
      on.wavering();
    } // a drain: the browser comes back by itself after the `retry:` it was given
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) return fail({});
    on.wavering();
    if (!heard && !asked)
      judge(() => {
        asked = false;
      });
  });
  return { close };
}
