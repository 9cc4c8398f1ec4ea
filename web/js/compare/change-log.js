// Every change since the page was opened, from the lossless log: a screen is judged by what it
// should have shown.
import { countUrl } from "../probe.js";
import { parsePosition } from "../count-store.js";

const MOST = 5_000; // then the measurement starts afresh, so that an open page does not grow
const PAUSE_MS = 500;

export class ChangeLog {
  commits = [];
  #slug;
  #position;
  #asking = false;
  #wanted = 0;

  constructor(slug, position) {
    this.#slug = slug;
    this.#position = position;
  }

  /** Reads on, if `position` is news. */
  async reach(position) {
    if (this.#position === null) {
      this.#position = position;
      return;
    }
    const { epoch, revision } = parsePosition(position);
    const own = parsePosition(this.#position);
    if (epoch !== own.epoch) {
      this.#position = position;
      this.commits = [];
      return;
    }
    this.#wanted = Math.max(this.#wanted, revision);
    if (this.#asking || revision <= own.revision) return;
    this.#asking = true;
    try {
      while (this.#behind) {
        await new Promise((done) => setTimeout(done, PAUSE_MS));
        if (!this.#behind) break; // skipped meanwhile
        const answer = await fetch(
          `${countUrl(this.#slug)}/changes?limit=1000&after=${encodeURIComponent(this.#position)}`,
          { headers: { Accept: "application/json" }, cache: "no-store" },
        );
        const { changes, reset } = await answer.json();
        if (reset || !changes.length || !this.#behind) break;
        for (const change of changes)
          this.commits.push({ revision: change.revision, at: Date.parse(change.at) });
        this.#position = changes.at(-1).position;
      }
    } catch {
      /* the next change asks again */
    } finally {
      this.#asking = false;
    }
  }

  get #behind() {
    return this.#position !== null && parsePosition(this.#position).revision < this.#wanted;
  }

  get isFull() {
    return this.commits.length > MOST;
  }
  reset() {
    this.commits = [];
  }
  /** Leaves out everything up to the next position that is reached. */
  skip() {
    this.commits = [];
    this.#position = null;
    this.#wanted = 0;
  }
}
