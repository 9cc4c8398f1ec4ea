// The console: what a new capacity would do before it is done, and nothing destroyed by a slip. Every action works without this.
import { previewCapacity } from "./capacity-preview.js";
import { readWords, formatDate } from "./words.js";

const say = readWords("admin-messages");

async function bindCapacity(form) {
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
      ? previewCapacity(store.count, next).map(([key, values]) => say(key, values))
      : [say("preview-invalid")];
    preview.textContent = untouched
      ? ""
      : words.join(document.documentElement.lang.startsWith("zh") ? "" : " ");
    rule.hidden = !untouched;
  };
  input.addEventListener("input", show);
  input.addEventListener("focus", show);
  input.addEventListener("blur", show);
  store.addEventListener("change", show);
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

function bindUtc(input) {
  const hint = input.closest(".field").querySelector("[data-utc-hint]");
  const plain = hint.textContent;
  const show = () => {
    const local = input.value && say("edit-local", { time: formatDate(`${input.value}Z`) });
    hint.textContent = local || plain;
  };
  input.addEventListener("input", show);
  show();
}

function bindSlug(source, target) {
  let own = target.value !== "";
  target.addEventListener("input", () => {
    own = true;
  });
  source.addEventListener("input", () => {
    if (own) return;
    const plain = source.value.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
    target.value = plain
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 64);
  });
}

export function start(element) {
  if (element.matches("[data-capacity-form]")) bindCapacity(element);
  if (element.matches("[data-confirm-form]")) bindConfirm(element);
  if (element.matches("[data-utc]")) bindUtc(element);
  if (element.matches("[data-slug-source]"))
    bindSlug(element, document.querySelector("[data-slug-target]"));
}
