// The rail's ticks, by the same rule as the server's.
import assert from "node:assert/strict";
import { test } from "node:test";
import { railPaths } from "../../web/js/rail.js";

const drawn = (capacity, registered) => {
  const { free, taken, over, needle } = railPaths(capacity, registered);
  return [free, taken, over, needle].map((path) => path.split("M").length - 1);
};

for (const [capacity, registered, expected] of [
  [null, 7, [0, 0, 0, 0]],
  [0, 0, [0, 0, 0, 0]],
  [1, 0, [1, 0, 0, 0]],
  [1, 1, [0, 1, 0, 1]],
  [2, 1, [1, 1, 0, 1]],
  [3, 2, [1, 2, 0, 1]],
  [7, 7, [0, 7, 0, 1]],
  [4, 6, [0, 4, 2, 1]],
  [0, 3, [0, 0, 3, 1]],
  [1_000_000, 1, [99, 1, 0, 1]],
  [1_000_000, 999_999, [1, 99, 0, 1]],
])
  test(`${registered} of ${capacity}`, () =>
    assert.deepEqual(drawn(capacity, registered), expected));

test("segments reach from edge to edge, as the server draws them", () => {
  const { taken, free, needle } = railPaths(2, 1);
  assert.deepEqual([taken, free, needle], ["M0 14H0.990", "M1.010 14H2", "M0.990 2V24"]);
  assert.equal(railPaths(1, 1).taken, "M0 14H1");
});
