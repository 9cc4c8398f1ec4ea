// The registration form, answered in place; nothing that was typed is lost. Without this file the
// form posts as usual.
import { readWords } from "./words.js";
import { keepDraft } from "./draft.js";
import { findErrors, translateErrors, showErrors, clearErrors } from "./errors.js";
import { send, drawKey } from "./send.js";
import { followRegistration, standingOf } from "./own-registration.js";

const FIELDS = ["name", "email", "party_size", "idempotency_key"];

export function bindForm(form, { slug, store, registered }) {
  const say = readWords("form-messages");
  const result = document.querySelector("[data-result]");
  const progress = form.querySelector("[data-form-progress]");
  const draft = keepDraft(form, slug, FIELDS);
  let sending = false;
  let unfollow = () => {};

  form.noValidate = true; // the summary says more than the browser's bubble, and to everybody
  form.addEventListener("input", () => form.toggleAttribute("data-kept", hasEntry(form)));
  form.toggleAttribute("data-kept", hasEntry(form));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (sending) return;
    const errors = findErrors(form, say);
    if (errors.length) return showErrors(form, say("error-heading"), errors);
    clearErrors(form);
    draft.save();
    busy(true);
    progress.textContent = say("form-sending");
    try {
      const { status, body } = await send(
        form.dataset.api,
        entryOf(form),
        form.elements.idempotency_key.value,
        {
          waiting: (n) => {
            progress.textContent = say("form-retrying", { n });
          },
        },
      );
      if (status !== 201 && status !== 200) refuse(body);
      else if (body.status === "cancelled") askAgain();
      else welcome(body);
    } catch {
      showErrors(form, say("form-unreachable"), []);
    } finally {
      progress.textContent = "";
      busy(false);
    }
  });
  result.querySelector("[data-result-again]").addEventListener("click", () => {
    unfollow();
    result.hidden = true;
    form.removeAttribute("data-done");
    form.hidden = false;
    form.elements.name.focus();
  });

  function busy(on) {
    sending = on;
    form.setAttribute("aria-busy", String(on));
    // Not `disabled`, which would drop the focus.
    form.querySelector("[type=submit]").setAttribute("aria-disabled", String(on));
  }

  function put(name, text) {
    result.querySelector(`[data-result-${name}]`).textContent = text;
  }

  function showStanding(standing, { waiting_position: position }) {
    result.dataset.status = standing;
    put("status", say(`result-${standing}`));
    put("detail", say(`result-${standing}-detail`, { position: position ?? "–" }));
    for (const part of result.querySelectorAll("[data-result-keep]"))
      part.hidden = standing !== "confirmed" && standing !== "waiting";
  }

  function welcome(registration) {
    const { number, round, position: made, links } = registration;
    const pathOf = (url) => new URL(url, location.href).pathname;
    put("number", say("result-number", { number }));
    showStanding(standingOf(registration, { round }), registration);
    unfollow = followRegistration(store, pathOf(links.self), registration, showStanding);
    result.querySelector("[data-result-link]").href = pathOf(links.page);
    draft.forget();
    form.reset();
    form.elements.name.value = form.elements.email.value = "";
    form.elements.party_size.value = "1";
    form.elements.idempotency_key.value = drawKey();
    form.removeAttribute("data-kept");
    form.setAttribute("data-done", "");
    form.hidden = true;
    result.hidden = false;
    result.focus();
    registered(made);
  }

  /** The form was sent again after its registration was cancelled: registering needs a new key. */
  function askAgain() {
    form.elements.idempotency_key.value = drawKey();
    draft.save();
    showErrors(form, say("form-cancelled"), []);
  }

  /** A browser's autofill has filled in the hidden field: empty it and say so. */
  function emptyTrap() {
    form.elements.website.value = "";
    showErrors(form, say("error-trap"), []);
  }

  function refuse({ code, errors = [], remaining }) {
    // The key belongs to the first entry; this one is another.
    if (code === "idempotency-mismatch") form.elements.idempotency_key.value = drawKey();
    if (errors.some(({ field }) => field === "website")) return emptyTrap();
    if (errors.length) showErrors(form, say("error-heading"), translateErrors(form, errors, say));
    else if (code === "already-registered")
      showErrors(form, say(`problem-${code}`), [
        { field: "email", message: say("error-email-taken") },
      ]);
    else if (code === "event-full" && remaining > 0)
      showErrors(form, say(`problem-${code}`), [
        { field: "party_size", message: say("error-party_size-full", { n: remaining }) },
      ]);
    else showErrors(form, say(`problem-${code}`) || say("form-failed"), []);
  }
}

const hasEntry = (form) => form.elements.name.value !== "" || form.elements.email.value !== "";
const entryOf = (form) => ({
  name: form.elements.name.value,
  email: form.elements.email.value,
  party_size: Number(form.elements.party_size.value),
  website: form.elements.website.value,
});
