// The one line that says how true the number is, kept true every second.
import { say, formatAgo, formatClock } from "./words.js";
import { serverNow } from "./clock.js";
import { figure } from "./view.js";

/** What a page about one event says. */
export function sayStatus({ mode, since_ms }, count) {
  switch (mode) {
    case "live":
    case "polling":
      return say(`live-${mode}`, { ago: formatAgo(serverNow() - Date.parse(count.at)) });
    case "reconnecting":
      return say("live-reconnecting", { figure: figure(count), time: formatClock(since_ms) });
    case "stale":
      return say("live-stale", { time: formatClock(since_ms) });
    case "gone":
      return say("live-gone");
    default:
      return say("live-connecting");
  }
}

export function bindStatusbar(newestCount, sentence = sayStatus) {
  const bar = document.querySelector("[data-live]");
  if (!bar) return { status() {}, count() {}, watching() {} }; // a poster
  const text = bar.querySelector("[data-live-text]");
  const watching = bar.querySelector("[data-live-watching]");
  const region = document.querySelector("[data-live-region]");
  let status = { mode: "connecting", since_ms: serverNow() };
  let watchers = 0;

  const show = () => {
    const next = sentence(status, newestCount());
    if (text.textContent !== next) text.textContent = next;
    bar.dataset.mode = status.mode;
    // Without a live number the reader can still ask for one.
    bar.querySelector("[data-live-reload]").hidden =
      status.mode !== "stale" && status.mode !== "gone";
    // One watcher is the reader. How many there are is known only while the line is live.
    if (watching) watching.hidden = watchers < 2 || status.mode !== "live";
  };
  setInterval(() => {
    if (document.visibilityState === "visible") show();
  }, 1_000);
  document.addEventListener("visibilitychange", show);
  show();

  return {
    status(next) {
      const troubled = (mode) => mode === "stale" || mode === "gone";
      if (region && troubled(status.mode) !== troubled(next.mode))
        region.textContent = troubled(next.mode) ? sentence(next, newestCount()) : say("live-back");
      status = next;
      show();
    },
    count: show,
    watching({ watching: n }) {
      watchers = n;
      if (watching) watching.textContent = say("live-watching", { n });
      show();
    },
  };
}
