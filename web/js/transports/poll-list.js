// All events in one request every few seconds, while the page is to be seen.
import { Freshness } from "../freshness.js";
import { serverNow } from "../clock.js";

const EVERY_MS = 4_000;
const PATIENCE_MS = 8_000;

/**
 * Since when the oldest of these counts is out of date, in milliseconds since 1970; null when none
 * is. Pure.
 */
export const staleSince = (events) => {
  const since = events.filter((count) => count.stale_since).map((c) => Date.parse(c.stale_since));
  return since.length === 0 ? null : Math.min(...since);
};

/** Calls `onEvents(events)` for each answer, and `onStatus({mode, since_ms})` after each question. */
export function pollList(onEvents, onStatus) {
  const fresh = new Freshness(performance.now());
  let timer;
  const report = () => {
    const now_ms = performance.now();
    const since_ms = fresh.stale_since_ms ?? serverNow() - (now_ms - fresh.confirmed_ms);
    onStatus({ mode: fresh.mode(now_ms), since_ms });
  };
  const ask = async () => {
    clearTimeout(timer);
    if (document.visibilityState === "visible") {
      try {
        const answer = await fetch("/api/v1/events", {
          headers: { Accept: "application/json" },
          signal: AbortSignal.timeout(PATIENCE_MS),
        });
        if (!answer.ok) throw new Error(`the list was refused with ${answer.status}`);
        const { events } = await answer.json();
        onEvents(events);
        fresh.confirmed(performance.now(), "polling");
        const since_ms = staleSince(events);
        if (since_ms !== null) fresh.stale(since_ms);
      } catch {
        fresh.cut(fresh.confirmed_ms);
      }
      report();
    }
    clearTimeout(timer);
    timer = setTimeout(ask, EVERY_MS * (0.85 + Math.random() * 0.3));
  };
  document.addEventListener("visibilitychange", ask);
  addEventListener("online", ask);
  addEventListener("offline", () => {
    fresh.offline(performance.now());
    report();
  });
  ask();
}
