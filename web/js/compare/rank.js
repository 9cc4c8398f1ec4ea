// The one measure of the page: how outdated a transport's number is on average. Ranks, bars and
// figures all come from the value that is shown, so that equal figures have equal bars and ranks.
// Pure.
import { SECONDS_FROM_MS, TENTHS_FROM_MS, formatTime } from "./format.js";

const STEP_MS = 25; // ages that differ by less are one to any eye, and would change places all the time

/** The age as it is shown, in milliseconds; null when nothing has been measured. */
export function shownAge(age_ms) {
  if (age_ms === null) return null;
  const round = (step) => Math.round(age_ms / step) * step;
  const fine = round(STEP_MS);
  if (fine < TENTHS_FROM_MS) return fine;
  const tenths = round(100);
  return tenths < SECONDS_FROM_MS ? tenths : round(1_000);
}

/** A value of `shownAge` as text. */
export const ageText = (shown_ms) => {
  if (shown_ms === null) return "–";
  return shown_ms === 0 ? `<\u202f${formatTime(STEP_MS)}` : formatTime(shown_ms);
};

/**
 * `{item, shown_ms, place, length}` from best to worst. Equals keep the order they are given in;
 * unmeasured come last.
 */
export function rank(items, ageOf) {
  const order = items.map((item) => ({ item, shown_ms: shownAge(ageOf(item)) }));
  const value = ({ shown_ms }) => shown_ms ?? Infinity;
  order.sort((a, b) => (value(a) === value(b) ? 0 : value(a) - value(b)));
  const longest = Math.max(0, ...order.map(({ shown_ms }) => shown_ms ?? 0));
  return order.map((entry) => ({
    ...entry,
    place:
      entry.shown_ms === null ? 0 : 1 + order.filter((other) => value(other) < value(entry)).length,
    length: longest ? (entry.shown_ms ?? 0) / longest : 0,
  }));
}
