// The one line that says how true the number is, kept true every second.
import { say, formatAgo, formatClock } from "./words.js";
import { serverNow } from "./clock.js";
import { figure } from "./view.js";

export function bindStatusbar(newestCount) {
  const bar = document.querySelector("[data-live]");
  const text = bar.querySelector("[data-live-text]");
  const watching = bar.querySelector("[data-live-watching]");
  const region = document.querySelector("[data-live-region]");
  let status = { mode: "connecting", since_ms: serverNow() };

  const sentence = () => {
    const count = newestCount();
    switch (status.mode) {
      case "live":
        return say("live-live", { ago: formatAgo(serverNow() - Date.parse(count.at)) });
      case "polling":
        return say("live-polling", { ago: formatAgo(serverNow() - Date.parse(count.at)) });
      case "reconnecting":
        return say("live-reconnecting", {
          figure: figure(count),
          time: formatClock(status.since_ms),
        });
      case "stale":
        return say("live-stale", { time: formatClock(status.since_ms) });
      case "gone":
        return say("live-gone");
      default:
        return say("live-connecting");
    }
  };
  const show = () => {
    const next = sentence();
    if (text.textContent !== next) text.textContent = next;
    bar.dataset.mode = status.mode;
    // Without a live number the reader can still ask for one.
    bar.querySelector("[data-live-reload]").hidden =
      status.mode !== "stale" && status.mode !== "gone";
  };
  setInterval(() => {
    if (document.visibilityState === "visible") show();
  }, 1_000);
  document.addEventListener("visibilitychange", show);
  show();

  return {
    status(next) {
      const troubled = (mode) => mode === "stale" || mode === "gone";
      if (region && troubled(status.mode) !== troubled(next.mode)) {
        region.textContent = troubled(next.mode)
          ? say(`live-${next.mode}`, { time: formatClock(next.since_ms) })
          : say("live-back");
      }
      status = next;
      show();
    },
    count: show,
    watching({ watching: n }) {
      if (!watching) return;
      watching.hidden = n < 2; // one watcher is the reader
      watching.textContent = say("live-watching", { n });
    },
  };
}
