// The reader's own time beside the time in the event's zone, where their clocks differ.
import { formatSpan, isSameClock, ownZone } from "./dates.js";
import { say } from "./words.js";

export function start(element) {
  const { zoned: zone, starts, ends } = element.dataset;
  const end = ends || starts;
  if (!starts || isSameClock(starts, end, zone, ownZone())) return;
  const own = document.createElement("span");
  own.className = "own-time";
  own.textContent = ` ${say("own-time", { time: formatSpan(starts, end, ownZone()) })}`;
  (element.closest("[data-future]") ?? element).after(own);
}
