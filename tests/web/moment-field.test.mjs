import test from "node:test";
import assert from "node:assert/strict";

import { fieldMoment } from "../../web/js/moment-field.js";

test("a moment is written on the clocks of the event's zone, with all its digits", () => {
  for (const [at, zone, field] of [
    ["2026-12-12T18:00:00.000Z", "Europe/Berlin", "2026-12-12T19:00"],
    ["2026-07-12T18:00:05.000Z", "Europe/Berlin", "2026-07-12T20:00:05"],
    ["2026-07-12T18:00:00.120Z", "UTC", "2026-07-12T18:00:00.120"],
    ["2026-07-12T18:00:00.000Z", "Australia/Lord_Howe", "2026-07-13T04:30"],
    ["2026-12-12T16:00:00.000Z", "Asia/Shanghai", "2026-12-13T00:00"],
  ])
    assert.equal(fieldMoment(at, zone), field, `${at} ${zone}`);
  assert.equal(fieldMoment(null, "UTC"), "");
});

test("the status line names the reader's zone, which changes with the season", async () => {
  const zone = process.env.TZ;
  process.env.TZ = "Europe/Berlin";
  globalThis.document = { documentElement: { lang: "en" } };
  const words = await import("../../web/js/words.js");
  assert.match(words.formatClock("2026-07-01T09:00:00Z"), /^11:00:00 GMT\+2$/);
  assert.match(words.formatClock("2026-12-01T09:00:00Z"), /^10:00:00 GMT\+1$/);
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});
