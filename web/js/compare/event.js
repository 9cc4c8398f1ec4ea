// What the compare page says about its event beside the count: title and announcements. Two of its
// lines say when they change.
import { followDetails, showDetails } from "../details.js";
import { bindNotices } from "../notices.js";
import { say } from "../words.js";

/** `announce(text)` shows a sentence. Returns a function that reads the details again soon. */
export function followEvent(slug, meters, announce) {
  const notices = bindNotices();
  const show = (now) => {
    showDetails(now);
    notices(slug, now.title, now.announcement);
  };
  const end = () => {
    meters.forEach((meter) => meter.stop());
    announce(say("live-gone"));
  };
  const { soon } = followDetails(slug, show, end);
  for (const meter of meters) meter.addEventListener("news", soon);
  return soon;
}
