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
    "[data-capacity-form], [data-edit-form], [data-announced], [data-confirm-form], [data-zones], [data-opens]",
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

const running = new Map(); // the elements that were started, and what ends each

/** Starts a behaviour with a signal that ends it: what it does outside of its element stops with that. */
function run(start, element) {
  if (!element.isConnected) return;
  if (!running.has(element)) running.set(element, new AbortController());
  start(element, { signal: running.get(element).signal });
}

/** Ends the behaviours of elements that others have replaced. */
function endReplaced() {
  for (const [element, ending] of running) {
    if (element.isConnected) continue;
    running.delete(element);
    ending.abort();
  }
}

/**
 * Loads what the elements of `root` need, also when it was put into the page later. What it replaced
 * has ended before.
 */
export async function enliven(root) {
  endReplaced();
  const started = [];
  for (const [selector, module] of BEHAVIOURS) {
    const found = root.querySelectorAll(selector);
    if (found.length)
      started.push(
        import(module).then(({ start }) => found.forEach((element) => run(start, element))),
      );
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
