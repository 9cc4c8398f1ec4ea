// Parts of the console that only the server can write: what a reset would do, and whether one can be undone. Another organiser
// may start a round and the first visitor may end it, so these parts are read again then.
import { Timers } from "./timers.js";
import { watchEvent } from "./watch.js";

const SETTLE_MS = 300; // a burst of changes costs one request

const isEmpty = ({ registered, waiting }) => registered + waiting === 0;

/** Whether a change may concern an undo. Pure. */
export const mayConcern = (count, before) =>
  !before || count.round !== before.round || isEmpty(count) !== isEmpty(before);

export function start(section) {
  const { slug, store } = watchEvent();
  const timers = new Timers();
  const read = async () => {
    const answer = await fetch(`/admin/events/${slug}`, { cache: "no-store" });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of section.querySelectorAll("[data-part]")) {
      const now = page.querySelector(`[data-part="${part.dataset.part}"]`);
      if (now) part.replaceChildren(...now.childNodes);
    }
  };
  const readQuietly = () => read().catch(() => {}); // the next change asks again
  store.addEventListener("change", ({ detail: { count, before } }) => {
    if (mayConcern(count, before)) timers.after("read", SETTLE_MS, readQuietly);
  });
}
