// How late and how old a number on screen is, and what counts as shown or skipped.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { delays, meanAge, median, outdated } from "../../web/js/compare/age.js";
import { Screen } from "../../web/js/compare/screen.js";

const commit = (revision, at) => ({ revision, at });

test("a screen is outdated from the next commit until it shows it or a later one", () => {
  const commits = [commit(2, 1_000), commit(3, 2_000)];
  const sights = [commit(1, 0), commit(3, 2_500)];
  assert.deepEqual(
    [...outdated(commits, sights, -Infinity, 5_000)],
    [{ begin: 1_000, end: 2_500, missing: 1_000 }],
  );
  assert.deepEqual(delays(commits, sights), [500, 1_500]);
  assert.equal(median([500, 1_500]), 1_500);
});

test("the mean age counts ten seconds after a change, every outdated moment, and nothing before the first", () => {
  const commits = [commit(2, 1_000)];
  const at_once = [commit(1, 0), commit(2, 1_000)];
  const late = [commit(1, 0), commit(2, 3_000)];
  assert.equal(meanAge([], at_once, 9_000), null);
  assert.equal(meanAge(commits, at_once, 60_000), 0);
  assert.equal(meanAge(commits, late, 60_000), 2_000 ** 2 / 2 / 10_000);
  assert.equal(meanAge(commits, [commit(1, 0)], 3_000), 1_000);
});

const cases = JSON.parse(readFileSync(new URL("../cases/ages.json", import.meta.url), "utf8"));
for (const { what, commits, sights, from, to, mean } of cases) {
  test(`the mean age, as headcount compare computes it: ${what}`, () => {
    const pairs = (list) => list.map(([revision, at]) => commit(revision, at));
    const found = meanAge(pairs(commits), pairs(sights), to, from);
    if (mean === null) assert.equal(found, null);
    else assert.ok(Math.abs(found - mean) < 1e-6, `${found} instead of ${mean}`);
  });
}

test("two clocks agree only so far: no delay is negative", () => {
  assert.deepEqual(delays([commit(2, 1_000)], [commit(2, 990)]), [0]);
});

const count = (epoch, revision) => ({ position: `${epoch}-${revision}` });

test("a screen counts what it showed and what it skipped, once", () => {
  const screen = new Screen();
  assert.equal(screen.take(count("a", 4), 0), true);
  assert.deepEqual([screen.seen, screen.skipped], [0, 0], "the first count is where it begins");
  assert.equal(screen.take(count("a", 7), 10), true);
  assert.equal(screen.take(count("a", 7), 20), false);
  assert.equal(screen.take(count("a", 5), 30), false);
  assert.deepEqual([screen.seen, screen.skipped], [1, 2]);
  screen.reset();
  assert.deepEqual(screen.sights, [{ revision: 7, at: 10 }]);
});

test("another database's revisions say nothing about ours", () => {
  const screen = new Screen();
  screen.take(count("a", 9), 0);
  screen.take(count("b", 1), 10);
  assert.deepEqual(screen.sights, [{ revision: 1, at: 10 }]);
  assert.equal(screen.skipped, 0);
  screen.forget();
  assert.equal(screen.position, null);
});
