// The editor of questions follows other organisers: what nobody has touched is drawn again. What was
// changed here stays, and the page says that somebody else was faster; saving asks before it replaces
// theirs.
import { readPage } from "./questions.js";
import { readWords } from "./words.js";
import { watchEvent } from "./watch.js";

const say = readWords("editor-messages");

export function start(form, { signal }) {
  const { store } = watchEvent();
  let shown = JSON.stringify(JSON.parse(form.dataset.asked));
  let touched = form.hasAttribute("data-unsaved");
  form.addEventListener("input", () => {
    touched = true;
  });
  const update = ({ detail }) => {
    const questions = detail.questions ?? [];
    const now = JSON.stringify(questions);
    if (now === shown || form.getAttribute("aria-busy") === "true") return;
    const before = shown;
    shown = now;
    if (touched) return warn(form, questions);
    redraw(form).catch(() => {
      shown = before; // the next reading of the details tries again
    });
  };
  store.addEventListener("details", update, { signal });
}

function warn(form, questions) {
  const news = form.querySelector("[data-editor-news]");
  const value = questions.map(({ label }) => label).join(" · ");
  news.textContent = value ? say("elsewhere", { value }) : say("elsewhere-none");
  news.hidden = false;
}

/** Shows what is stored now; the focus stays in its field. */
async function redraw(form) {
  const page = await readPage();
  const next = page.querySelector("[data-question-editor]");
  if (!next) return; // signed out
  const { id } = document.activeElement;
  form.replaceChildren(...document.adoptNode(next).childNodes);
  if (id) document.getElementById(id)?.focus();
}
