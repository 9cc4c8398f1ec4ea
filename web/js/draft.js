// Typed text survives a reload, a crash and a lost network. It is kept for the tab's life, never longer.
import { refill } from "./questions.js";

const isAnswer = (name) => name.startsWith("answer.");

export function keepDraft(form, name, fields) {
  const key = `draft:${name}`;
  const read = () => {
    try {
      return JSON.parse(sessionStorage.getItem(key)) ?? {};
    } catch {
      return {};
    }
  };
  const save = () => {
    const values = Object.fromEntries(fields.map((field) => [field, form.elements[field].value]));
    values.answers = [...new FormData(form)].filter(([field]) => isAnswer(field));
    try {
      sessionStorage.setItem(key, JSON.stringify(values));
    } catch {
      /* storage is forbidden or full: the fields still hold it */
    }
  };
  const draft = read();
  for (const field of fields) {
    // What the server sent back with a refused form is newer than the draft. The key goes with the
    // entry it belongs to.
    const input = form.elements[field];
    const untouched = input.value === "" || (input.type === "number" && input.value === "1");
    if (draft[field] && (untouched || field === "idempotency_key")) input.value = draft[field];
  }
  const answers = [...form.elements].filter((input) => isAnswer(input.name));
  // As above: answers that came with the page are newer.
  const isFilled = (input) =>
    input.checked || (input.type !== "radio" && input.type !== "checkbox" && input.value !== "");
  if (draft.answers && !answers.some(isFilled)) {
    const kept = new FormData();
    for (const [field, value] of draft.answers) kept.append(field, value);
    refill(answers, kept);
  }
  form.addEventListener("input", save);
  return {
    save,
    forget() {
      try {
        sessionStorage.removeItem(key);
      } catch {
        /* nothing was kept */
      }
    },
  };
}
