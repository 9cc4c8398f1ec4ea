// Times and sizes as the page's language writes them.
import { formatNumber, language, readWords, spaced } from "../words.js";

export const TENTHS_FROM_MS = 950; // from here seconds with one decimal
export const SECONDS_FROM_MS = 9_950; // from here whole seconds

export const say = readWords("compare-messages");

let units = null;
/** Made on first use, because the language is the page's. */
function unit(name) {
  const isChinese = language().startsWith("zh");
  // English writes the symbols: 1.2 s, not 1.2 sec, and a space that does not break.
  const make = (of, digits) => {
    const format = new Intl.NumberFormat(language(), {
      style: "unit",
      unit: of,
      unitDisplay: isChinese ? "short" : "narrow",
      maximumFractionDigits: digits,
      minimumFractionDigits: digits,
    });
    const part = ({ type, value }) => (type === "unit" && !isChinese ? `\u00a0${value}` : value);
    return { format: (n) => spaced(format.formatToParts(n).map(part).join("")) };
  };
  units ??= {
    ms: make("millisecond", 0),
    tenths: make("second", 1),
    seconds: make("second", 0),
    kilobytes: make("kilobyte", 1),
  };
  return units[name];
}

export function formatTime(time_ms) {
  // A mean of some microseconds is not nothing.
  if (time_ms > 0 && time_ms < 1) return `<\u202f${unit("ms").format(1)}`;
  if (time_ms < TENTHS_FROM_MS) return unit("ms").format(time_ms);
  return unit(time_ms < SECONDS_FROM_MS ? "tenths" : "seconds").format(time_ms / 1000);
}

export const formatBytes = (n) => (n === 0 ? "–" : `≈ ${unit("kilobytes").format(n / 1000)}`);

export const list = (words) =>
  words.length < 2
    ? words.join("")
    : say("list-and", {
        first: words.slice(0, -1).join(language().startsWith("zh") ? "、" : ", "),
        last: words.at(-1),
      });
export { formatNumber };
