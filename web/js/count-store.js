// The newest known count of one event: state only, no DOM, no network.
//
// The newest revision wins, in any order of arrival. Two exceptions: another epoch is another
// database, so its count replaces ours; and the first frame of a connection is authoritative even
// if it is lower (a restored backup). For some seconds after a visitor's own registration the second
// exception does not hold: a node that lags behind must not take the visitor out of the number.

const FLOOR_HOLD_MS = 10_000; // several times what one node may lag behind another

export const parsePosition = (position) => {
  const cut = position.lastIndexOf("-");
  return { epoch: position.slice(0, cut), revision: Number(position.slice(cut + 1)) };
};

export class CountStore extends EventTarget {
  #count = null;
  #floor = null;

  constructor(initial = null) {
    super();
    this.#count = initial;
  }

  get count() {
    return this.#count;
  }

  /** Takes a count in if it is news. @returns {boolean} whether it was. */
  accept(count, { authoritative = false } = {}) {
    if (!this.#admits(count, authoritative)) return false;
    const before = this.#count;
    this.#count = count;
    const same = before?.position === count.position && before?.stale_since === count.stale_since;
    if (!same) this.dispatchEvent(new CustomEvent("change", { detail: { count, before } }));
    return true;
  }

  /** From now on nothing older than `position` is shown: the visitor's own registration made it. */
  holdAt(position, now_ms = performance.now()) {
    this.#floor = { ...parsePosition(position), until_ms: now_ms + FLOOR_HOLD_MS };
  }

  #admits(count, authoritative) {
    const { epoch, revision } = parsePosition(count.position);
    if (this.#floor && performance.now() > this.#floor.until_ms) this.#floor = null;
    if (this.#floor?.epoch === epoch && revision < this.#floor.revision) return false;
    if (!this.#count || authoritative) return true;
    const own = parsePosition(this.#count.position);
    return own.epoch !== epoch || revision >= own.revision;
  }
}
