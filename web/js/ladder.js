// Which transport is tried next, and after what pause. Pure.
const STEADY_MS = 10_000; // a transport that worked for this long has earned its tries back
const LONGEST_PAUSE_MS = 30_000;
const PAUSE_MS = 500;

export class Ladder {
  rung = 0;
  #tries;
  #failures = 0;
  #opened_ms = 0;
  #heard_ms = 0;

  /** `tries`: how many failures in a row each transport may have before the next one down is taken. */
  constructor(tries) {
    this.#tries = tries;
  }

  opened(now_ms) {
    this.#opened_ms = now_ms;
  }

  heard(now_ms) {
    this.#heard_ms = now_ms;
  }

  /** The transport failed, or was `refused`. @returns {number} the pause before the next try, in milliseconds. */
  failed({ retry_ms = 0, refused = false } = {}, random = Math.random) {
    this.#failures = this.#heard_ms - this.#opened_ms > STEADY_MS ? 1 : this.#failures + 1;
    if (refused || this.#failures >= this.#tries[this.rung]) {
      this.rung = Math.min(this.rung + 1, this.#tries.length - 1);
      this.#failures = 0;
    }
    // Jitter, so that a crowd never comes back all at once.
    const backoff_ms =
      Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** this.#failures) * (0.5 + random());
    return Math.max(refused ? 0 : (retry_ms ?? 0), backoff_ms);
  }

  /** The best transport is tried again. */
  climb() {
    this.rung = 0;
  }
}
