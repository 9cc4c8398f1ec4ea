// The list of events. Up to three events are followed one by one; more are asked for together every few seconds.
import { CountStore } from "./count-store.js";
import { shareStream } from "./shared-stream.js";
import { pollList } from "./transports/poll-list.js";
import { bindCount } from "./view.js";
import { bindStatusbar } from "./statusbar.js";
import { sayListStatus } from "./list-status.js";
import { bindNotices } from "./notices.js";
import { followDetails, showDetails } from "./details.js";
import { keepClock } from "./clock.js";

const MOST_STREAMS = 3;
const MODES = ["gone", "live", "polling", "connecting", "reconnecting", "stale"]; // the worst last

/** The status of a list: that of its worst event, and of several the one that is out of date for longest. Pure. */
export const worst = (statuses) =>
  statuses.reduce((a, b) => {
    const worse = MODES.indexOf(b.mode) - MODES.indexOf(a.mode);
    return worse > 0 || (worse === 0 && b.since_ms < a.since_ms) ? b : a;
  });

export function start() {
  const stores = new Map();
  for (const data of document.querySelectorAll("[data-initial-count]")) {
    const count = JSON.parse(data.textContent);
    stores.set(count.event, new CountStore(count));
  }
  if (stores.size === 0) return;
  const newest = () => {
    const counts = [...stores.values()].map(({ count }) => count);
    const count = counts.reduce((a, b) => (a.at > b.at ? a : b));
    return { count, title: titleOf(count.event) };
  };
  const bar = bindStatusbar(newest, sayListStatus);
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
  const remove = (slug) => {
    stores.get(slug).dispatchEvent(new Event("gone"));
    notices(slug, "", null);
  };
  if (stores.size <= MOST_STREAMS) streamEach(stores, bar, { show, remove });
  else pollAll(stores, bar, { show, remove });
  keepClock().then(bar.count);
}

function streamEach(stores, bar, { show, remove }) {
  const statuses = new Map();
  for (const [slug, store] of stores) {
    const details = followDetails(slug, show);
    shareStream(slug, (kind, detail) => {
      if (kind === "count") store.accept(detail.count, { authoritative: detail.authoritative });
      if (kind === "details" || kind === "notice") details.soon();
      if (kind !== "status") return;
      details.status(detail.mode);
      statuses.set(slug, detail);
      if (detail.mode === "gone") remove(slug);
      const found = worst([...statuses.values()]);
      const names = [...statuses]
        .filter(([, { mode }]) => mode === found.mode)
        .map(([slug]) => titleOf(slug));
      bar.status({ ...found, names, all: stores.size });
    });
  }
}

function pollAll(stores, bar, { show, remove }) {
  pollList((events) => {
    for (const event of events) {
      stores.get(event.event)?.accept(event);
      show(event);
    }
    const there = new Set(events.map(({ event }) => event));
    for (const slug of stores.keys()) if (!there.has(slug)) remove(slug);
  }, bar.status);
}

const titleOf = (slug) =>
  document.querySelector(`[data-details="${CSS.escape(slug)}"] [data-detail=title]`)?.textContent ??
  slug;
