// My registration: its status and waiting position follow the event's changes, and what happens is
// said in the tab's title too.
import { watchEvent } from "./watch.js";
import { forget, remember } from "./device.js";
import { readWords } from "./words.js";
import { redraw } from "./live-parts.js";
import { followRegistration } from "./own-registration.js";
import { bindChange } from "./change-form.js";

const MARK = "● "; // before the title of a tab that nobody looks at
const say = readWords("registration-messages");
const isCurrent = (standing) => standing === "confirmed" || standing === "waiting";

/** What a change from one standing to another means to the person; empty when it is no news. Pure. */
export function newsOf(before, now) {
  if (before === now) return "";
  if (!isCurrent(now)) return `news-${now}`;
  if (!isCurrent(before)) return "news-back";
  return before === "waiting" ? "news-promoted" : "";
}

export function start(stub, { signal }) {
  const { registration: url, status, round, token, number } = stub.dataset;
  const { slug, store } = watchEvent();
  // The page was rendered with this registration in its count; a node that lags behind must not
  // take it out again.
  store.holdAt(store.count.position);
  if (!isCurrent(status)) forget(slug, token);
  else if (comesFromForm(slug)) remember(slug, { token, number: Number(number) });
  // An archived page does not say what it was: after an undone reset the server is asked.
  const known = { status: status === "archived" ? "confirmed" : status, round: Number(round) };
  const form = stub.querySelector("[data-change] form");
  const refresh = form ? bindChange(form, store, say, signal) : () => {};
  const { end } = followRegistration(store, url, known, (standing, registration) => {
    announce(stub, standing);
    show(stub, standing, registration);
    refresh(registration);
    if (!isCurrent(standing)) forget(slug, token);
  });
  signal.addEventListener("abort", end);
  const unmark = () => {
    if (document.visibilityState === "visible" && document.title.startsWith(MARK))
      document.title = document.title.slice(MARK.length);
  };
  document.addEventListener("visibilitychange", unmark, { signal });
}

/** Whether the event's form led here without its script, which was not loaded yet when the form was sent. */
function comesFromForm(slug) {
  const [{ type } = {}] = performance.getEntriesByType("navigation");
  if (type !== "navigate" || !document.referrer.startsWith(location.origin)) return false;
  return [`/e/${slug}`, `/e/${slug}/register`].includes(new URL(document.referrer).pathname);
}

function announce(stub, standing) {
  const before = stub.dataset.status;
  const news = newsOf(before, standing);
  if (before !== standing) {
    const bare = document.title.replace(MARK, "");
    const mark = document.visibilityState === "visible" ? "" : MARK;
    document.title = mark + bare.replace(say(before), say(standing));
  }
  if (news) stub.querySelector("[data-registration-news]").textContent = say(news);
}

/** Why a registration waits although places are free. */
function sayWhy({ remaining: n, party_size: needs }, position) {
  if (position !== 1) return say("blocked", { n, needs });
  return say("own-blocked", { n, size: needs, more: needs - n });
}

function show(stub, standing, registration) {
  const { waiting_position: position, waiting_for: why, name, party_size: people } = registration;
  const at = (name) => stub.querySelector(`[data-registration-${name}]`);
  // Erased elsewhere: the page is drawn anew, without what it still shows.
  if (registration.erased_at && !("erased" in stub.dataset)) return location.reload();
  const current = isCurrent(standing);
  // What only people with a place see comes and goes with it.
  if (stub.dataset.status !== standing && standing !== "gone") redraw(document, null);
  stub.dataset.status = standing;
  at("status").textContent = say(standing);
  at("detail").textContent = say(`${standing}-detail`, { position: position ?? "–" });
  at("why").hidden = !why || !current;
  if (why) at("why").textContent = sayWhy(why, position);
  if (name && at("name")) at("name").textContent = name;
  if (people) {
    at("party").textContent = say("people", { n: people });
    at("group").hidden = people === 1;
  }
  const change = stub.querySelector("[data-change]");
  if (change) change.hidden = !current;
  // What belongs to a deleted event cannot be drawn again.
  if (standing === "gone") stub.querySelector("[data-live-part=own]").hidden = true;
  at("again").hidden = current || standing === "gone"; // a deleted event has no page to go back to
  at("round").hidden = standing !== "archived";
  for (const part of stub.querySelectorAll("[data-keep]")) part.hidden = !current;
  const cancel = stub.querySelector("[data-cancel]");
  if (!cancel) return;
  cancel.hidden = !current;
  for (const words of cancel.querySelectorAll("[data-standing]"))
    words.hidden = words.dataset.standing !== standing;
  for (const words of cancel.querySelectorAll("[data-cancel-explain]")) {
    const key = `explain-${words.dataset.standing}${people > 1 ? "-group" : ""}`;
    if (people) words.textContent = say(key, { n: people });
  }
}
