// When registration opens and closes: a moment that has passed is not announced as one to come.
import { clockEstimate, serverNow } from "./clock.js";

const CHECK_MS = 1_000;

/** Writes the words around the time of `[data-future]`: those of the future or those of the past. */
export function sayMoment(element) {
  const time = element.querySelector("time");
  if (!time.dateTime || !clockEstimate()) return; // the page’s own words are the server’s
  const { past, future } = element.dataset;
  const words = Date.parse(time.dateTime) <= serverNow() ? past : future;
  const [before, after] = words.split("%time");
  const [first, last] = [element.firstElementChild, element.lastElementChild];
  if (first.textContent !== before) first.textContent = before;
  if (last.textContent !== after) last.textContent = after;
}

export function start(element) {
  setInterval(() => sayMoment(element), CHECK_MS);
  sayMoment(element);
}
