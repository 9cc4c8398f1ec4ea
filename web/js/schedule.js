// When registration opens and closes: a moment that has passed is not announced as one to come.
import { clockEstimate, serverNow } from "./clock.js";
import { every } from "./timers.js";

const CHECK_MS = 1_000;

/** Whether registration opens and closes by itself. One that was closed by hand does not, nor a draft. */
function isAwaited() {
  const count = document.querySelector("main [data-count]");
  return !["closed", "gone"].includes(count.dataset.state) && !count.hasAttribute("data-draft");
}

/** Writes the words around the time of `[data-future]`: those of the future or those of the past. */
export function sayMoment(element) {
  const time = element.querySelector("time");
  if (!time.dateTime || !clockEstimate()) return; // the page’s own words are the server’s
  const { past, future } = element.dataset;
  const isPast = Date.parse(time.dateTime) <= serverNow();
  const words = isPast ? past : future;
  element.hidden = !isPast && !isAwaited();
  const [before, after] = words.split("%time");
  const [first, last] = [element.firstElementChild, element.lastElementChild];
  if (first.textContent !== before) first.textContent = before;
  if (last.textContent !== after) last.textContent = after;
}

export function start(element, { signal }) {
  every(CHECK_MS, () => sayMoment(element), signal);
  sayMoment(element);
}
