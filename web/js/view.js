// Puts a count into every element of the page that shows it: [data-count="slug"] and what is inside.
import { say, formatNumber } from "./words.js";
import { railPaths } from "./rail.js";

const SPEAK_EVERY_MS = 15_000; // a screen reader speaks the number, not every number

export const figure = (count) =>
  count.capacity === null
    ? formatNumber(count.registered)
    : `${formatNumber(count.registered)} / ${formatNumber(count.capacity)}`;

/** Whether places are free that are too few for the group that is next on the waiting list. */
export const isHeld = (count) => count.remaining > 0 && count.waiting > 0;

export function places(count) {
  if (count.over_by > 0) return say("count-over", { n: count.over_by });
  if (count.remaining === null) return say("count-unlimited");
  if (isHeld(count)) return say("count-held", { n: count.remaining });
  return count.remaining === 0 ? say("count-none") : say("count-remaining", { n: count.remaining });
}

export function bindCount(store, slug) {
  // Looked up each time: the page may have been drawn anew after a form was refused.
  const roots = () => document.querySelectorAll(`[data-count="${CSS.escape(slug)}"]`);
  const speak = speaker(document.querySelector("[data-live-region]"));
  store.addEventListener("change", ({ detail: { count, before } }) => {
    roots().forEach((root) => show(root, count));
    showState(count.state);
    speak(count, before);
  });
  store.addEventListener("gone", () => {
    roots().forEach(showGone);
    showState("gone");
  });
}

/** An event that was deleted keeps its last number, which stands for nothing any more. */
function showGone(root) {
  root.dataset.state = "gone";
  root.querySelector("[data-count-state]").textContent = say("state-gone");
  for (const part of root.querySelectorAll("[data-count-places], [data-count-waiting]"))
    part.hidden = true;
}

/** Nobody can register for a draft, whatever its count says. */
const stateOf = (root, state) =>
  say(root.hasAttribute("data-draft") ? "state-draft" : `state-${state}`);

/** Says that an event is a draft, or is none any more. */
export function showVisibility(slug, visibility) {
  for (const root of document.querySelectorAll(`[data-count="${CSS.escape(slug)}"]`)) {
    root.toggleAttribute("data-draft", visibility === "draft");
    const { state } = root.dataset;
    root.querySelector("[data-count-state]").textContent =
      state === "gone" ? say("state-gone") : stateOf(root, state);
  }
}

function show(root, count) {
  const at = (name) => root.querySelector(`[data-count-${name}]`);
  const number = at("registered");
  const text = formatNumber(count.registered);
  if (number.textContent !== text) {
    number.textContent = text;
    number.classList.remove("is-moved");
    requestAnimationFrame(() => number.classList.add("is-moved"));
  }
  at("capacity").textContent =
    count.capacity === null
      ? say("figure-registered")
      : say("figure-of", { capacity: count.capacity });
  at("places").textContent = places(count);
  at("state").textContent = stateOf(root, count.state);
  at("waiting").textContent = say("count-waiting", { n: count.waiting });
  at("waiting").hidden = count.waiting === 0;
  at("round").textContent = say("count-round", { round: count.round });
  at("round").hidden = count.round < 2;
  root.dataset.state = count.state;
  root.toggleAttribute("data-unlimited", count.capacity === null);
  root.dataset.digits = Math.max(
    2,
    String(count.registered).length,
    String(count.capacity ?? 0).length,
  );
  const { ticks, few, ...paths } = railPaths(count.capacity, count.registered);
  const rail = at("rail");
  rail.toggleAttribute("data-few", few);
  rail.setAttribute("viewBox", `0 0 ${ticks || 1} 24`);
  for (const [name, d] of Object.entries(paths))
    rail.querySelector(`.rail-${name}`).setAttribute("d", d);
}

/**
 * Shows what belongs to the state. What somebody is typing into (data-kept) stays as long as there
 * is an event.
 */
function showState(state) {
  for (const part of document.querySelectorAll("[data-when-state]")) {
    const fits = part.dataset.whenState.split(" ").includes(state);
    const kept = part.hasAttribute("data-kept") && state !== "gone";
    part.hidden = !fits && !kept;
  }
  const button = document.querySelector("[data-register-button]");
  if (button)
    button.textContent = state === "waitlist" ? button.dataset.waitlist : button.dataset.open;
}

function speaker(region) {
  let timer = null;
  let newest = null;
  const speak = () => {
    timer = null;
    if (region)
      region.textContent = `${say("count-spoken", { figure: figure(newest), places: places(newest) })} ${say(`state-${newest.state}`)}`;
  };
  return (count, before) => {
    newest = count;
    if (before && before.state !== count.state) {
      clearTimeout(timer);
      speak();
    } else timer ??= setTimeout(speak, SPEAK_EVERY_MS);
  };
}
