// The registration form, improved: answered in place, nothing typed is ever lost. Without this file the form posts as it stands.
import { readWords } from "./words.js";
import { keepDraft } from "./draft.js";
import { findErrors, translateErrors, showErrors, clearErrors } from "./errors.js";
import { send, drawKey } from "./send.js";

const FIELDS = ["name", "email", "idempotency_key"];

export function bindForm(form, { slug, registered }) {
  const say = readWords("form-messages");
  const result = document.querySelector("[data-result]");
  const progress = form.querySelector("[data-form-progress]");
  const draft = keepDraft(form, slug, FIELDS);
  let sending = false;

  form.noValidate = true; // the summary below says more than the browser's bubble, and says it to everybody
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
      if (status === 201 || status === 200) welcome(body);
      else refuse(body);
    } catch {
      showErrors(form, say("form-unreachable"), []);
    } finally {
      progress.textContent = "";
      busy(false);
    }
  });
  result.querySelector("[data-result-again]").addEventListener("click", () => {
    result.hidden = true;
    form.removeAttribute("data-done");
    form.hidden = false;
    form.elements.name.focus();
  });

  function busy(on) {
    sending = on;
    form.setAttribute("aria-busy", String(on));
    form.querySelector("[type=submit]").setAttribute("aria-disabled", String(on)); // not `disabled`: it would drop the focus
  }

  function welcome({ status, number, waiting_position: position, position: made, links }) {
    const put = (name, text) => {
      result.querySelector(`[data-result-${name}]`).textContent = text;
    };
    put("status", say(`result-${status}`));
    put("number", say("result-number", { number }));
    put(
      "detail",
      status === "waiting"
        ? say("result-waiting-detail", { position })
        : say("result-confirmed-detail"),
    );
    result.querySelector("[data-result-link]").href = new URL(links.page, location.href).pathname;
    draft.forget();
    form.reset();
    form.elements.name.value = form.elements.email.value = "";
    form.elements.idempotency_key.value = drawKey();
    form.removeAttribute("data-kept");
    form.setAttribute("data-done", "");
    form.hidden = true;
    result.hidden = false;
    result.focus();
    registered(made);
  }

  function refuse({ code, errors = [] }) {
    if (code === "idempotency-mismatch") form.elements.idempotency_key.value = drawKey(); // the first entry has its place; this one is another
    if (errors.length) showErrors(form, say("error-heading"), translateErrors(form, errors, say));
    else if (code === "already-registered")
      showErrors(form, say(`problem-${code}`), [
        { field: "email", message: say("error-email-taken") },
      ]);
    else showErrors(form, say(`problem-${code}`) || say("form-failed"), []);
  }
}

const hasEntry = (form) => form.elements.name.value !== "" || form.elements.email.value !== "";
const entryOf = (form) => ({
  name: form.elements.name.value,
  email: form.elements.email.value,
  website: form.elements.website.value,
});
