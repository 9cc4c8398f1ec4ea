// What one line has put on screen: the newest count, from when each was seen, and how many were
// skipped. Pure.
import { parsePosition } from "../count-store.js";

export class Screen {
  position = null;
  count = null;
  seen = 0;
  skipped = 0;
  sights = []; // `{revision, at}`: what was on screen from when

  /** Takes a count that arrived `at` milliseconds. @returns {boolean} whether it is news. */
  take(count, at) {
    const { epoch, revision } = parsePosition(count.position);
    const before = this.position && parsePosition(this.position);
    if (before?.epoch === epoch && before.revision >= revision) return false;
    if (before && before.epoch !== epoch)
      this.sights = []; // another database: its revisions say nothing about ours
    else if (before) {
      this.seen += 1;
      this.skipped += revision - before.revision - 1;
    }
    this.position = count.position;
    this.count = count;
    this.sights.push({ revision, at });
    return true;
  }

  /** Restarts the counters; the number on screen stays. */
  reset() {
    this.seen = this.skipped = 0;
    this.sights = this.sights.slice(-1);
  }

  /** Starts over, without a position to resume from. */
  forget() {
    this.reset();
    this.position = null;
    this.sights = [];
  }
}
