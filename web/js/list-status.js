// What the status line of a list of events says: the worst of their states, and whose it is.
import { formatAgo, formatClock, readWords, say } from "./words.js";
import { serverNow } from "./clock.js";

const NAME_MAX = 40; // characters of a title; the line holds about eighty

const words = readWords("list-messages");

export function shorten(title) {
  const letters = [...title.trim()];
  return letters.length <= NAME_MAX ? letters.join("") : `${letters.slice(0, NAME_MAX).join("")}…`;
}

/**
 * What the line says. `names`: the events it is about, of `all` events; `newest`: where the last
 * change was.
 */
export function sayListStatus({ mode, since_ms, names = [], all = 0 }, newest) {
  const named = () => {
    if (names.length === 0 || (all > 1 && names.length === all)) return words("all");
    const [first, ...rest] = names.map(shorten);
    return rest.length === 0 ? first : words("more", { name: first, n: rest.length });
  };
  switch (mode) {
    case "live":
    case "polling": {
      if (!newest) return words("empty");
      const ago = formatAgo(serverNow() - Date.parse(newest.count.at));
      return words(mode, { ago, name: shorten(newest.title) });
    }
    case "reconnecting":
    case "stale":
      return words(mode, { names: named(), time: formatClock(since_ms) });
    case "gone":
      return words("gone", { names: named() });
    default:
      return say("live-connecting");
  }
}
