// The console: previews a new capacity, asks before destructive actions, and follows other
// organisers' changes. Every action works without this file.
import { previewCapacity } from "./capacity-preview.js";
import { fieldMoment } from "./moment-field.js";
import { readWords } from "./words.js";
import { formatMoment, ownZone } from "./dates.js";

const say = readWords("admin-messages");

async function bindCapacity(form, signal) {
  const { watchEvent } = await import("./watch.js");
  const { store } = watchEvent();
  const input = form.elements.capacity;
  const preview = form.querySelector("[data-capacity-preview]");
  const rule = form.querySelector("[data-capacity-rule]");
  const show = () => {
    const typed = input.value.trim();
    const next = typed === "" ? null : Number(typed);
    const fits =
      !input.validity.badInput &&
      (next === null || (Number.isInteger(next) && next >= 0 && next <= 1_000_000));
    const untouched = input.value === input.defaultValue && document.activeElement !== input;
    const words = fits
      ? previewCapacity(store.count, next, "groups" in form.dataset).map(([key, values]) =>
          say(key, values),
        )
      : [say("preview-invalid")];
    preview.textContent = untouched
      ? ""
      : words.join(document.documentElement.lang.startsWith("zh") ? "" : " ");
    rule.hidden = !untouched;
  };
  input.addEventListener("input", show);
  input.addEventListener("focus", show);
  input.addEventListener("blur", show);
  const follow = () => {
    const was = form.elements.was_capacity;
    const now = store.count.capacity === null ? "" : String(store.count.capacity);
    if (input.value === was.value && was.value !== now)
      input.value = input.defaultValue = was.value = now;
    show();
  };
  store.addEventListener("change", follow, { signal });
}

/** Untouched fields follow what somebody else saves; the others keep what was typed. */
async function bindEdit(form, signal) {
  const { watchEvent } = await import("./watch.js");
  const { store } = watchEvent();
  const follow = (name, now) => {
    const field = form.elements[name];
    const was = form.elements[`was_${name}`];
    const isChoice = field.type === "checkbox";
    const value = isChoice ? String(field.checked) : field.value;
    if (value !== was.value.replaceAll("\r\n", "\n") || was.value === now) return;
    was.value = now;
    if (isChoice) field.checked = now === "true";
    else field.value = now;
    field.dispatchEvent(new Event("input"));
  };
  const update = ({ detail: now }) => {
    follow("title", now.title);
    follow("description", now.description);
    for (const name of ["starts_at", "ends_at", "opens_at", "closes_at"])
      follow(name, fieldMoment(now[name], now.time_zone));
    for (const name of ["time_zone", "location", "contact"]) follow(name, now[name]);
    if ("online_url" in now) follow("online_url", now.online_url ?? "");
    follow("waitlist", String(now.waitlist));
    follow("public_chart", String(now.public_chart));
    follow("max_party_size", String(now.max_party_size));
    follow("proof_of_work", now.proof_of_work);
    follow("visibility", now.visibility);
    follow("erase_after_days", String(now.erase_after_days ?? ""));
  };
  store.addEventListener("details", update, { signal });
}

async function bindAnnounced(form, signal) {
  const { watchEvent } = await import("./watch.js");
  const { store } = watchEvent();
  const update = ({ detail: { announcement, time_zone } }) => {
    form.hidden = announcement === null;
    if (!announcement) return;
    const { text, ends_at } = announcement;
    const time = formatMoment(ends_at, time_zone);
    form.querySelector("[data-announced-text]").textContent = say("announce-now", { text, time });
  };
  store.addEventListener("details", update, { signal });
}

function bindConfirm(form) {
  const button = form.querySelector("[type=submit]");
  const field = form.elements.confirm;
  const show = () => {
    button.disabled = field.value.trim() !== form.dataset.confirmForm;
  };
  field.addEventListener("input", show);
  show();
}

/** Opens the form that a link leads to. */
function bindOpens(link) {
  const target = document.querySelector(link.hash);
  link.addEventListener("click", (event) => {
    event.preventDefault(); // following the link would take the focus away again
    target.open = true;
    target.scrollIntoView();
    target.querySelector("input:not([type=hidden])").focus({ preventScroll: true });
  });
}

/** The names of all zones, to choose from. A new event is most often where its organiser is. */
function bindZones(input) {
  if ("zoneOwn" in input.dataset && input.value === input.defaultValue)
    input.value = ownZone() ?? input.value;
  const list = document.createElement("datalist");
  list.id = `${input.id}-names`;
  for (const zone of Intl.supportedValuesOf?.("timeZone") ?? []) {
    const option = document.createElement("option");
    option.value = zone;
    list.append(option);
  }
  input.after(list);
  input.setAttribute("list", list.id);
}

const BEHAVIOURS = [
  ["[data-capacity-form]", bindCapacity],
  ["[data-edit-form]", bindEdit],
  ["[data-announced]", bindAnnounced],
  ["[data-confirm-form]", bindConfirm],
  ["[data-zones]", bindZones],
  ["[data-opens]", bindOpens],
];

export function start(element, { signal }) {
  for (const [selector, bind] of BEHAVIOURS) if (element.matches(selector)) bind(element, signal);
}
