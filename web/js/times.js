// Times in the reader's own time zone. The server writes them in UTC.
import { formatDate } from "./words.js";

export function start(time) {
  time.title = time.textContent;
  time.textContent = formatDate(time.dateTime);
}
