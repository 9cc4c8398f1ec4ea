// Follows one registration's present standing. State and requests only, no DOM. Standings: confirmed,
// waiting, cancelled, archived (a reset has ended its round), gone (the event was deleted).

const SPREAD_MS = 1_500; // a freed place moves all who wait; they must not ask all at once
const RARELY_MS = 10_000; // most registrations of others concern nobody who has a place
const AGAIN_MS = 2_000; // after a request that failed
const LEAST_MS = 150; // several changes of one moment cost one request

/**
 * The standing of `registration` beside the event's `count`, which may be older than the
 * registration. Pure.
 */
export function standingOf(registration, count) {
  if (registration.status === "cancelled") return "cancelled";
  return registration.round < count.round ? "archived" : registration.status;
}

/** Whether the change from `before` to `count` may concern a registration in this state. Pure. */
export function mayConcern(registration, count, before) {
  if (registration.status === "cancelled") return false;
  if (!before || count.round !== before.round || registration.status === "unknown") return true;
  // Another device may have changed the party; others' registrations change the same number.
  const moved = count.registered !== before.registered || count.waiting !== before.waiting;
  return registration.status === "waiting" || moved;
}

/** Whether the change is likely to concern it: a place may have come or gone. Pure. */
function isLikely(registration, count, before) {
  return registration.status !== "confirmed" || !(count.registered > before?.registered);
}

/**
 * Calls `show(standing, registration)` whenever the registration may have changed.
 * @param registration {{status: string, round: number, waiting_position?: number}} initially;
 * `unknown` until it is asked for
 * @returns {{ask: () => Promise<void>, end: () => void}} asks at once; ends it
 */
export function followRegistration(store, url, registration, show) {
  let known = registration;
  let timer = null;
  let over = false;
  const ending = new AbortController();

  const draw = (standing) => {
    if (!over) show(standing, known);
  };
  const ask = async () => {
    timer = null;
    try {
      const answer = await fetch(url, {
        headers: { Accept: "application/json" },
        cache: "no-store",
      });
      if (answer.status === 404) return end("gone");
      if (!answer.ok) return askAgain();
      known = await answer.json();
      draw(standingOf(known, store.count));
    } catch {
      askAgain();
    }
  };
  const askAgain = () => {
    if (!over) timer ??= setTimeout(ask, AGAIN_MS + Math.random() * SPREAD_MS);
  };
  const askSoon = (spread) => {
    timer ??= setTimeout(ask, LEAST_MS + Math.random() * spread);
  };
  const end = (standing) => {
    draw(standing);
    over = true;
    clearTimeout(timer);
    ending.abort();
  };

  const { signal } = ending;
  store.addEventListener(
    "change",
    ({ detail: { count, before } }) => {
      if (!mayConcern(known, count, before)) return;
      // A reset needs no request. An undone one does: the registration may be cancelled by now.
      if (known.round && count.round !== known.round) draw(standingOf(known, count));
      else askSoon(isLikely(known, count, before) ? SPREAD_MS : RARELY_MS);
    },
    { signal },
  );
  // Deleted, or a draft now: then the registration is still there. All who have one ask.
  store.addEventListener("gone", () => askSoon(SPREAD_MS), { signal });
  // A page that comes back by the browser's Back shows what it was left with.
  addEventListener("pageshow", (event) => event.persisted && ask(), { signal });
  return {
    ask,
    end: () => {
      over = true;
      clearTimeout(timer);
      ending.abort();
    },
  };
}
