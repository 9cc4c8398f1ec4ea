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

const CHINESE = "[\\u3000-\\u303f\\uff00-\\uff60\\p{Script=Han}]";
const BEFORE = new RegExp(`(${CHINESE}) %([a-z]+)`, "gu");
const AFTER = new RegExp(`%([a-z]+) (?=${CHINESE})`, "gu");

/** In Chinese a value that is Chinese itself has no space beside Chinese (src/text/spacing.rs). */
function closeUp(text, values) {
  const begins = (name) => new RegExp(`^${CHINESE}`, "u").test(values[name]);
  const ends = (name) => new RegExp(`${CHINESE}$`, "u").test(values[name]);
  return text
    .replace(BEFORE, (whole, before, name) => (begins(name) ? `${before}%${name}` : whole))
    .replace(AFTER, (whole, name) => (ends(name) ? `%${name}` : whole));
}

/** Puts values in the place of `%name` in a text; numbers as the language writes them. */
export const fill = (text, values) =>
  closeUp(text, values).replace(/%([a-z]+)/g, (whole, name) => {
    if (!(name in values)) return whole;
    return typeof values[name] === "number" ? formatNumber(values[name]) : values[name];
  });

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
