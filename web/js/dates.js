// Dates and times in one zone, whose name they give, in the words of the server (src/text/moments.rs).
import { language } from "./words.js";

// Each locale names the zones of its own readers; the others' names are numbers.
const NAMING = ["en-US", "en-GB", "en-AU", "en-NZ", "en-IN", "en-ZA"];
// Names of the time zone database that no English locale has.
const NAMES = {
  "Asia/Hong_Kong": "HKT",
  "Asia/Seoul": "KST",
  "Asia/Shanghai": "CST",
  "Asia/Taipei": "CST",
  "Asia/Tokyo": "JST",
  "Europe/Moscow": "MSK",
};
const ENGLISH = { locale: "en-US", month: "short" };
const CHINESE = { locale: "zh-CN", month: "numeric" };

/** The reader's own zone. */
export const ownZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** A time between two moments, on the clocks of `zone`; empty if this browser does not know it. */
export function formatSpan(starts, ends, zone) {
  try {
    return spanOf(starts, ends, zone);
  } catch {
    return "";
  }
}

export const formatMoment = (at, zone) => formatSpan(at, at, zone);

/** A span that breaks at no dash, as the server writes it on pages. */
export const unbroken = (span) =>
  span
    .split(" – ")
    .map((end) => end.replaceAll("–", "–\u2060"))
    .join("\u00a0– ");

/** Whether the clocks of both zones show the same, whatever the zones are called. */
export function isSameClock(starts, ends, one, other) {
  const shown = (zone) =>
    [starts, ends].map((at) => {
      const { day, clock } = partsOf(at, zone);
      return day + clock;
    });
  try {
    return String(shown(one)) === String(shown(other));
  } catch {
    return true;
  }
}

function spanOf(starts, ends, zone) {
  const isChinese = language().startsWith("zh");
  const named = (text, name) => (isChinese ? `${text}（${name}）` : `${text} ${name}`);
  const whole = ({ day, clock }) => (isChinese ? day + clock : `${day}, ${clock}`);
  const [first, last] = [partsOf(starts, zone), partsOf(ends, zone)];
  if (starts === ends) return named(whole(first), first.name);
  const sameDay = first.day === last.day;
  const end = named(sameDay ? last.clock : whole(last), last.name);
  // The clocks change in between: each end has its own name.
  if (first.name !== last.name) return `${named(whole(first), first.name)} – ${end}`;
  return sameDay ? `${whole(first)}–${end}` : `${whole(first)} – ${end}`;
}

function partsOf(at, timeZone) {
  const isChinese = language().startsWith("zh");
  const { locale, month } = isChinese ? CHINESE : ENGLISH;
  const part = read(at, locale, {
    timeZone,
    hourCycle: "h23",
    weekday: "short",
    year: "numeric",
    month,
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  return {
    day: isChinese
      ? `${part.year}年${part.month}月${part.day}日（${part.weekday}）`
      : `${part.weekday} ${part.day} ${part.month} ${part.year}`,
    clock: [part.hour, part.minute, ...(part.second === "00" ? [] : [part.second])].join(":"),
    name: nameOf(at, timeZone),
  };
}

/** `CET`, or `UTC+05:30` where a zone has no short name. */
function nameOf(at, timeZone) {
  if (timeZone in NAMES) return NAMES[timeZone];
  const name = (locale, timeZoneName) => read(at, locale, { timeZone, timeZoneName }).timeZoneName;
  const names = NAMING.map((locale) => name(locale, "short"));
  return (
    names.find((short) => !/[+-]/.test(short)) ?? name("en-US", "longOffset").replace("GMT", "UTC")
  );
}

const read = (at, locale, options) =>
  Object.fromEntries(
    new Intl.DateTimeFormat(locale, options)
      .formatToParts(new Date(at))
      .map(({ type, value }) => [type, value]),
  );
