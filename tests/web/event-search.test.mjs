import assert from "node:assert/strict";
import { test } from "node:test";
import { matches } from "../../web/js/event-search.js";

test("every word must be there, in any order, whatever case and accents", () => {
  const text = "Soirée d’été 春季晚会 soiree-2026";
  for (const typed of ["", "  ", "SOIREE", "été soirée", "2026 ete", "晚会"])
    assert.ok(matches(text, typed), typed);
  for (const typed of ["winter", "soirée winter", "2027"]) assert.ok(!matches(text, typed), typed);
});
