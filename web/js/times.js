// Times in the reader's own time zone: instead of UTC, or beside the time in the event's zone.
import { formatDate, formatSpan, say } from "./words.js";

export function start(element) {
  if (element.dataset.zoned) return showOwn(element);
  element.title = element.textContent;
  element.textContent = formatDate(element.dateTime);
}

/** The reader's own time beside the event's, where their clocks differ. */
function showOwn(element) {
  const { zoned: zone, starts, ends } = element.dataset;
  const own = formatSpan(starts, ends || starts);
  if (own === formatSpan(starts, ends || starts, zone)) return;
  const beside = document.createElement("span");
  beside.className = "own-time";
  beside.textContent = ` ${say("own-time", { time: own })}`;
  element.after(beside);
}
