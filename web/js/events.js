// The list of events. Up to three streams; beyond that one request for all of them every few seconds.
import { CountStore } from "./count-store.js";
import { shareStream } from "./shared-stream.js";
import { bindCount } from "./view.js";
import { bindStatusbar } from "./statusbar.js";
import { measureClock } from "./clock.js";

const STREAMS = 3; // of the six connections that HTTP/1.1 gives a browser
const EVERY_MS = 4_000;
const RANK = ["live", "polling", "connecting", "reconnecting", "stale", "gone"];

const stores = new Map();
for (const data of document.querySelectorAll("[data-initial-count]")) {
  const count = JSON.parse(data.textContent);
  stores.set(count.event, new CountStore(count));
}
if (stores.size > 0) watchAll();

function watchAll() {
  const newest = () =>
    [...stores.values()].map((store) => store.count).reduce((a, b) => (a.at > b.at ? a : b));
  const bar = bindStatusbar(newest);
  for (const [slug, store] of stores) {
    bindCount(store, slug);
    store.addEventListener("change", bar.count);
  }
  if (stores.size <= STREAMS) streamEach(bar);
  else pollAll(bar);
  measureClock().then(bar.count);
}

function streamEach(bar) {
  const states = new Map();
  for (const [slug, store] of stores) {
    shareStream(slug, (kind, detail) => {
      if (kind === "count") store.accept(detail.count, { authoritative: detail.authoritative });
      if (kind !== "status") return;
      states.set(slug, detail);
      bar.status(
        [...states.values()].reduce((a, b) =>
          RANK.indexOf(a.mode) > RANK.indexOf(b.mode) ? a : b,
        ),
      );
    });
  }
}

function pollAll(bar) {
  let confirmed_ms = Date.now();
  const ask = async () => {
    if (document.visibilityState === "visible") {
      try {
        const answer = await fetch("/api/v1/events", {
          headers: { Accept: "application/json" },
          signal: AbortSignal.timeout(EVERY_MS * 2),
        });
        const { events } = await answer.json();
        for (const count of events) stores.get(count.event)?.accept(count);
        confirmed_ms = Date.now();
        const stale = events.find((count) => count.stale_since);
        bar.status(
          stale
            ? { mode: "stale", since_ms: Date.parse(stale.stale_since) }
            : { mode: "polling", since_ms: confirmed_ms },
        );
      } catch {
        bar.status({
          mode: Date.now() - confirmed_ms > 30_000 ? "stale" : "reconnecting",
          since_ms: confirmed_ms,
        });
      }
    }
    setTimeout(ask, EVERY_MS * (0.85 + Math.random() * 0.3));
  };
  ask();
}
