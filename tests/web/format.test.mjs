// Times and sizes on the compare page.
import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document = { documentElement: { lang: "en" } };
const { formatBytes, formatTime } = await import("../../web/js/compare/format.js");

test("English writes the symbols of units, with a space that does not break", () => {
  assert.equal(formatTime(0.4), "<\u202f1\u00a0ms");
  assert.equal(formatTime(25), "25\u00a0ms");
  assert.equal(formatTime(1_234), "1.2\u00a0s");
  assert.equal(formatTime(12_345), "12\u00a0s");
  assert.equal(formatBytes(1_234), "≈ 1.2\u00a0kB");
});
