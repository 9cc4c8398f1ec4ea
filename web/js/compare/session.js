// When the page compares: while it is visible, and in one page of a browser only. Four of its lines
// hold connections, and HTTP/1.1 gives a browser six.
import { drawKey } from "../send.js";
import { holdSlot } from "./slot.js";

const CHANNEL = "headcount-compare";

/**
 * Calls `run()` and `rest(taken)` in turn; `taken`: another page of this browser compares. Returns
 * a function that begins again.
 */
export function bindSession({ run, rest }) {
  const id = drawKey();
  let channel = null;
  let taken = false;
  let running = false;
  let release = () => {};

  const become = (next) => {
    if (running === next) return;
    running = next;
    release();
    release = next ? holdSlot(id) : () => {};
    if (!next) return rest(taken);
    channel?.postMessage({ id });
    run();
  };
  const decide = () => become(!taken && document.visibilityState === "visible");
  const listen = () => {
    const opened = new BroadcastChannel(CHANNEL);
    opened.onmessage = ({ data }) => {
      if (data.id === id) return;
      taken = true;
      decide();
    };
    return opened;
  };
  const begin = () => {
    taken = false;
    if ("BroadcastChannel" in window) channel ??= listen();
    decide();
  };
  // Of two pages the one that was looked at last compares.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") taken = false;
    decide();
  });
  // Open lines would keep the page out of the back/forward cache.
  addEventListener("pagehide", () => {
    become(false);
    channel?.close();
    channel = null;
  });
  addEventListener("pageshow", ({ persisted }) => persisted && begin());
  // A frame that never ends must not keep the page loading.
  if (document.readyState === "complete") begin();
  else addEventListener("load", () => setTimeout(begin), { once: true });
  return begin;
}
