// Keeps a dashboard current: reads it again when the count changes, and now and then because time passes.
import { bindPng } from "./chart-png.js";
import { waitFor } from "./desk-parts.js";
import { Timers } from "./timers.js";
import { watchEvent } from "./watch.js";

const QUIET_MS = 30_000;
const RETRY_MS = 5_000;

export function start(dashboard, { signal }) {
  bindPng(dashboard);
  const { store } = watchEvent();
  const timers = new Timers();
  let last_ms = performance.now();
  const read = async () => {
    if (!dashboard.isConnected) return; // the page was drawn anew
    last_ms = performance.now();
    if (document.visibilityState === "visible") await grow(dashboard);
    timers.after("quiet", QUIET_MS, soon);
  };
  const readQuietly = () => read().catch(() => timers.after("read", RETRY_MS, readQuietly));
  const soon = () => {
    if (!timers.waits("read"))
      timers.after("read", waitFor(performance.now() - last_ms), readQuietly);
  };
  store.addEventListener("change", soon, { signal });
  document.addEventListener("visibilitychange", soon, { signal });
  signal.addEventListener("abort", () => timers.clear());
  timers.after("quiet", QUIET_MS, soon);
}

/** What is drawn and counted is replaced; links, fields and what is open stay as they are. */
async function grow(dashboard) {
  const answer = await fetch(dashboard.dataset.dashboard, { cache: "no-store" });
  if (!answer.ok) throw new Error(`the dashboard was refused with ${answer.status}`);
  if (answer.redirected) return; // signed out
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of dashboard.querySelectorAll("[data-grows]")) {
    const now = page.querySelector(`[data-grows="${CSS.escape(part.dataset.grows)}"]`);
    if (now) part.replaceChildren(...now.childNodes);
  }
}
