// Which transport is tried next, and when.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CLIMB_MS, LONGEST_PAUSE_MS, Ladder } from "../../web/js/ladder.js";

const half = () => 0.5;

test("a transport that fails too often makes way for the next, and the last one stays", () => {
  const ladder = new Ladder([2, 1, Infinity]);
  ladder.failed({}, half);
  assert.equal(ladder.rung, 0);
  ladder.failed({}, half);
  assert.equal(ladder.rung, 1);
  for (let n = 0; n < 20; n += 1) ladder.failed({}, half);
  assert.equal(ladder.rung, 2);
  ladder.climb();
  assert.equal(ladder.rung, 0);
});

test("a refused transport makes way at once, without the server's pause", () => {
  const ladder = new Ladder([3, 3]);
  assert.ok(ladder.failed({ refused: true, retry_ms: 60_000 }, half) < 1_000);
  assert.equal(ladder.rung, 1);
});

test("a transport that has worked regains its tries", () => {
  const ladder = new Ladder([2, Infinity]);
  for (let n = 0; n < 10; n += 1) {
    ladder.opened(n * 60_000);
    ladder.confirmed(n * 60_000 + 30_000);
    ladder.failed({}, half);
  }
  assert.equal(ladder.rung, 0);
});

test("pauses grow, are bounded, differ for everybody, and keep the server's", () => {
  const ladder = new Ladder([Infinity]);
  const pauses = Array.from({ length: 12 }, () => ladder.failed({}, half));
  assert.ok(pauses.every((pause, n) => n === 0 || pause >= pauses[n - 1]));
  assert.equal(pauses.at(-1), LONGEST_PAUSE_MS);
  // With any jitter, a page notices within 8 s that the server is back.
  assert.ok(ladder.failed({}, () => 1) <= 8_000);
  assert.ok(ladder.failed({}, () => 0) < ladder.failed({}, () => 1));
  assert.equal(ladder.failed({ retry_ms: 90_000 }, half), 90_000);
});

/** A ladder whose best transport has worked, after an outage that took it to the last one. */
const afterOutage = (steady_ms = 1_000) => {
  const ladder = new Ladder([3, 2, Infinity]);
  ladder.opened(0);
  ladder.confirmed(steady_ms);
  for (let n = 0; n < 5; n += 1) {
    ladder.failed({}, half);
    ladder.opened(steady_ms);
  }
  return ladder;
};

test("after an outage the first answer leads straight back to the best transport", () => {
  const ladder = afterOutage();
  assert.equal(ladder.rung, 2);
  ladder.confirmed(60_000);
  assert.equal(ladder.climb_in_ms, 0);
  ladder.climb();
  assert.equal(ladder.rung, 0);
});

test("a climb that fails costs one try, and the next one is later each time", () => {
  const ladder = afterOutage();
  const pauses = [];
  for (let n = 0; n < 8; n += 1) {
    pauses.push(ladder.climb_in_ms);
    ladder.climb();
    ladder.opened(0);
    ladder.failed({}, half);
    assert.equal(ladder.rung, 2, "back where it worked");
  }
  assert.deepEqual(pauses.slice(0, 3), [0, LONGEST_PAUSE_MS, 2 * LONGEST_PAUSE_MS]);
  assert.equal(pauses.at(-1), CLIMB_MS);
  ladder.climb();
  ladder.opened(0);
  ladder.confirmed(1_000);
  assert.ok(ladder.climb_in_ms > 0, "a line that is cut every second is not steady");
  ladder.confirmed(30_000);
  assert.equal(ladder.climb_in_ms, 0);
});

test("a transport that never worked here, or is refused, is tried again only now and then", () => {
  const never = new Ladder([2, Infinity]);
  never.failed({}, half);
  never.failed({}, half);
  assert.equal(never.climb_in_ms, CLIMB_MS);
  const refused = new Ladder([2, Infinity]);
  refused.opened(0);
  refused.confirmed(20_000);
  refused.failed({ refused: true }, half);
  assert.equal(refused.rung, 1);
  assert.equal(refused.climb_in_ms, CLIMB_MS);
});
