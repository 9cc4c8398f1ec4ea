// The registrations that were made in this browser, so that an event's page can link to them. Kept
// in localStorage and sent nowhere: another device never sees them.
const KEY = "tickets";
const MOST = 8; // of one event: a family, not a list of guests

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

function write(all) {
  try {
    if (Object.keys(all).length === 0) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    /* storage is forbidden or full: the private link is all there is */
  }
}

/** `{token, number}` of each registration of the event that was made here, the oldest first. */
export const remembered = (slug) => read()[slug] ?? [];

export function remember(slug, { token, number }) {
  const others = remembered(slug).filter((ticket) => ticket.token !== token);
  write({ ...read(), [slug]: [...others, { token, number }].slice(-MOST) });
}

/** Forgets one registration, or without a token all of the event's. */
export function forget(slug, token = null) {
  const { [slug]: tickets = [], ...rest } = read();
  const kept = token === null ? [] : tickets.filter((ticket) => ticket.token !== token);
  write(kept.length === 0 ? rest : { ...rest, [slug]: kept });
}

/** Calls `act` when another tab remembers or forgets something, until `signal` ends it. */
export const whenChanged = (act, signal) =>
  addEventListener("storage", ({ key }) => (key === KEY || key === null) && act(), { signal });
