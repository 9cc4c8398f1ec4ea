// Shows the page that answered a form, without asking for it again: a second request would count
// against the limits once more, and only the first answer may have a secret.

const STYLES_MS = 3_000; // for style sheets that do not come: unstyled words are better than none

/** The page in `html`, or null if it is not a page of this server (a proxy may have written it). */
export function readAnswer(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  return page.querySelector("main[data-page]") ? page : null;
}

/** Why the server refused in general, as `{title, words}`; null if the page has the form again. */
export function problemOf(page) {
  const problem = page.querySelector("[data-problem]");
  if (!problem) return null;
  const words = [...problem.querySelectorAll("[data-problem-words]")];
  return {
    title: problem.querySelector("h1").textContent.trim(),
    words: words.map((element) => element.textContent.trim()).join(" "),
  };
}

/** Puts the `page` in the place of what is shown. The address stays: opening it again changes nothing. */
export async function showAnswer(page) {
  await addStyles(page);
  const main = document.querySelector("main");
  const { enliven } = await import("./site.js");
  main.replaceChildren(...document.adoptNode(page.querySelector("main")).childNodes);
  document.title = page.title;
  // At a refused form the focus goes to the first mistake (refused.js).
  if (!main.querySelector("[data-refused]")) {
    scrollTo(0, 0);
    (main.querySelector("[autofocus]") ?? main).focus();
  }
  await enliven(main);
}

/** Loads the style sheets of `page` that are not here, and waits for them, but not for long. */
async function addStyles(page) {
  const sheets = (of) => [...of.querySelectorAll("link[rel=stylesheet]")];
  const own = new Set(sheets(document).map(({ href }) => href));
  const missing = sheets(page).filter(({ href }) => !own.has(href));
  const late = new Promise((over) => setTimeout(over, STYLES_MS));
  await Promise.race([late, Promise.all(missing.map((sheet) => load(document.importNode(sheet))))]);
}

const load = (sheet) =>
  new Promise((loaded) => {
    sheet.addEventListener("load", loaded);
    sheet.addEventListener("error", loaded);
    document.head.append(sheet);
  });
