// Parts of the console that only the server can write: the list of registrations, what a reset
// would do, and whether one can be undone. They are read again when the count changes, no matter
// who changed it.
import { Timers } from "./timers.js";
import { watchEvent } from "./watch.js";

const SETTLE_MS = 300; // a burst of changes costs one request
const PAUSE_MS = 2_000; // between two readings: somebody registers all the time
const RETRY_MS = 5_000;

/** How long to wait before the next reading. Pure. */
export const waitFor = (since_last_ms) => Math.max(SETTLE_MS, PAUSE_MS - since_last_ms);

/** The page with the same part of the list. A refused form is shown at its own address, without the list's query. */
function address() {
  const url = new URL(document.querySelector("[data-page]").dataset.page, location.origin);
  url.search = document.querySelector("[data-list]")?.dataset.list ?? "";
  return url;
}

let follows = false;

/** Reads all parts of the page, however many elements start it. */
export function start() {
  if (!follows) follow();
  follows = true;
}

function follow() {
  const { store } = watchEvent();
  const timers = new Timers();
  let last_ms = -Infinity;
  let missed = false;
  const read = async () => {
    missed = document.visibilityState !== "visible";
    if (missed) return;
    last_ms = performance.now();
    const answer = await fetch(address(), { cache: "no-store" });
    if (!answer.ok) throw new Error(`the page was refused with ${answer.status}`);
    if (answer.redirected) return; // signed out
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-part]")) {
      const now = page.querySelector(`[data-part="${part.dataset.part}"]`);
      if (now && now.innerHTML !== part.dataset.read) replace(part, now);
    }
  };
  const readQuietly = () => read().catch(() => timers.after("read", RETRY_MS, readQuietly));
  const soon = () => {
    if (!timers.waits("read"))
      timers.after("read", waitFor(performance.now() - last_ms), readQuietly);
  };
  store.addEventListener("change", soon);
  document.addEventListener("visibilitychange", () => {
    if (missed && document.visibilityState === "visible") soon();
  });
}

/** Puts the new content in; what is open, focused or scrolled stays so, found by its `data-key`. */
function replace(part, now) {
  const keyed = (element) => element?.closest("[data-key]")?.dataset.key;
  const open = [...part.querySelectorAll("details[open]")].map(keyed);
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  const focus = focused && { key: keyed(focused), path: focused.localName };
  const scrolled = part.querySelector("[data-scrolls]")?.scrollLeft;
  part.dataset.read = now.innerHTML;
  part.replaceChildren(...now.childNodes);
  const find = (key, path) => {
    const at = `[data-key="${CSS.escape(key)}"]`;
    return part.querySelector(`${at} ${path}, ${path}${at}`);
  };
  for (const key of open) find(key, "details")?.setAttribute("open", "");
  if (focus?.key) find(focus.key, focus.path)?.focus({ preventScroll: true });
  const frame = part.querySelector("[data-scrolls]");
  if (frame && scrolled) frame.scrollLeft = scrolled;
}
