// The registration form: refused in place, so that nothing that was typed is lost, and followed by
// the ticket. Without this file the form posts as usual.
import { readWords } from "./words.js";
import { keepDraft } from "./draft.js";
import { findErrors, translateErrors, showErrors, clearErrors } from "./errors.js";
import { send, drawKey, needsProof } from "./send.js";
import { remember } from "./device.js";
import { answersOf, hasAnswer, clearAnswers, followQuestions } from "./questions.js";

const FIELDS = ["name", "email", "party_size", "idempotency_key"];

export function bindForm(form, { slug, store }, signal) {
  const say = readWords("form-messages");
  const progress = form.querySelector("[data-form-progress]");
  const draft = keepDraft(form, slug, FIELDS);
  let sending = false;
  let leaving = false;

  const asked = () => {
    progress.textContent = say("questions-changed");
    draft.save();
  };
  followQuestions(form, store, asked, signal);
  form.noValidate = true; // the summary says more than the browser's bubble, and to everybody
  form.addEventListener("input", () => form.toggleAttribute("data-kept", hasEntry(form)));
  form.toggleAttribute("data-kept", hasEntry(form));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (sending) return;
    const errors = findErrors(form, say);
    if (errors.length) return showErrors(form, say("error-heading"), errors);
    clearErrors(form);
    form.querySelector("[data-form-notice]")?.remove();
    draft.save();
    busy(true);
    progress.textContent = say("form-sending");
    try {
      let answer = await post(form.dataset.proof === "on" ? await solved() : null);
      if (needsProof(answer)) answer = await post(await solved());
      const { status, body } = answer;
      if (status !== 201 && status !== 200) refuse(body);
      else if (body.status === "cancelled") askAgain();
      else welcome(body);
    } catch {
      showErrors(form, say("form-unreachable"), []);
    }
    progress.textContent = "";
    if (!leaving) busy(false);
  });
  // It was sent before this script had started, and only the proof is missing.
  if ("goesOn" in form.dataset) form.requestSubmit();
  // The browser's Back brings the page as it was left.
  const comeBack = ({ persisted }) => {
    if (!persisted) return;
    leaving = false;
    busy(false);
  };
  addEventListener("pageshow", comeBack, { signal });

  /** The proof that this is no program. The server says so to a browser that cannot compute one. */
  async function solved() {
    progress.textContent = say("form-proving");
    const solving = import("./proof.js").then(({ prove }) => prove(form.dataset.challenge));
    const proof = await solving.catch(() => null);
    progress.textContent = say("form-sending");
    return proof;
  }

  function post(proof) {
    const entry = proof ? { ...entryOf(form), proof } : entryOf(form);
    return send(form.dataset.api, entry, form.elements.idempotency_key.value, {
      waiting: (n) => {
        progress.textContent = say("form-retrying", { n });
      },
    });
  }

  function busy(on) {
    sending = on;
    form.setAttribute("aria-busy", String(on));
    // Not `disabled`, which would drop the focus.
    form.querySelector("[type=submit]").setAttribute("aria-disabled", String(on));
  }

  /** On to the ticket. The form that stays behind is a new one. */
  function welcome({ token, number, links }) {
    remember(slug, { token, number });
    draft.forget();
    form.reset();
    form.elements.name.value = form.elements.email.value = "";
    form.elements.party_size.value = "1";
    clearAnswers(form);
    form.elements.idempotency_key.value = drawKey();
    form.removeAttribute("data-kept");
    leaving = true;
    location.assign(new URL(links.page, location.href).pathname);
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
    if (code === "idempotency-mismatch") {
      form.elements.idempotency_key.value = drawKey();
      draft.save();
    }
    if (errors.some(({ field }) => field === "website")) return emptyTrap();
    if (errors.length && errors.every(({ field }) => field === "proof"))
      return showErrors(form, say("form-proof-failed"), []);
    errors = errors.filter(({ field }) => field !== "proof");
    const shown = translateErrors(form, errors, say);
    // A question that this page does not show: the organiser has changed them.
    const heading = shown.length < errors.length ? "error-questions-changed" : "error-heading";
    if (errors.length) showErrors(form, say(heading), shown);
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

const hasEntry = (form) =>
  form.elements.name.value !== "" || form.elements.email.value !== "" || hasAnswer(form);
const entryOf = (form) => ({
  name: form.elements.name.value,
  email: form.elements.email.value,
  party_size: Number(form.elements.party_size.value),
  website: form.elements.website.value,
  answers: answersOf(form),
});
