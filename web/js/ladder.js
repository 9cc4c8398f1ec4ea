// Which transport is tried next, and after what pause. Pure.
const STEADY_MS = 10_000; // a transport that worked for this long has earned its tries back
const PAUSE_MS = 500;
export const LONGEST_PAUSE_MS = 5_000; // before jitter; no page shows an outage for much longer than it lasts
export const CLIMB_MS = 60_000; // how often a lower transport tries the best one, where that has not worked

export class Ladder {
  rung = 0;
  #tries;
  #failures = 0;
  #opened_ms = 0;
  #confirmed_ms = 0;
  #bestWorks = false; // the best transport has worked here, so an outage is what stopped it
  #climbs = 0; // since the best transport was last steady
  #climbedFrom = 0;

  /** `tries`: how many failures in a row each transport may have before the next one down is taken. */
  constructor(tries) {
    this.#tries = tries;
  }

  opened(now_ms) {
    this.#opened_ms = now_ms;
  }

  confirmed(now_ms) {
    this.#confirmed_ms = now_ms;
    if (this.rung > 0) return;
    this.#bestWorks = true;
    this.#climbedFrom = 0;
    if (this.#isSteady) this.#climbs = 0;
  }

  /**
   * The transport failed, or was `refused`. @returns {number} the pause before the next try, in
   * milliseconds.
   */
  failed({ retry_ms = 0, refused = false } = {}, random = Math.random) {
    this.#failures = this.#isSteady ? 1 : this.#failures + 1;
    if (refused && this.rung === 0) this.#bestWorks = false;
    // After a climb one failure is enough: the transport below works.
    if (refused || this.#climbedFrom > 0 || this.#failures >= this.#tries[this.rung]) {
      this.rung = Math.min(Math.max(this.rung + 1, this.#climbedFrom), this.#tries.length - 1);
      this.#failures = this.#climbedFrom = 0;
    }
    // Jitter, so that a crowd never comes back all at once.
    const backoff_ms =
      Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** this.#failures) * (0.5 + random());
    return Math.max(refused ? 0 : (retry_ms ?? 0), backoff_ms);
  }

  /**
   * When a lower transport has an answer: in how many milliseconds the best one is tried again. At once
   * after an outage; ever later where the best one fails again and again.
   */
  get climb_in_ms() {
    if (!this.#bestWorks) return CLIMB_MS;
    return this.#climbs === 0 ? 0 : Math.min(CLIMB_MS, LONGEST_PAUSE_MS * 2 ** (this.#climbs - 1));
  }

  /** The best transport is tried again. */
  climb() {
    this.#climbedFrom = this.rung;
    this.#climbs += 1;
    this.#failures = 0;
    this.rung = 0;
  }

  get #isSteady() {
    return this.#confirmed_ms - this.#opened_ms > STEADY_MS;
  }
}
