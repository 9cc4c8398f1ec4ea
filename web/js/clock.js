// The server's clock as this device knows it. The fastest of several answers is the most exact: its
// error is half its round trip. Durations here come from the monotonic clock, which does not jump
// when the device's time is set.
const FEW = 3; // enough for an age in seconds
/** For a page that compares delays in milliseconds. */
export const MANY = 7;
const AGAIN_MS = 60_000;

const localNow = () => performance.timeOrigin + performance.now();
let best = null;

/** Milliseconds since 1970 by the server's clock; by the device's before the first answer. */
export const serverNow = () => localNow() + (best?.offset_ms ?? 0);
/** `offset_ms` and `error_ms`; null before the first answer. */
export const clockEstimate = () => best;

/**
 * Of several `{sent, received, at}` in milliseconds, the estimate with the smallest error; null
 * without any.
 */
export function estimate(samples) {
  return samples
    .map(({ sent, received, at }) => ({
      offset_ms: at + 0.5 - (sent + received) / 2, // `at` was cut to a whole millisecond
      error_ms: (received - sent) / 2 + 0.5,
    }))
    .reduce((a, b) => (a && a.error_ms <= b.error_ms ? a : b), null);
}

/** Measures the offset now, and again every minute. */
export async function keepClock(most = FEW) {
  const samples = [];
  for (let i = 0; i < most; i += 1) {
    try {
      const sent = localNow();
      const answer = await fetch("/api/v1/clock", { cache: "no-store" });
      const received = localNow();
      const { at } = await answer.json();
      samples.push({ sent, received, at: Date.parse(at) });
    } catch {
      break; // The next minute asks again.
    }
  }
  best = estimate(samples) ?? best;
  setTimeout(keepClock, AGAIN_MS, most);
}
