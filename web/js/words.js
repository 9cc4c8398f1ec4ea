// The page's words, from an inert <template>, and the language's way of writing numbers and times.
const lang = document.documentElement.lang || "en";
const plural = new Intl.PluralRules(lang);
const number = new Intl.NumberFormat(lang);
const relative = new Intl.RelativeTimeFormat(lang, { style: "narrow" });
const clock = new Intl.DateTimeFormat(lang, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const date = new Intl.DateTimeFormat(lang, {
  dateStyle: "medium",
  timeStyle: "short",
  hourCycle: "h23",
});
const UNITS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

export const formatNumber = (n) => number.format(n);
export const formatClock = (at) => clock.format(new Date(at));
export const formatDate = (at) => date.format(new Date(at));

export function formatAgo(age_ms) {
  const seconds = Math.max(1, Math.round(age_ms / 1000));
  const [unit, size] = UNITS.find(([, s]) => seconds >= s);
  return relative.format(-Math.floor(seconds / size), unit);
}

/** @returns {(key: string, values?: Record<string, string|number>) => string} */
export function readWords(id) {
  const items = document.getElementById(id)?.content.querySelectorAll("[data-key]") ?? [];
  const words = new Map([...items].map((item) => [item.dataset.key, item]));
  return (key, values = {}) => {
    const item = words.get(key);
    if (!item) return "";
    const one =
      "n" in values && item.dataset.one !== undefined && plural.select(values.n) === "one";
    const text = one ? item.dataset.one : item.textContent.trim();
    return text.replace(/%([a-z]+)/g, (whole, name) =>
      name in values
        ? typeof values[name] === "number"
          ? formatNumber(values[name])
          : values[name]
        : whole,
    );
  };
}
export const say = readWords("messages");
