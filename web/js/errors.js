// Errors beside their fields and in a summary that takes the focus and links to them.
import { markField } from "./field-error.js";
import { findAnswerErrors } from "./questions.js";
import { say as sayOnPages } from "./words.js";

const RULES = {
  name: (value) => (value === "" ? "missing" : [...value].length > 200 ? "long" : null),
  email: (value) =>
    value === ""
      ? "missing"
      : [...value].length > 254
        ? "long"
        : /.[@\uFF20\uFE6B]./u.test(value) // the server names a character that is wrong
          ? null
          : "invalid",
  party_size: (value, { max }) =>
    /^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= Number(max) ? null : "invalid",
};
const ofField = (form, field) => ({ most: form.elements[field].max ?? "" });

/** @returns {{field: string, message: string}[]} */
export function findErrors(form, say) {
  const own = Object.entries(RULES).flatMap(([field, rule]) => {
    const input = form.elements[field];
    const fault = rule(input.value.trim(), input);
    return fault ? [{ field, message: say(`error-${field}-${fault}`, ofField(form, field)) }] : [];
  });
  return [...own, ...findAnswerErrors(form, say)];
}

/** A field of the API as the form names it. */
const nameOf = (field) => field.replace(/^answers\./, "answer.");
/** The inputs of a field: several for a choice, none for a question that the page does not show. */
const inputsOf = (form, field) =>
  form.querySelectorAll(`[name="${CSS.escape(nameOf(field))}"]:not([type=hidden])`);

/**
 * The server's field errors in the page's language: the field's own rule names the fault, else the
 * general message.
 */
export function translateErrors(form, errors, say) {
  const own = new Map(findErrors(form, say).map((error) => [error.field, error.message]));
  return errors
    .filter(({ field }) => inputsOf(form, field).length > 0)
    .map(({ field, character }) => ({
      field,
      message:
        own.get(field) ??
        (character
          ? say("error-character", { character })
          : say(`error-${field in RULES ? field : "answer"}-invalid`, ofField(form, field))),
    }));
}

export function showErrors(form, heading, errors) {
  clearErrors(form);
  const summary = form.querySelector("[data-form-summary]");
  const title = document.createElement("p");
  title.textContent = heading;
  const list = document.createElement("ul");
  for (const { field, message } of errors) {
    const inputs = inputsOf(form, field);
    markField([...inputs], message);
    const input = inputs[0];
    const link = document.createElement("a");
    link.href = `#${input.id}`;
    link.textContent = sayOnPages("mistake-at", { label: labelOf(input), message });
    link.addEventListener("click", (event) => {
      event.preventDefault();
      input.focus();
    });
    const item = document.createElement("li");
    item.append(link);
    list.append(item);
  }
  summary.replaceChildren(title, ...(errors.length ? [list] : []));
  summary.hidden = false;
  summary.focus();
}

/** What the page calls a field, without the note that it is optional. */
function labelOf(input) {
  const label = input.closest("fieldset")?.querySelector("legend") ?? input.labels[0];
  const own = label.cloneNode(true);
  own.querySelector(".optional")?.remove();
  return own.textContent.trim();
}

export function clearErrors(form) {
  form.querySelector("[data-form-summary]").hidden = true;
  for (const input of form.querySelectorAll("[aria-invalid]"))
    input.removeAttribute("aria-invalid");
  for (const note of form.querySelectorAll(".field-error")) note.textContent = "";
}
