// The tabs of an event's console. In 0.1.0 they were parts of one page: a bookmark of a part opens its tab.
const MOVED = {
  "#registrations": "people",
  "#share": "share",
  "#edit": "settings",
  "#reset": "settings",
};

/** The address of the tab that `hash` was a part of, or null. Pure. */
export const tabOf = (base, path, hash) =>
  path === base && Object.hasOwn(MOVED, hash) ? `${base}/${MOVED[hash]}` : null;

/** Organisers follow a draft, but the stream of everybody ended when it became one. */
async function followDraft(signal) {
  const { watchEvent } = await import("./watch.js");
  const { store } = watchEvent();
  const ask = async () => {
    const { status } = await fetch(`/api/v1/events/${store.count.event}`, { cache: "no-store" });
    if (status === 200) location.reload();
  };
  store.addEventListener("gone", ask, { signal });
}

export function start(tabs, { signal }) {
  if (document.querySelector("[data-initial-count]")) followDraft(signal);
  const moved = tabOf(tabs.dataset.tabs, location.pathname, location.hash);
  if (moved) return location.replace(moved + location.search);
  // On a phone the row of tabs scrolls sideways.
  const current = tabs.querySelector("[aria-current]");
  const row = current?.closest("ul");
  if (row) row.scrollLeft = current.offsetLeft - (row.clientWidth - current.offsetWidth) / 2;
}
