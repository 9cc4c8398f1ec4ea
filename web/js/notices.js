// Announcements: the newest of each event, in a line of its own at the window's edge, so that
// nothing moves or is covered when one arrives. What does not fit into the line is read by opening
// it. It stays until its end or until it is dismissed.
import { say } from "./words.js";
import { formatMoment } from "./dates.js";
import { serverNow } from "./clock.js";

const CHECK_MS = 10_000; // how exact an announcement's end is

/**
 * @returns {(slug: string, title: string, announcement: {text, at, ends_at}|null, zone?: string) => void}
 *   shows, replaces or removes an event's announcement; `zone` is the event's
 */
export function bindNotices() {
  const place = document.querySelector("[data-notices]");
  if (!place) return () => {};
  const find = (slug) => place.querySelector(`[data-notice="${CSS.escape(slug)}"]`);

  for (const notice of place.querySelectorAll("[data-notice]")) {
    if (dismissed(notice.dataset.notice) === notice.dataset.at) notice.remove();
    else notice.append(button(notice));
  }
  setInterval(() => {
    for (const notice of place.querySelectorAll("[data-ends-at]"))
      if (Date.parse(notice.dataset.endsAt) <= serverNow()) takeAway(notice);
  }, CHECK_MS);

  return (slug, title, announcement, zone) => {
    const old = find(slug);
    if (!announcement) return old && takeAway(old);
    if (dismissed(slug) === announcement.at) return;
    if (old && old.dataset.at >= announcement.at) {
      old.querySelector("[data-notice-title]").textContent = `${title} · `;
      return;
    }
    const notice = build(slug, title, announcement, zone);
    if (old) takeAway(old, notice);
    else place.append(notice);
  };
}

function build(slug, title, { text, at, ends_at }, zone) {
  const notice = document.createElement("div");
  notice.className = "notice";
  Object.assign(notice.dataset, { notice: slug, at, endsAt: ends_at });
  const name = document.createElement("span");
  name.dataset.noticeTitle = "";
  name.textContent = `${title} · `;
  const label = document.createElement("small");
  label.textContent = `${say("notice-label")} · ${formatMoment(at, zone)}`;
  const line = document.createElement("summary");
  line.append(name, text, " ", label);
  const details = document.createElement("details");
  details.append(line);
  notice.append(details, button(notice));
  return notice;
}

function button(notice) {
  const dismiss = document.createElement("button");
  dismiss.type = "button";
  dismiss.className = "button button-small";
  dismiss.textContent = say("notice-dismiss");
  dismiss.addEventListener("click", () => {
    remember(notice.dataset.notice, notice.dataset.at);
    takeAway(notice);
  });
  return dismiss;
}

/** Removes or replaces an announcement. A focus in it goes to the next one, else to the page's content. */
function takeAway(notice, newer = null) {
  const hadFocus = notice.contains(document.activeElement);
  const next = newer ?? notice.nextElementSibling ?? notice.previousElementSibling;
  if (newer) notice.replaceWith(newer);
  else notice.remove();
  if (!hadFocus) return;
  const nextFocus = next?.querySelector("button") ?? document.querySelector("main");
  nextFocus.focus({ preventScroll: true });
}

/** Which announcement this tab has had enough of. */
function dismissed(slug) {
  try {
    return sessionStorage.getItem(`notice:${slug}`);
  } catch {
    return null;
  }
}

function remember(slug, at) {
  try {
    sessionStorage.setItem(`notice:${slug}`, at);
  } catch {
    /* storage is forbidden: it comes again with the next page */
  }
}
