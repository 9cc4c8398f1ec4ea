// The list of events. Up to three events are followed one by one; more are asked for together every few seconds.
import { CountStore } from "./count-store.js";
import { shareStream } from "./shared-stream.js";
import { pollList } from "./transports/poll-list.js";
import { bindCount } from "./view.js";
import { bindStatusbar } from "./statusbar.js";
import { keepClock } from "./clock.js";

const MOST_STREAMS = 3;
const MODES = ["live", "polling", "connecting", "reconnecting", "stale", "gone"]; // the worst last

/** The status of a list: that of its worst event. */
export const worst = (statuses) =>
  statuses.reduce((a, b) => (MODES.indexOf(a.mode) > MODES.indexOf(b.mode) ? a : b));

export function start() {
  const stores = new Map();
  for (const data of document.querySelectorAll("[data-initial-count]")) {
    const count = JSON.parse(data.textContent);
    stores.set(count.event, new CountStore(count));
  }
  if (stores.size === 0) return;
  const newest = () =>
    [...stores.values()].map((store) => store.count).reduce((a, b) => (a.at > b.at ? a : b));
  const bar = bindStatusbar(newest);
  for (const [slug, store] of stores) {
    bindCount(store, slug);
    store.addEventListener("change", bar.count);
  }
  if (stores.size <= MOST_STREAMS) streamEach(stores, bar);
  else pollList((count) => stores.get(count.event)?.accept(count), bar.status);
  keepClock().then(bar.count);
}

function streamEach(stores, bar) {
  const statuses = new Map();
  for (const [slug, store] of stores) {
    shareStream(slug, (kind, detail) => {
      if (kind === "count") store.accept(detail.count, { authoritative: detail.authoritative });
      if (kind !== "status") return;
      statuses.set(slug, detail);
      bar.status(worst([...statuses.values()]));
    });
  }
}
