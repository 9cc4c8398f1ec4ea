// The page's words, from an inert <template>, and the language's way of writing numbers and times.
const UNITS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

export const language = () => document.documentElement.lang || "en";

let formats = null;
/** Made on first use, because the language is the page's. */
function format() {
  const lang = language();
  return (formats ??= {
    plural: new Intl.PluralRules(lang),
    number: new Intl.NumberFormat(lang),
    relative: new Intl.RelativeTimeFormat(lang, { style: "narrow" }),
    clock: new Intl.DateTimeFormat(lang, {
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
    }),
    zone: new Intl.DateTimeFormat(lang, { timeZoneName: "short" }),
  });
}

/** In Chinese a space between figures and words, as the catalogue has it; Intl writes none. */
export const spaced = (text) => text.replace(/(\d)(?=\p{Script=Han})/gu, "$1\u00a0");

export const formatNumber = (n) => format().number.format(n);
/** The reader's time zone at a moment, as `GMT+1`: it changes with the season. */
export const zoneName = (at) =>
  format()
    .zone.formatToParts(new Date(at))
    .find(({ type }) => type === "timeZoneName").value;
export const formatClock = (at) => `${format().clock.format(new Date(at))} ${zoneName(at)}`;

export function formatAgo(age_ms) {
  const seconds = Math.max(1, Math.round(age_ms / 1000));
  const [unit, size] = UNITS.find(([, s]) => seconds >= s);
  return spaced(format().relative.format(-Math.floor(seconds / size), unit));
}

// The same as src/text/spacing.rs; both read tests/web/spacing.json.
const CHINESE = "[\\u3000-\\u303f\\u3400-\\u9fff\\uff00-\\uff60\\u{20000}-\\u{3ffff}]";
const BEGINS_CHINESE = new RegExp(`^${CHINESE}`, "u");
const ENDS_CHINESE = new RegExp(`${CHINESE}$`, "u");

/**
 * Puts values in the place of `%name` in a text; numbers as the language writes them. A value that is
 * Chinese itself has no space beside Chinese.
 */
export function fill(text, values) {
  const parts = text.split(/%([a-z]+)/); // words and names in turn
  for (let at = 1; at < parts.length; at += 2) {
    const value = values[parts[at]];
    parts[at] =
      value === undefined
        ? `%${parts[at]}`
        : typeof value === "number"
          ? formatNumber(value)
          : String(value);
  }
  for (let at = 1; at < parts.length; at += 2) {
    const [before, own, after] = parts.slice(at - 1, at + 2);
    const left = before.slice(0, -1) || parts[at - 2];
    const right = after.slice(1) || parts[at + 2];
    if (before.endsWith(" ") && BEGINS_CHINESE.test(own) && ENDS_CHINESE.test(left ?? ""))
      parts[at - 1] = before.slice(0, -1);
    if (after.startsWith(" ") && ENDS_CHINESE.test(own) && BEGINS_CHINESE.test(right ?? ""))
      parts[at + 1] = after.slice(1);
  }
  return parts.join("");
}

/**
 * The words of `<template id>`. @returns {(key: string, values?: Record<string, string|number>) =>
 * string}
 */
export function readWords(id) {
  let words = null;
  const read = () => {
    const items = document.getElementById(id)?.content.querySelectorAll("[data-key]") ?? [];
    return new Map([...items].map((item) => [item.dataset.key, item]));
  };
  return (key, values = {}) => {
    words ??= read();
    const item = words.get(key);
    if (!item) return "";
    const one =
      "n" in values && item.dataset.one !== undefined && format().plural.select(values.n) === "one";
    return fill(one ? item.dataset.one : item.textContent.trim(), values);
  };
}
export const say = readWords("messages");
