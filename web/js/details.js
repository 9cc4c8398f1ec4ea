// An event's details beside the count: title, description, times, announcement. Reads them again when
// the server says that they have changed, when the connection is back, and once a minute.
import { follow } from "./live-parts.js";
import { countUrl } from "./probe.js";
import { showVisibility } from "./view.js";

const SPREAD_MS = 2_000; // all watchers are notified in the same instant
const EVERY_MS = 60_000;
const POLLING_MS = 8_000; // without a push, this is how a change arrives
const PATIENCE_MS = 10_000;
const AGAIN_MS = 3_000; // after a reading that failed

/**
 * Calls `onDetails(details)` with what `GET …/details` answers, whenever they may have changed, and
 * `gone()` when the event was deleted.
 */
export function followDetails(slug, onDetails, gone = () => {}) {
  let etag = null;
  let latest = null;
  let timer = null;
  let mode = "connecting";
  let pause = null;
  let over = false;
  const end = () => {
    if (!over) gone();
    over = true;
    clearTimeout(pause);
  };
  const read = async () => {
    timer = null;
    try {
      const answer = await fetch(`${countUrl(slug)}/details`, {
        headers: { Accept: "application/json", ...(etag && { "If-None-Match": etag }) },
        cache: "no-store",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      // The same details as at the last reading can still be news: an announcement may have come and
      // gone since, and the page shows it.
      if (answer.status === 304 && latest) return onDetails(latest);
      if (answer.status === 404) return end();
      if (answer.status !== 200) return again();
      etag = answer.headers.get("ETag");
      latest = await answer.json();
      onDetails(latest);
    } catch {
      again();
    }
  };
  const soon = (least_ms = 0) => {
    if (timer === null && !over) timer = setTimeout(read, least_ms + Math.random() * SPREAD_MS);
  };
  // While the line is down, its return asks again.
  const again = () => {
    if (mode === "live") soon(AGAIN_MS);
  };
  const readAgain = () => {
    clearTimeout(pause);
    if (over) return;
    const pause_ms = mode === "polling" ? POLLING_MS : EVERY_MS;
    pause = setTimeout(
      () => {
        if (document.visibilityState === "visible") soon();
        readAgain();
      },
      pause_ms * (0.8 + Math.random() * 0.4),
    );
  };
  readAgain();
  return {
    soon: () => soon(),
    /** The connection's mode. What changed before it was open, or while it was cut, was not pushed. */
    status(next) {
      if (next === mode) return;
      if (next === "gone") return end();
      if (next === "live" || next === "polling") soon();
      mode = next;
      readAgain();
    },
  };
}

/** Puts an event's details into the elements that show them. */
export function showDetails(details) {
  showVisibility(details.event, details.visibility);
  const selector = `[data-details="${CSS.escape(details.event)}"]`;
  const own = document.querySelectorAll(selector);
  for (const root of own.length > 0 ? own : [document]) {
    for (const element of root.querySelectorAll("[data-detail]"))
      showDetail(element, details[element.dataset.detail]);
    follow(root, own.length > 0 ? selector : null, details.edits);
  }
}

function showDetail(element, value) {
  if (element.dataset.detail === "title") retitle(element, value);
  else if (element.dataset.detail === "description") {
    if (element.textContent !== value) element.textContent = value;
    element.hidden = value === "";
  } else if (element.dataset.detail === "max_party_size") {
    const input = element.querySelector("input");
    input.max = value;
    element.hidden = value === 1;
    if (value === 1) input.value = "1";
  } else if (element.dataset.detail === "proof_of_work") {
    element.dataset.proof = value;
  }
}

function retitle(element, title) {
  const before = element.textContent;
  if (before === title) return;
  element.textContent = title;
  // Only the page of one event bears its title.
  if (element.matches("h1, h1 *, .nav *") && document.title.includes(before))
    document.title = document.title.replace(before, () => title);
}
