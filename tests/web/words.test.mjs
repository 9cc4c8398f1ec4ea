// Numbers, ages and values in the page's words.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

globalThis.document = { documentElement: { lang: "en" } };
const { fill, formatAgo, formatNumber, spaced } = await import("../../web/js/words.js");

test("a value takes the place of its name, and what has no value stays", () => {
  assert.equal(fill("%n of %all, %more", { n: 1_200, all: "<b>" }), "1,200 of <b>, %more");
});

test("in Chinese a value that is Chinese has no space beside Chinese", () => {
  // src/text/spacing.rs reads the same table.
  const table = JSON.parse(readFileSync(new URL("spacing.json", import.meta.url), "utf8"));
  assert.ok(table.length > 9);
  for (const { text, values, said } of table) assert.equal(fill(text, values), said);
  assert.equal(fill("%n / %all", { n: 1, all: 2 }), "1 / 2");
});

test("an age is never zero or negative", () => {
  assert.equal(formatAgo(-5_000), formatAgo(0));
  assert.match(formatAgo(61_000), /1/);
  assert.equal(formatNumber(1_234_567), "1,234,567");
});

test("in Chinese a space stands between figures or Latin letters and Han", () => {
  assert.equal(spaced("6分钟前"), "6\u00a0分钟前");
  assert.equal(spaced("1.2秒"), "1.2\u00a0秒");
  assert.equal(spaced("2h ago"), "2h ago");
  const catalogue = new URL("../../web/locales/zh-CN/main.ftl", import.meta.url);
  const texts = readFileSync(catalogue, "utf8")
    .split("\n")
    .filter((line) => /^[a-z]/.test(line))
    .map((line) => line.slice(line.indexOf("=") + 1));
  assert.ok(texts.length > 300);
  // A value that is itself Chinese words, such as an age, needs none: it is named here.
  const words = /\{ \$(ago|time) \}(?=\p{Script=Han})/gu;
  // Dates are written without spaces: 2026年11月28日.
  const dates = /[0-9]+(?=[年月日])/gu;
  for (const text of texts)
    assert.doesNotMatch(
      text.replace(words, "前").replace(dates, ""),
      /\p{Script=Han}[A-Za-z0-9{]|[A-Za-z0-9}]\p{Script=Han}/u,
    );
});
