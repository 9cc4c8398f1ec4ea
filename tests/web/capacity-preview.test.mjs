// What the console says a new capacity would do.
import assert from "node:assert/strict";
import { test } from "node:test";
import { previewCapacity } from "../../web/js/capacity-preview.js";

const count = (capacity, registered, waiting = 0) => ({ capacity, registered, waiting });

for (const [name, now, next, expected] of [
  ["the same", count(10, 3), 10, [["preview-same"]]],
  ["no limit", count(10, 3), null, [["preview-unlimited"]]],
  [
    "no limit, with people waiting",
    count(10, 10, 4),
    null,
    [["preview-unlimited"], ["preview-promotes", { n: 4 }]],
  ],
  [
    "a first limit",
    count(null, 3),
    5,
    [
      ["preview-limit", { to: 5 }],
      ["preview-free", { n: 2 }],
    ],
  ],
  [
    "more places than people waiting",
    count(10, 10, 2),
    15,
    [
      ["preview-raise", { by: 5 }],
      ["preview-promotes", { n: 2 }],
      ["preview-free", { n: 3 }],
    ],
  ],
  [
    "fewer places than people waiting",
    count(10, 10, 9),
    12,
    [["preview-raise", { by: 2 }], ["preview-promotes", { n: 2 }], ["preview-full"]],
  ],
  [
    "below what is taken",
    count(10, 8),
    5,
    [
      ["preview-lower", { to: 5 }],
      ["preview-over", { n: 3 }],
    ],
  ],
  ["exactly what is taken", count(10, 8), 8, [["preview-lower", { to: 8 }], ["preview-full"]]],
  ["to nothing", count(10, 0), 0, [["preview-lower", { to: 0 }], ["preview-full"]]],
])
  test(name, () => assert.deepEqual(previewCapacity(now, next), expected));

test("which groups fit is not promised", () => {
  assert.deepEqual(previewCapacity(count(10, 8, 4), 11, true), [
    ["preview-raise", { by: 1 }],
    ["preview-promotes-most", { n: 3 }],
  ]);
  assert.deepEqual(previewCapacity(count(10, 8), 11, true), previewCapacity(count(10, 8), 11));
});
