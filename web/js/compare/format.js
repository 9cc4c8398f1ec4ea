// Times and sizes as the page's language writes them.
import { formatNumber, readWords } from "../words.js";

const lang = document.documentElement.lang || "en";
const unit = (name, digits) =>
  new Intl.NumberFormat(lang, {
    style: "unit",
    unit: name,
    unitDisplay: "short",
    maximumFractionDigits: digits,
    minimumFractionDigits: digits,
  });
const [ms, tenths, seconds, kilobytes] = [
  unit("millisecond", 0),
  unit("second", 1),
  unit("second", 0),
  unit("kilobyte", 1),
];

export const say = readWords("compare-messages");
// A mean of some microseconds is not nothing.
export const formatTime = (time_ms) =>
  time_ms > 0 && time_ms < 1
    ? `<\u2009${ms.format(1)}`
    : time_ms < 950
      ? ms.format(time_ms)
      : time_ms < 9_950
        ? tenths.format(time_ms / 1000)
        : seconds.format(time_ms / 1000);
export const formatBytes = (n) => (n === 0 ? "–" : `≈ ${kilobytes.format(n / 1000)}`);
export const list = (words) =>
  words.length < 2
    ? words.join("")
    : say("list-and", {
        first: words.slice(0, -1).join(lang.startsWith("zh") ? "、" : ", "),
        last: words.at(-1),
      });
export { formatNumber };
