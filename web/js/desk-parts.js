// Parts of the console that only the server can write: lists, pictures, forms that belong to a state,
// what a reset would do. They are read again when the count or the details of the event change, no
// matter who changed them, and every few seconds where nothing pushes (`data-parts="poll"`).
import { Timers } from "./timers.js";

const SETTLE_MS = 300; // a burst of changes costs one request
const PAUSE_MS = 2_000; // between two readings: somebody registers all the time
const RETRY_MS = 5_000;
const POLL_MS = 5_000;

/** How long to wait before the next reading. Pure. */
export const waitFor = (since_last_ms) => Math.max(SETTLE_MS, PAUSE_MS - since_last_ms);

/** The page with the same part of the list. A refused form is shown at its own address, without the list's query. */
function address() {
  const url = new URL(document.querySelector("[data-page]").dataset.page, location.origin);
  const own = url.pathname === location.pathname ? location.search : "";
  url.search = document.querySelector("[data-list]")?.dataset.list ?? own;
  return url;
}

const timers = new Timers();
const drawn = new WeakMap();
let last_ms = -Infinity;
let missed = false;
let follows = false;

/** Follows all parts of the page, however many elements start it. */
export function start() {
  for (const part of parts()) if (!drawn.has(part)) drawn.set(part, plain(part));
  if (follows) return;
  follows = true;
  document.addEventListener("visibilitychange", () => {
    if (missed && document.visibilityState === "visible") readSoon();
  });
  if (document.querySelector("[data-parts=poll]")) poll();
  // On the overview the events say when they change (events.js).
  if (document.querySelector("[data-events]")) return;
  if (document.querySelector("[data-initial-count]")) followEvent();
}

async function followEvent() {
  const { watchEvent } = await import("./watch.js");
  const { store } = watchEvent();
  store.addEventListener("change", readSoon);
  let { edits } = document.querySelector("[data-edits]").dataset;
  store.addEventListener("details", ({ detail }) => {
    if (edits !== String(detail.edits)) readSoon();
    edits = String(detail.edits);
  });
}

function poll() {
  readSoon();
  timers.after("poll", POLL_MS * (0.8 + Math.random() * 0.4), poll);
}

/** Something has changed: reads all parts again, soon. */
export function readSoon() {
  if (!timers.waits("read"))
    timers.after("read", waitFor(performance.now() - last_ms), readQuietly);
}

const readQuietly = () => read().catch(() => timers.after("read", RETRY_MS, readQuietly));
const parts = () => document.querySelectorAll("[data-part]");

/** A part's content, without what each reading draws anew. */
const plain = (part) => part.innerHTML.replaceAll(/name="once" value="[^"]*"/g, "");

async function read() {
  missed = document.visibilityState !== "visible";
  if (missed) return;
  // What it does may be that this page is gone.
  if (document.querySelector("form[aria-busy=true]")) throw new Error("a form is on its way");
  last_ms = performance.now();
  const answer = await fetch(address(), { cache: "no-store" });
  if (!answer.ok) throw new Error(`the page was refused with ${answer.status}`);
  if (answer.redirected) return; // signed out
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of parts()) {
    const now = page.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
    if (!now || isBusy(part)) continue;
    const next = plain(now);
    if (next !== drawn.get(part)) replace(part, now);
    drawn.set(part, next);
  }
}

/** Whether somebody chooses something in it. */
const isBusy = (part) =>
  part.querySelector("select:focus") !== null ||
  [...part.querySelectorAll("option")].some((option) => option.defaultSelected && !option.selected);

/** Puts the new content in; what is open, focused or scrolled stays so, found by its `data-key`. */
function replace(part, now) {
  const keyed = (element) => element?.closest("[data-key]")?.dataset.key;
  const open = [...part.querySelectorAll("details[open]")].map(keyed);
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  const focus = focused && { key: keyed(focused), path: focused.localName };
  const scrolled = part.querySelector("[data-scrolls]")?.scrollLeft;
  part.replaceChildren(...now.childNodes);
  const find = (key, path) => {
    const at = `[data-key="${CSS.escape(key)}"]`;
    return part.querySelector(`${at} ${path}, ${path}${at}`);
  };
  for (const key of open) if (key) find(key, "details")?.setAttribute("open", "");
  const next = focus?.key ? find(focus.key, focus.path) : focus && part.querySelector(focus.path);
  next?.focus({ preventScroll: true });
  const frame = part.querySelector("[data-scrolls]");
  if (frame && scrolled) frame.scrollLeft = scrolled;
}
