import assert from "node:assert/strict";
import { test } from "node:test";
import { ageOf } from "../../web/js/feed.js";

test("an age has one unit, and the future is now", () => {
  for (const [ms, unit, n] of [
    [-5_000, "s", 0],
    [0, "s", 0],
    [59_999, "s", 59],
    [60_000, "min", 1],
    [3_599_000, "min", 59],
    [7_200_000, "h", 2],
    [90_000_000, "d", 1],
  ])
    assert.deepEqual(ageOf(ms), { unit, n }, String(ms));
});
