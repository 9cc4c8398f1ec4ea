// This device's clock against the server's. Of several questions the quickest answer tells most: half its way is the error.
const SAMPLES = 7;
const AGAIN_MS = 60_000;

const localNow = () => performance.timeOrigin + performance.now(); // goes on evenly while Date.now() is being set
let best = null;

export const serverNow = () => localNow() + (best?.offset_ms ?? 0);
/** `offset_ms` and `error_ms`; null before the first answer. */
export const clockEstimate = () => best;

export async function keepClock() {
  let found = null;
  for (let i = 0; i < SAMPLES; i += 1) {
    try {
      const sent = localNow();
      const answer = await fetch("/api/v1/clock", { cache: "no-store" });
      const received = localNow();
      const { at } = await answer.json();
      const sample = {
        offset_ms: Date.parse(at) + 0.5 - (sent + received) / 2,
        error_ms: (received - sent) / 2 + 0.5,
      };
      if (!found || sample.error_ms < found.error_ms) found = sample;
    } catch {
      /* the next one may get through */
    }
  }
  best = found ?? best;
  setTimeout(keepClock, AGAIN_MS);
}
