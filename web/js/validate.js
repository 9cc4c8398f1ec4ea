// Shows the browser's validation errors beside the fields, in the page's language.
// The browser still decides what is wrong; the registration form has its own rules (errors.js).
import { markField, unmarkField } from "./field-error.js";
import { readWords } from "./words.js";

const say = readWords("field-messages");

/** The word for what is wrong with an input, and its values. Pure. */
export function faultOf({ type, validity, min, max, minLength, maxLength }) {
  const isBetween = min && max && type === "number";
  // What cannot be read as a number or a time has no value either.
  if (validity.valueMissing && !validity.badInput) {
    if (type === "checkbox") return ["tick"];
    return [type === "radio" || type === "select-one" ? "choice" : "missing"];
  }
  if (validity.tooLong) return ["long", { max: maxLength }];
  if (validity.tooShort) return ["short", { min: minLength }];
  if (isBetween) return ["between", { min: Number(min), max: Number(max) }];
  if (type === "number") return ["number"];
  if (type === "datetime-local") return ["moment"];
  return [["email", "url"].includes(type) ? type : "other"];
}

/** A field's own words come before the general ones. */
function wordsOf(input) {
  const [fault, values] = faultOf(input);
  const own = fault === "missing" || fault === "long" ? null : input.dataset.mistake;
  return own ?? say(fault, values);
}

const inputsOf = (input) =>
  input.type === "radio"
    ? [...input.form.querySelectorAll(`[name="${CSS.escape(input.name)}"]`)]
    : [input];

let follows = false;

/** Follows all forms of the page, however many elements start it, and those that come later. */
export function start() {
  if (follows) return;
  follows = true;
  const marked = new Set();
  let focused = false;
  // The browser reports every wrong field of a form, the first one first.
  const show = (event) => {
    event.preventDefault();
    const { target: input } = event;
    marked.add(input);
    markField(inputsOf(input), wordsOf(input));
    if (focused) return;
    focused = true;
    setTimeout(() => {
      focused = false;
    });
    for (let at = input.closest("details"); at; at = at.parentElement.closest("details"))
      at.open = true;
    input.focus({ preventScroll: true });
    input.scrollIntoView({ block: "center" });
  };
  document.addEventListener("invalid", show, true);
  document.addEventListener("input", () => {
    for (const input of marked) {
      if (input.isConnected && !input.validity.valid) continue;
      marked.delete(input);
      if (input.isConnected) unmarkField(inputsOf(input));
    }
  });
}
