// Numbers, ages and values in the page's words.
import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document = { documentElement: { lang: "en" } };
const { fill, formatAgo, formatNumber } = await import("../../web/js/words.js");

test("a value takes the place of its name, and what has no value stays", () => {
  assert.equal(fill("%n of %all, %more", { n: 1_200, all: "<b>" }), "1,200 of <b>, %more");
});

test("an age is never zero or negative", () => {
  assert.equal(formatAgo(-5_000), formatAgo(0));
  assert.match(formatAgo(61_000), /1/);
  assert.equal(formatNumber(1_234_567), "1,234,567");
});
