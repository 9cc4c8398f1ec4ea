// Moments: UTC for the server, the reader's own time on the page, with the zone's name.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

const zone = process.env.TZ;
let words;
let field;
before(async () => {
  process.env.TZ = "Europe/Berlin";
  globalThis.document = { documentElement: { lang: "en" } };
  words = await import("../../web/js/words.js");
  field = await import("../../web/js/moment-field.js");
});
after(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

test("a moment comes back as it was, in summer and in winter, with all its digits", () => {
  for (const [utc, local] of [
    ["", ""],
    ["2026-07-01T09:00", "2026-07-01T11:00"],
    ["2026-12-01T23:30", "2026-12-02T00:30"],
    ["2026-12-01T09:00:05.120", "2026-12-01T10:00:05.120"],
  ]) {
    assert.equal(field.toLocal(utc), local);
    assert.equal(field.toUtc(local), utc);
  }
});

test("every time says its zone, which changes with the season", () => {
  assert.match(words.formatDate("2026-07-01T09:00:00Z"), /11:00 GMT\+2$/);
  assert.match(words.formatDate("2026-12-01T09:00:00Z"), /10:00 GMT\+1$/);
  assert.match(words.formatClock("2026-12-01T09:00:00Z"), /^10:00:00 GMT\+1$/);
});

test("a field says no more than it knows", () => {
  assert.equal(field.fieldMoment(null), "");
  assert.equal(field.fieldMoment("2026-11-21T09:00:00.000Z"), "2026-11-21T09:00");
  assert.equal(field.fieldMoment("2026-11-21T09:00:05Z"), "2026-11-21T09:00:05");
});
