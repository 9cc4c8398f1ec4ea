// The reader's own time beside the time in the event's zone, where their clocks differ.
import { formatSpan, isSameClock, ownZone, unbroken } from "./dates.js";
import { say } from "./words.js";

export function start(element) {
  const { zoned: zone, starts, ends } = element.dataset;
  const end = ends || starts;
  if (!starts || isSameClock(starts, end, zone, ownZone())) return;
  const own = document.createElement("span");
  own.className = "own-time";
  const time = unbroken(formatSpan(starts, end, ownZone()));
  own.textContent = ` ${say("own-time", { time })}`;
  (element.closest("[data-future]") ?? element).after(own);
}
