// The list of events. Up to three events are followed one by one; more are asked for together every few seconds.
import { CountStore } from "./count-store.js";
import { shareStream } from "./shared-stream.js";
import { pollList } from "./transports/poll-list.js";
import { bindCount } from "./view.js";
import { bindStatusbar } from "./statusbar.js";
import { bindNotices } from "./notices.js";
import { followDetails, showDetails } from "./details.js";
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
  const notices = bindNotices();
  const show = (event) => {
    if (!stores.has(event.event)) return;
    showDetails(event);
    notices(event.event, event.title, event.announcement);
  };
  if (stores.size <= MOST_STREAMS) streamEach(stores, bar, show);
  else
    pollList((event) => {
      stores.get(event.event)?.accept(event);
      show(event);
    }, bar.status);
  keepClock().then(bar.count);
}

function streamEach(stores, bar, show) {
  const statuses = new Map();
  for (const [slug, store] of stores) {
    const details = followDetails(slug, show);
    shareStream(slug, (kind, detail) => {
      if (kind === "count") store.accept(detail.count, { authoritative: detail.authoritative });
      if (kind === "details" || kind === "notice") details.soon();
      if (kind !== "status") return;
      details.status(detail.mode);
      statuses.set(slug, detail);
      bar.status(worst([...statuses.values()]));
    });
  }
}
