// A field for a moment. The server reads and writes UTC; scripts show and take the reader's own time, and say which zone that is.
import { fill, formatDate, zoneName } from "./words.js";

const MINUTE_MS = 60_000;

/** A moment as a `datetime-local` field writes it: no more than it says. */
export const fieldMoment = (at) =>
  at === null ? "" : at.replace(/(:00)?(\.000)?Z$/, "").replace(/Z$/, "");

/** `2026-11-21T09:00` in UTC as a field in local time. */
export function toLocal(utc) {
  if (utc === "") return "";
  const at = new Date(`${utc}Z`);
  return fieldMoment(new Date(at - at.getTimezoneOffset() * MINUTE_MS).toISOString());
}

/** What a field says in local time, in UTC. */
export const toUtc = (local) => (local === "" ? "" : fieldMoment(new Date(local).toISOString()));

/** The named field becomes a hidden one in UTC; what is not touched keeps every digit. */
export function start(shown) {
  const sent = document.createElement("input");
  sent.type = "hidden";
  sent.name = shown.name;
  sent.value = shown.value;
  shown.removeAttribute("name");
  shown.after(sent);

  const field = shown.closest(".field");
  const hint = field.querySelector("[data-zone-hint]");
  const sayZone = () => {
    const zone = zoneName(sent.value === "" ? new Date() : `${sent.value}Z`);
    hint.textContent = fill(hint.dataset.zoneHint, { zone });
  };
  const show = () => {
    shown.value = toLocal(sent.value);
    sayZone();
  };
  shown.addEventListener("input", () => {
    sent.value = toUtc(shown.value);
    sayZone();
  });
  sent.addEventListener("input", show); // it follows what somebody else saves
  show();

  const clash = field.querySelector("[data-clash]");
  if (clash?.dataset.now)
    clash.textContent = fill(clash.dataset.clash, { value: formatDate(`${clash.dataset.now}Z`) });
}
