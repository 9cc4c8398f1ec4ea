// An organiser's announcement, pushed to every open page. Stays until it is dismissed or the next one comes.
import { say, formatClock } from "./words.js";

export function bindNotices() {
  const place = document.querySelector("[data-notices]");
  place?.setAttribute("aria-live", "polite");
  return ({ text, at }) => {
    if (!place) return;
    const notice = document.createElement("div");
    notice.className = "notice";
    const label = document.createElement("b");
    label.textContent = `${say("notice-label")} · ${formatClock(at)}`;
    const words = document.createElement("p");
    words.append(label, text);
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button-small";
    button.textContent = say("notice-dismiss");
    button.addEventListener("click", () => notice.remove());
    notice.append(words, button);
    place.replaceChildren(notice);
  };
}
