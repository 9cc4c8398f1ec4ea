import assert from "node:assert/strict";
import { test } from "node:test";
import { meaning } from "../../web/js/shortcuts.js";

const press = (key, more = {}, isField = false) => meaning({ key, ...more }, { isField });

test("a key is a shortcut only by itself, and never in a field", () => {
  assert.equal(press("?"), "help");
  assert.equal(press("N"), "n");
  assert.equal(press("3"), "3");
  for (const key of ["Escape", "Enter", "ArrowDown", "Tab"]) assert.equal(press(key), null, key);
  for (const held of ["ctrlKey", "metaKey", "altKey", "repeat", "isComposing", "defaultPrevented"])
    assert.equal(press("n", { [held]: true }), null, held);
  assert.equal(press("n", {}, true), null);
  assert.equal(press("?", {}, true), null);
});
