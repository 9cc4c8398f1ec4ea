// How true the number on screen is. Pure: moments of the monotonic clock (milliseconds) go in, a
// mode comes out.
export const GRACE_MS = 2_000; // a shorter cut is not worth a word
export const STALE_MS = 30_000; // after this, "reconnecting" becomes "stale"

export class Freshness {
  #mode = "connecting";
  #cut_ms = null;
  #stale_since_ms = null;

  constructor(now_ms) {
    /** When the number was last known to be the newest. */
    this.confirmed_ms = now_ms;
  }

  /** The server has confirmed that the number is the newest. `mode` is "live" or "polling". */
  confirmed(now_ms, mode) {
    this.confirmed_ms = now_ms;
    this.#cut_ms = this.#stale_since_ms = null;
    this.#mode = mode;
  }

  /** The line is gone since `since_ms`. An earlier cut counts. */
  cut(since_ms) {
    this.#cut_ms = Math.min(this.#cut_ms ?? Infinity, since_ms);
  }

  /** The device reports that it is offline: there is no grace period. */
  offline(now_ms) {
    this.cut(now_ms - GRACE_MS);
  }

  /** The server says that its database is away since then (milliseconds since 1970). */
  stale(since_ms) {
    this.#stale_since_ms = since_ms;
  }

  gone() {
    this.#mode = "gone";
  }

  /** Since when the server's own database is away; null when it is not, or not known to be. */
  get stale_since_ms() {
    return this.#stale_since_ms;
  }

  mode(now_ms) {
    if (this.#mode === "gone") return "gone";
    if (this.#stale_since_ms !== null) return "stale";
    const cut_for_ms = this.#cut_ms === null ? 0 : now_ms - this.#cut_ms;
    if (cut_for_ms >= STALE_MS) return "stale";
    return cut_for_ms >= GRACE_MS ? "reconnecting" : this.#mode;
  }

  /** In how many milliseconds the mode changes by itself; null when it does not. */
  changes_in_ms(now_ms) {
    if (this.#cut_ms === null || this.mode(now_ms) === "stale" || this.#mode === "gone")
      return null;
    const cut_for_ms = now_ms - this.#cut_ms;
    return (cut_for_ms < GRACE_MS ? GRACE_MS : STALE_MS) - cut_for_ms;
  }
}
