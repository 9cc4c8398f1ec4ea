// A page about one event: its first count comes with the page, the rest over the shared stream.
import { CountStore } from "./count-store.js";
import { shareStream } from "./shared-stream.js";
import { bindCount } from "./view.js";
import { bindStatusbar } from "./statusbar.js";
import { bindNotices } from "./notices.js";
import { followDetails, showDetails } from "./details.js";
import { keepClock } from "./clock.js";

let watched = null;

/** The page's event: its slug, and the store of its count. Opens the stream on the first call. */
export const watchEvent = () => (watched ??= open());
export const start = watchEvent;

function open() {
  const element = document.querySelector("[data-initial-count]");
  const initial = JSON.parse(element.textContent);
  let { zone } = element.dataset;
  const slug = initial.event;
  const store = new CountStore(initial);
  bindCount(store, slug);
  const bar = bindStatusbar(() => store.count);
  const notices = bindNotices();
  const title = () => document.querySelector("[data-detail=title]")?.textContent ?? "";
  const details = followDetails(slug, (now) => {
    showDetails(now);
    zone = now.time_zone;
    notices(slug, now.title, now.announcement, zone);
    store.dispatchEvent(new CustomEvent("details", { detail: now }));
  });
  const hear = {
    count: ({ count, authoritative }) => store.accept(count, { authoritative }),
    status: (status) => {
      bar.status(status);
      details.status(status.mode);
      if (status.mode === "gone") store.dispatchEvent(new Event("gone"));
    },
    watching: bar.watching,
    notice: (notice) => notices(slug, title(), notice, zone),
    details: details.soon,
  };
  store.addEventListener("change", bar.count);
  shareStream(slug, (kind, detail) => hear[kind]?.(detail));
  keepClock().then(bar.count);
  return { slug, store };
}
