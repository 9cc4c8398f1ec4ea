// The event's questions in its form: reads the answers, finds what is wrong, and follows the
// organiser's changes.

/** The fields of the questions, in their order. */
const fieldsOf = (form) => [...form.querySelectorAll("[data-question]")];
const inputsOf = (field) => [
  ...field.querySelectorAll("input:not([type=hidden]), select, textarea"),
];

/** The answers as the API takes them: without those that say nothing. */
export function answersOf(form) {
  const answers = {};
  for (const field of fieldsOf(form)) {
    const answer = answerOf(field);
    if (answer !== null) answers[field.dataset.question] = answer;
  }
  return answers;
}

function answerOf(field) {
  const inputs = inputsOf(field);
  const checked = inputs.filter((input) => input.checked && input.value !== "");
  switch (field.dataset.kind) {
    case "choices":
      return checked.length ? checked.map((input) => input.value) : null;
    case "checkbox":
      return checked.length ? true : null;
    case "number":
      return inputs[0].value.trim() === "" ? null : inputs[0].valueAsNumber;
    default: {
      const value = inputs[0].type === "radio" ? checked[0]?.value : inputs[0].value;
      return value?.trim() ? value : null;
    }
  }
}

/** Whether anything was answered. */
export const hasAnswer = (form) => Object.keys(answersOf(form)).length > 0;

/** @returns {{field: string, message: string}[]} */
export function findAnswerErrors(form, say) {
  return fieldsOf(form).flatMap((field) => {
    const message = fault(field, say);
    return message ? [{ field: `answers.${field.dataset.question}`, message }] : [];
  });
}

function fault(field, say) {
  const answer = answerOf(field);
  const { kind, max, required } = field.dataset;
  // A number field that cannot be read as one has no value either.
  if (kind === "number" && inputsOf(field)[0].validity.badInput) return say("error-answer-number");
  if (answer === null && required !== undefined)
    return say(kind === "checkbox" ? "error-answer-tick" : "error-answer-missing");
  if (max && kind.endsWith("text") && answer !== null && [...answer.trim()].length > Number(max))
    return say("error-answer-long", { max: Number(max) });
  return null;
}

/** Empties the fields, also of what the page came with. */
export function clearAnswers(form) {
  for (const input of fieldsOf(form).flatMap(inputsOf)) {
    if (input.type === "radio" || input.type === "checkbox") input.checked = false;
    else input.value = "";
  }
}

/**
 * Asks the new questions when the organiser changes them: takes them from the page as it is now, and keeps
 * what was filled in. `changed()` is called afterwards. `signal` ends it.
 */
export function followQuestions(form, store, changed, signal) {
  let shown = null;
  const update = async (now) => {
    const text = JSON.stringify(now);
    shown ??= JSON.stringify(JSON.parse(form.querySelector("[data-questions]").dataset.questions));
    if (text === shown) return;
    const before = shown;
    shown = text; // a second change while this one is fetched is fetched on its own
    try {
      const page = await readPage();
      const kept = new FormData(form);
      replaceQuestions(form, page);
      refill(fieldsOf(form).flatMap(inputsOf), kept);
      changed();
    } catch {
      shown = before; // the next reading of the details tries again; sending the form says so too
    }
  };
  store.addEventListener("details", ({ detail }) => update(detail.questions ?? []), { signal });
}

/** The page as it is now. */
export async function readPage() {
  const answer = await fetch(location.pathname, { cache: "no-store" });
  if (!answer.ok) throw new Error(String(answer.status));
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/** Asks what the `page` asks, with the answers that it has. */
export function replaceQuestions(form, page) {
  const next = document.importNode(page.querySelector("[data-questions]"), true);
  form.querySelector("[data-questions]").replaceWith(next);
}

/** Fills inputs with the values of a form, as far as they fit. */
export function refill(inputs, values) {
  for (const input of inputs) {
    if (input.type === "hidden") continue;
    const own = values.getAll(input.name).filter((value) => value !== "");
    if (input.type === "radio" || input.type === "checkbox")
      input.checked = own.includes(input.value);
    else if (own.length) input.value = own[0];
  }
}
