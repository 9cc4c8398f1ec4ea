// Dates and times: the scripts write them as the server does (src/text/moments.rs reads the same table).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

globalThis.document = { documentElement: {} };
const { formatSpan, isSameClock, unbroken } = await import("../../web/js/dates.js");
const table = JSON.parse(readFileSync(new URL("dates.json", import.meta.url), "utf8"));

test("a page and its scripts write times alike", () => {
  for (const { language, zone, starts, ends, said } of table) {
    document.documentElement.lang = language;
    assert.equal(formatSpan(starts, ends ?? starts, zone), said);
  }
});

test("a time breaks at no dash", () => {
  for (const [when, shown] of [
    ["Sat 12 Dec 2026, 19:00–22:00 CET", "Sat 12 Dec 2026, 19:00–\u206022:00 CET"],
    ["22:00 CEST – Sun 25 Oct 2026, 04:00 CET", "22:00 CEST\u00a0– Sun 25 Oct 2026, 04:00 CET"],
  ])
    assert.equal(unbroken(when), shown);
});

test("clocks are compared, not the names of zones", () => {
  const [winter, summer] = ["2026-12-12T18:00:00Z", "2026-07-12T18:00:00Z"];
  assert.equal(isSameClock(winter, winter, "Europe/Berlin", "Africa/Lagos"), true);
  assert.equal(isSameClock(winter, summer, "Europe/Berlin", "Africa/Lagos"), false);
});

test("a zone that the browser does not know is no error", () => {
  assert.equal(formatSpan("2026-12-12T18:00:00Z", "2026-12-12T18:00:00Z", "Mars/Olympus"), "");
});
