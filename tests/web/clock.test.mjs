// The server's clock, from several requests.
import assert from "node:assert/strict";
import { test } from "node:test";
import { estimate, serverNow } from "../../web/js/clock.js";

test("the fastest answer is the most exact, and half its round trip is the error", () => {
  assert.equal(estimate([]), null);
  assert.deepEqual(
    estimate([
      { sent: 0, received: 400, at: 10_900 },
      { sent: 1_000, received: 1_010, at: 11_005 },
      { sent: 2_000, received: 2_200, at: 12_500 },
    ]),
    { offset_ms: 10_000.5, error_ms: 5.5 },
  );
});

test("a jump of the device's clock changes nothing", (t) => {
  const before = serverNow();
  t.mock.method(Date, "now", () => 0);
  assert.ok(Math.abs(serverNow() - before) < 1_000);
});
