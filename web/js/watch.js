// A page about one event: its first count comes with the page, the rest over the shared stream.
import { CountStore } from "./count-store.js";
import { shareStream } from "./shared-stream.js";
import { bindCount } from "./view.js";
import { bindStatusbar } from "./statusbar.js";
import { bindNotices } from "./notices.js";
import { measureClock } from "./clock.js";

const initial = JSON.parse(document.querySelector("[data-initial-count]").textContent);
export const slug = initial.event;
export const store = new CountStore(initial);

bindCount(store, slug);
const bar = bindStatusbar(() => store.count);
const notice = bindNotices();
store.addEventListener("change", bar.count);

const hear = {
  count: ({ count, authoritative }) => store.accept(count, { authoritative }),
  status: bar.status,
  watching: bar.watching,
  notice,
};
export const stream = shareStream(slug, (kind, detail) => hear[kind]?.(detail));
measureClock().then(bar.count);
