// The form that changes a registration: what was changed elsewhere appears in fields that nobody
// has touched, and what was typed stays.
import { answersOf, followQuestions, readPage, replaceQuestions } from "./questions.js";
import { redraw } from "./live-parts.js";

/**
 * @param signal {AbortSignal} ends it
 * @returns {(registration: {name?: string, party_size?: number, answers?: object}) => void} shows it
 * as it is now
 */
export function bindChange(form, store, say, signal) {
  const progress = form.querySelector("[data-form-progress]");
  let touched = form.querySelector("[data-refused]") !== null;
  let answered = touched ? null : textOf(answersOf(form));
  form.addEventListener("input", ({ target }) => {
    if (target.closest("[data-questions]")) touched = true;
  });
  const said = () => {
    progress.textContent = say("questions-changed");
  };
  followQuestions(form, store, said, signal);

  /** Sending an untouched field keeps what was changed elsewhere. */
  const refresh = (name, value) => {
    const input = form.elements[name];
    if (value === undefined || input.value !== input.defaultValue) return;
    input.defaultValue = input.value = value;
    form.elements[`was_${name}`].value = value;
  };
  const refreshAnswers = async () => {
    redraw(document, null);
    if (touched) return;
    try {
      const page = await readPage();
      if (touched) return;
      replaceQuestions(form, page);
      form.elements.was_answers.value = page.querySelector("[name=was_answers]").value;
    } catch {
      /* the server compares with what was shown here */
    }
  };
  return ({ name, party_size, answers }) => {
    refresh("name", name);
    refresh("party_size", party_size);
    if (answers === undefined) return;
    const now = textOf(answers);
    if (answered !== null && answered !== now) refreshAnswers();
    answered = now;
  };
}

/** Answers as one text, to compare them: a box that is not ticked says nothing. */
function textOf(answers) {
  const given = Object.entries(answers).filter(([, answer]) => answer !== false);
  return JSON.stringify(given.sort(([a], [b]) => (a < b ? -1 : 1)));
}
