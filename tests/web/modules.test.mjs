// Every module of the front end can be imported where there is no page: nothing acts at import.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const folder = new URL("../../web/js/", import.meta.url);
// Classic scripts and the one entry act at once; that is what they are for.
const ENTRIES = ["site.js", "embed.js", "theme-early.js"];
const MOST_LINES = 150;
const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".js"));
const modules = files.filter((name) => !ENTRIES.includes(name));

for (const name of modules) {
  test(`${name} does nothing when it is imported`, async (t) => {
    for (const timer of ["setTimeout", "setInterval"])
      t.mock.method(globalThis, timer, () => assert.fail(`${name} starts a timer`));
    t.mock.method(globalThis, "fetch", () => assert.fail(`${name} asks the server`));
    await import(new URL(name, folder));
  });
}

test("the entry names modules that exist and can be started", async () => {
  const entry = readFileSync(new URL("site.js", folder), "utf8");
  const named = [...entry.matchAll(/"\.\/([a-z/-]+\.js)"/g)].map(([, name]) => name);
  assert.ok(named.length > 5);
  for (const name of named) {
    const { start } = await import(new URL(name, folder));
    assert.equal(typeof start, "function", `${name} exports start`);
  }
});

test("one behaviour, one file", () => {
  for (const name of files) {
    const lines = readFileSync(new URL(name, folder), "utf8").split("\n").length - 1;
    assert.ok(lines <= MOST_LINES, `${name} has ${lines} lines`);
  }
});

test("durations come from the monotonic clock: the device's may be set at any moment", () => {
  for (const name of modules)
    assert.doesNotMatch(readFileSync(new URL(name, folder), "utf8"), /Date\.now\(/, name);
});
