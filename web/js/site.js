// What every page has: the colour switch, and times in the reader's own zone.
import { bindThemeSwitch } from "./theme.js";
import { formatDate } from "./words.js";

const button = document.querySelector("[data-theme-switch]");
if (button) bindThemeSwitch(button);
for (const time of document.querySelectorAll("time[data-time]")) {
  time.title = time.textContent;
  time.textContent = formatDate(time.dateTime);
}
