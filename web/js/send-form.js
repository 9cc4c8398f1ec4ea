// Sends the forms of every page once, so that a form that does not get through says so where it is and
// keeps what was typed. The browser's own error page would lose it. Forms work without this file;
// the registration form has its own (form.js).
import { readWords } from "./words.js";

/** How long an answer may take. */
export const PATIENCE_MS = 20_000;
const UPLOAD_PATIENCE_MS = 60_000; // as long as the server waits for a file
const SIGN_IN = "/admin/login";
const say = readWords("send-messages");

export function start(body) {
  body.addEventListener("submit", (event) => {
    const { target: form, submitter } = event;
    if (event.defaultPrevented || form.method === "dialog") return;
    event.preventDefault();
    if (form.getAttribute("aria-busy") === "true") return;
    submit(form, submitter);
  });
  // The browser's Back may bring the page as it was left: while it was sending.
  addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    for (const form of body.querySelectorAll("form[aria-busy=true]")) busy(form, false);
  });
}

async function submit(form, submitter) {
  busy(form, true);
  // What came of an earlier action is no answer to this one.
  const old = "[data-not-sent], [data-flash], [data-refused]:not([data-form-summary])";
  for (const note of document.querySelectorAll(`${old}, [data-typed-again]`)) note.remove();
  if (form.querySelector("[data-grace]")) {
    const { waitGrace } = await import("./grace.js");
    if (!(await waitGrace(form))) return busy(form, false);
  }
  const request = requestOf(form, submitter);
  try {
    const answer = await fetch(request.url, {
      ...request.init,
      headers: { Accept: "text/html" },
      cache: "no-store",
      signal: AbortSignal.timeout(hasFile(form) ? UPLOAD_PATIENCE_MS : PATIENCE_MS),
    });
    // A page without form data that was found, or the page after the change.
    if (request.opens && answer.status < 500) return location.assign(request.opens);
    if (answer.redirected) return location.assign(await after(form, new URL(answer.url)));
    const { readAnswer, problemOf, showAnswer } = await import("./answer.js");
    const page = readAnswer(await answer.text());
    if (!page) throw new Error(`refused with ${answer.status}, not by this server`);
    const problem = problemOf(page);
    if (!problem) return await showAnswer(page);
    busy(form, false);
    refuse(form, problem.words, problem.title);
  } catch {
    busy(form, false);
    refuse(form, say(form.method === "get" ? "not-opened" : "not-sent"));
  }
}

/** The page after the change; if the session has ended, what was typed comes back after signing in. */
async function after(form, url) {
  const isSigningOut = new URL(form.action).pathname === "/admin/logout";
  if (url.pathname !== SIGN_IN || isSigningOut) return url;
  const { keep } = await import("./typed.js");
  url.search = new URLSearchParams({ next: keep(form) });
  return url;
}

/** What to ask, and for a form that only opens a page (`opens`) the page. */
function requestOf(form, submitter) {
  const data = new FormData(form, submitter);
  const url = new URL(form.action);
  // As browsers encode it: lines end with CRLF.
  const fields = () =>
    [...data].map(([name, value]) => [name, value.replace(/\r\n|\r|\n/g, "\r\n")]);
  if (form.method === "get") {
    url.search = new URLSearchParams(fields());
    return { url, opens: url, init: { method: "HEAD" } };
  }
  return {
    url,
    init: { method: "POST", body: hasFile(form) ? data : new URLSearchParams(fields()) },
  };
}

const hasFile = (form) => form.enctype === "multipart/form-data";

function busy(form, on) {
  form.setAttribute("aria-busy", String(on));
  for (const button of form.querySelectorAll("[type=submit]"))
    button.setAttribute("aria-disabled", String(on)); // not `disabled`, which would drop the focus
}

/** Says at the form why it was not carried out. */
function refuse(form, words, title = "") {
  const note = document.createElement("p");
  note.className = "form-summary not-sent";
  note.dataset.notSent = "";
  note.setAttribute("role", "alert");
  if (title) {
    const first = document.createElement("strong");
    first.textContent = title;
    note.append(first, document.createElement("br"));
  }
  note.append(words);
  form.prepend(note);
  note.scrollIntoView({ block: "nearest" });
}
