// The list of events. Up to three events are followed one by one; more are asked for together every
// few seconds. Which events there are is asked for in any case.
import { CountStore } from "./count-store.js";
import { shareStream } from "./shared-stream.js";
import { pollList } from "./transports/poll-list.js";
import { bindCount } from "./view.js";
import { bindStatusbar } from "./statusbar.js";
import { sayListStatus } from "./list-status.js";
import { bindNotices } from "./notices.js";
import { followDetails, showDetails } from "./details.js";
import { keepClock } from "./clock.js";
import { followMembers } from "./list-members.js";

const MOST_STREAMS = 3;
const MODES = ["gone", "live", "polling", "connecting", "reconnecting", "stale"]; // the worst last

/**
 * The status of a list: that of its worst event, and of several the one that is out of date for
 * longest. Pure.
 */
export const worst = (statuses) =>
  statuses.reduce((a, b) => {
    const worse = MODES.indexOf(b.mode) - MODES.indexOf(a.mode);
    return worse > 0 || (worse === 0 && b.since_ms < a.since_ms) ? b : a;
  });

export function start() {
  const stores = new Map();
  const streamed = new Set();
  const edits = new Map();
  const newest = () => {
    const counts = [...stores.values()].map(({ count }) => count);
    if (counts.length === 0) return null;
    const count = counts.reduce((a, b) => (a.at > b.at ? a : b));
    return { count, title: titleOf(count.event) };
  };
  const bar = bindStatusbar(newest, sayListStatus);
  const notices = bindNotices();
  const add = (row) => {
    const count = JSON.parse(row.querySelector("[data-initial-count]").textContent);
    const store = new CountStore(count);
    stores.set(count.event, store);
    bindCount(store, count.event);
    store.addEventListener("change", bar.count);
    store.addEventListener("change", partsChanged);
  };
  const show = (event) => {
    if (!stores.has(event.event)) return;
    const known = edits.get(event.event);
    if (known !== undefined && known !== event.edits) partsChanged();
    edits.set(event.event, event.edits);
    showDetails(event);
    notices(event.event, event.title, event.announcement, event.time_zone);
  };
  const remove = (slug) => {
    stores.get(slug).dispatchEvent(new Event("gone"));
    notices(slug, "", null);
  };
  document.querySelectorAll("[data-events] > [data-details]").forEach(add);
  const polls = stores.size === 0 || stores.size > MOST_STREAMS;
  if (!polls) streamEach(stores, streamed, bar, { show, remove });
  const members = followMembers(add);
  pollList(
    (events) => {
      for (const event of events) {
        if (streamed.has(event.event)) continue;
        stores.get(event.event)?.accept(event);
        show(event);
      }
      const slugs = events.map(({ event }) => event);
      for (const slug of stores.keys())
        if (!slugs.includes(slug) && !streamed.has(slug)) remove(slug);
      members(events.map((event) => [event.event, event.visibility, event.archived].join(":")));
    },
    polls ? bar.status : () => {},
  );
  keepClock().then(bar.count);
}

/** The console's list has pictures that only the server draws. */
async function partsChanged() {
  if (!document.querySelector("[data-parts]")) return;
  const { readSoon } = await import("./desk-parts.js");
  readSoon();
}

function streamEach(stores, streamed, bar, { show, remove }) {
  const statuses = new Map();
  for (const [slug, store] of stores) {
    streamed.add(slug);
    const details = followDetails(slug, show);
    shareStream(slug, (kind, detail) => {
      if (!streamed.has(slug)) return; // removed; another one of this name is asked for with the list
      if (kind === "count") store.accept(detail.count, { authoritative: detail.authoritative });
      if (kind === "details" || kind === "notice") details.soon();
      if (kind !== "status") return;
      details.status(detail.mode);
      statuses.set(slug, detail);
      const found = worst([...statuses.values()]);
      const names = [...statuses]
        .filter(([, { mode }]) => mode === found.mode)
        .map(([slug]) => titleOf(slug));
      bar.status({ ...found, names, all: stores.size });
      if (detail.mode !== "gone") return;
      remove(slug);
      streamed.delete(slug);
      statuses.delete(slug);
    });
  }
}

const titleOf = (slug) =>
  document.querySelector(`[data-details="${CSS.escape(slug)}"] [data-detail=title]`)?.textContent ??
  slug;
