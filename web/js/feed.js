// Keeps the ages in the activity feed current: "12 s" becomes "1 min". The rows themselves come with the page's parts.
import { serverNow } from "./clock.js";
import { every } from "./timers.js";
import { readWords } from "./words.js";

const TICK_MS = 5_000;
const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
];

/** The unit of an age and how many of it. Pure. */
export function ageOf(passed_ms) {
  const seconds = Math.max(0, Math.floor(passed_ms / 1_000));
  const [unit, length] = UNITS.find(([, length]) => seconds >= length) ?? UNITS.at(-1);
  return { unit, n: Math.floor(seconds / length) };
}

export function start(feed, { signal }) {
  const say = readWords("feed-messages");
  const tick = () => {
    for (const time of feed.querySelectorAll("[data-ago]")) {
      const { unit, n } = ageOf(serverNow() - Date.parse(time.dateTime));
      time.textContent = say(`ago-${unit}`, { n });
    }
  };
  every(TICK_MS, tick, signal);
}
