// Which transport is tried next, and when.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Ladder } from "../../web/js/ladder.js";

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

test("a transport that has worked has its tries back", () => {
  const ladder = new Ladder([2, Infinity]);
  for (let n = 0; n < 10; n += 1) {
    ladder.opened(n * 60_000);
    ladder.heard(n * 60_000 + 30_000);
    ladder.failed({}, half);
  }
  assert.equal(ladder.rung, 0);
});

test("pauses grow, are bounded, differ for everybody, and keep the server's", () => {
  const ladder = new Ladder([Infinity]);
  const pauses = Array.from({ length: 12 }, () => ladder.failed({}, half));
  assert.ok(pauses.every((pause, n) => n === 0 || pause >= pauses[n - 1]));
  assert.equal(pauses.at(-1), 30_000);
  assert.ok(ladder.failed({}, () => 0) < ladder.failed({}, () => 1));
  assert.equal(ladder.failed({ retry_ms: 90_000 }, half), 90_000);
});
