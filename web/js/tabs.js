// The tabs of an event's console. Until 0.2.0 they were parts of one page: a bookmark of a part opens its tab.
const MOVED = {
  "#registrations": "people",
  "#share": "share",
  "#edit": "settings",
  "#reset": "settings",
};

/** The address of the tab that `hash` was a part of, or null. Pure. */
export const tabOf = (base, path, hash) =>
  path === base && Object.hasOwn(MOVED, hash) ? `${base}/${MOVED[hash]}` : null;

export function start(tabs) {
  const moved = tabOf(tabs.dataset.tabs, location.pathname, location.hash);
  if (moved) return location.replace(moved + location.search);
  // On a phone the row of tabs scrolls sideways.
  const current = tabs.querySelector("[aria-current]");
  const row = current?.closest("ul");
  if (row) row.scrollLeft = current.offsetLeft - (row.clientWidth - current.offsetWidth) / 2;
}
