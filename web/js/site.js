// The one script of every page. It loads a behaviour where its element is on the page; no other
// module acts by itself.
const BEHAVIOURS = [
  ["body", "./send-form.js"],
  ["main form:not(#register)", "./validate.js"],
  ["[data-theme-switch]", "./theme.js"],
  [".sign-out", "./typed.js"],
  ["[data-zoned]", "./times.js"],
  ["[data-watch]", "./watch.js"],
  ["[data-live]:not([data-watch])", "./events.js"],
  ["[data-future]", "./schedule.js"],
  [".wall", "./wall.js"],
  ["#register", "./event.js"],
  ["[data-own]", "./own-tickets.js"],
  ["[data-copy], [data-share], [data-print]", "./copy.js"],
  ["[data-registration]", "./registration.js"],
  [
    "[data-capacity-form], [data-edit-form], [data-announced], [data-confirm-form], [data-zones]",
    "./admin.js",
  ],
  ["[data-taken]", "./slug.js"],
  ["[data-parts]", "./desk-parts.js"],
  ["[data-event-search]", "./event-search.js"],
  ["[data-tabs]", "./tabs.js"],
  ["[data-dashboard]", "./chart.js"],
  ["[data-part=feed]", "./feed.js"],
  ["[data-keys]", "./shortcuts.js"],
  ["[data-flash]", "./flash.js"],
  ["[data-refused]", "./refused.js"],
  ["[data-question-editor]", "./question-editor.js"],
  ["[data-compare]", "./compare/page.js"],
];

const PATIENCE_MS = 5_000; // for scripts that do not come: a form works without them

/** Loads what the elements of `root` need, also when it was put into the page later. */
export async function enliven(root) {
  const started = [];
  for (const [selector, module] of BEHAVIOURS) {
    const found = root.querySelectorAll(selector);
    if (found.length)
      started.push(import(module).then(({ start }) => found.forEach((element) => start(element))));
  }
  await Promise.all(started);
}

/** A form that is sent while its script is on its way is sent once that has started. */
function holdForms(started) {
  const hold = (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    const { target: form, submitter } = event;
    const own = submitter?.form === form ? submitter : null;
    lively.then(() => form.requestSubmit(own));
  };
  const release = () => document.removeEventListener("submit", hold, true);
  const patience = new Promise((over) => setTimeout(over, PATIENCE_MS));
  const lively = Promise.race([started.catch(() => {}), patience]).then(release);
  document.addEventListener("submit", hold, true);
}

const started = enliven(document);
holdForms(started);
// For tests: whatever is on the page answers from now on.
started.then(() => document.documentElement.toggleAttribute("data-lively", true));
