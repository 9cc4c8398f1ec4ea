// What was typed when the session had ended: kept for the tab's life, until its page is open again or
// somebody signs out. Another account that signs in never sees it. Passwords and files are never kept.
import { readWords } from "./words.js";

const say = readWords("send-messages");
const KEY = "typed:";
// The session's own, which a new session draws again.
const OWN = new Set(["csrf", "once"]);

const isKept = ({ name, type }) =>
  name && !OWN.has(name) && !["password", "file", "submit", "button"].includes(type);

/** The page that has the form: a refused form is shown at its own address. */
function pageOf() {
  const { page } = document.querySelector("[data-page]").dataset;
  return page === location.pathname ? page + location.search : page;
}

/** Forms with the same address differ in the button that they stand for. */
const nameOf = (form) =>
  [form.getAttribute("action"), ...["step", "row"].map((name) => form.elements[name]?.value)].join(
    "\n",
  );

/** Whose page this is. */
const accountOf = () => document.querySelector("[data-account]")?.dataset.account;

/** Keeps what was typed; returns the page to come back to. */
export function keep(form) {
  const page = pageOf();
  const account = accountOf();
  const fields = [...form.elements].filter(isKept).map(({ name, type, value, checked }) => {
    const isTick = type === "checkbox" || type === "radio";
    return isTick ? { name, value, checked } : { name, value };
  });
  try {
    sessionStorage.setItem(KEY + page, JSON.stringify({ account, form: nameOf(form), fields }));
  } catch {
    /* storage is forbidden or full */
  }
  return page;
}

/** What is kept for this page, once. */
function take() {
  try {
    const key = KEY + pageOf();
    const kept = JSON.parse(sessionStorage.getItem(key));
    sessionStorage.removeItem(key);
    return kept;
  } catch {
    return null;
  }
}

/** Forgets everything, or what every other account than this has typed. */
function forget(except = null) {
  try {
    for (const key of Object.keys(sessionStorage)) {
      if (!key.startsWith(KEY)) continue;
      const { account } = JSON.parse(sessionStorage.getItem(key));
      if (!except || account !== except) sessionStorage.removeItem(key);
    }
  } catch {
    /* nothing was kept */
  }
}

/** Fields of one name are filled in their order. Pure but for the inputs. */
export function fill(inputs, fields) {
  const left = [...fields];
  for (const input of inputs.filter(isKept)) {
    const isTick = input.type === "checkbox" || input.type === "radio";
    const at = left.findIndex(
      ({ name, value }) => name === input.name && (!isTick || value === input.value),
    );
    if (at < 0) continue;
    const [field] = left.splice(at, 1);
    if (isTick) input.checked = field.checked;
    else input.value = field.value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

/** Rows that were added to the editor of questions are the server's to draw: a step that moves nothing
 * shows them again, unsaved. */
function redraw(form, fields) {
  const again = document.createElement("form");
  again.method = "post";
  again.action = form.action;
  const typed = fields.filter(({ checked }) => checked !== false);
  const { value } = form.elements.csrf;
  for (const field of [...typed, { name: "csrf", value }, { name: "do", value: "up.0" }]) {
    // Unlike an input it keeps line breaks.
    const input = document.createElement("textarea");
    again.append(Object.assign(input, { name: field.name, value: field.value }));
  }
  again.hidden = true;
  document.body.append(again);
  HTMLFormElement.prototype.submit.call(again);
}

export function start(signOut) {
  signOut.addEventListener("submit", () => forget());
  forget(accountOf());
  const kept = take();
  const form = kept && [...document.forms].find((form) => nameOf(form) === kept.form);
  if (!form) return;
  if (form.hasAttribute("data-question-editor")) return redraw(form, kept.fields);
  fill([...form.elements], kept.fields);
  for (let at = form.closest("details"); at; at = at.parentElement.closest("details"))
    at.open = true;
  const note = document.createElement("p");
  note.className = "form-summary";
  note.setAttribute("role", "status");
  note.tabIndex = -1;
  note.dataset.typedAgain = "";
  note.textContent = say("typed-again");
  form.prepend(note);
  note.focus({ preventScroll: true });
  note.scrollIntoView({ block: "center" });
}
