// One transport's row: its number, its figures, its strip.
import { serverNow } from "../clock.js";
import { delays, meanAge, median, outdated } from "./age.js";
import { ageText } from "./rank.js";
import { formatBytes, formatNumber, formatTime, say } from "./format.js";

const WINDOW_MS = 30_000;
/** Fewer changes than this say more about chance than about a transport. */
export const LEAST_CHANGES = 3;
/** Whether every line that is open has shown enough changes to be compared. */
export const canCompare = (lanes) =>
  lanes.every(({ meter, changes }) => meter.state !== "live" || changes >= LEAST_CHANGES);
const WIDTH = 600,
  HEIGHT = 48;

export class Lane {
  age = null;
  middle = null;
  worst = null;
  changes = 0; // that its age stands for
  #parts = {};

  constructor(root, meter) {
    this.root = root;
    this.meter = meter;
    this.name = root.dataset.name;
    for (const part of [
      "rank",
      "number",
      "age",
      "median",
      "worst",
      "requests",
      "bytes",
      "seen",
      "skipped",
      "reconnects",
      "shown-state",
      "strip",
    ]) {
      this.#parts[part] = root.querySelector(`[data-${part}]`);
    }
    meter.addEventListener("count", () =>
      this.#write("number", formatNumber(meter.screen.count.registered)),
    );
    meter.addEventListener("state", () => this.#state());
    this.#state();
  }

  measure(commits, now) {
    const times = delays(commits, this.meter.screen.sights);
    this.changes = times.length;
    this.age = times.length ? meanAge(commits, this.meter.screen.sights, now) : null;
    this.middle = times.length ? median(times) : null;
    this.worst = times.at(-1) ?? null;
    const time = (value) => (value === null ? "–" : formatTime(value));
    this.#write("median", time(this.middle));
    this.#write("worst", time(this.worst));
    this.#write("bytes", formatBytes(this.meter.bytes));
    const { requests, reconnects, screen } = this.meter;
    const figures = { requests, reconnects, seen: screen.seen, skipped: screen.skipped };
    for (const [part, n] of Object.entries(figures)) this.#write(part, formatNumber(n));
  }

  /** The place and the age of an entry from `rank`: the same value as in the ranking, at the same moment. */
  rank({ place, shown_ms }) {
    this.#write("rank", place ? String(place) : "");
    this.#write("age", ageText(shown_ms));
    this.root.toggleAttribute("data-first", place === 1);
  }

  /** For how long the number on screen has been outdated, in milliseconds. */
  outdatedFor(commits, now) {
    const shown = this.meter.screen.sights.at(-1);
    const missing = shown && commits.find(({ revision }) => revision > shown.revision);
    return missing ? now - missing.at : 0;
  }

  /** The highest age of the last half minute, for the scale that all strips share. */
  peak(commits) {
    const now = serverNow();
    return Math.max(
      0,
      ...[...outdated(commits, this.meter.screen.sights, now - WINDOW_MS, now)].map(
        ({ end, missing }) => end - missing,
      ),
    );
  }

  draw(commits, scale_ms) {
    const now = serverNow();
    const x = (at) => (((at - now + WINDOW_MS) / WINDOW_MS) * WIDTH).toFixed(1);
    const y = (age) => (HEIGHT - 1 - Math.min(1, age / scale_ms) * (HEIGHT - 6)).toFixed(1);
    let slopes = "";
    for (const { begin, end, missing } of outdated(
      commits,
      this.meter.screen.sights,
      now - WINDOW_MS,
      now,
    )) {
      slopes += `M${x(begin)} ${y(0)}V${y(begin - missing)}L${x(end)} ${y(end - missing)}V${y(0)}Z`;
    }
    const ticks = this.meter.screen.sights
      .filter(({ at }) => at > now - WINDOW_MS)
      .map(({ at }) => `M${x(at)} ${HEIGHT - 9}V${HEIGHT}`)
      .join("");
    this.#parts.strip.querySelector(".strip-age").setAttribute("d", slopes);
    this.#parts.strip.querySelector(".strip-seen").setAttribute("d", ticks);
  }

  #state() {
    this.root.dataset.state = this.meter.state;
    this.#write("shown-state", say(`compare-state-${this.meter.state}`));
    if (this.meter.isAbsent) this.#write("number", "–");
  }

  #write(part, text) {
    if (this.#parts[part].textContent !== text) this.#parts[part].textContent = text;
  }
}

/** Puts rows in order around one of them: a frame that moves in the document loads again. */
export function arrange(rows, still) {
  if (rows.every((row, i) => row === still.parentElement.children[i])) return;
  const at = rows.indexOf(still);
  rows.slice(0, at).forEach((row) => still.before(row));
  still.parentElement.append(...rows.slice(at + 1));
}
