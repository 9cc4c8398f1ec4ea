// Ranks, bars and figures of the compare page agree.
import assert from "node:assert/strict";
import { before, test } from "node:test";

let rank, shownAge, ageText;
before(async () => {
  globalThis.document = { documentElement: { lang: "en" } };
  ({ rank, shownAge, ageText } = await import("../../web/js/compare/rank.js"));
});

const AGES = [
  null,
  0,
  0.2,
  3,
  12.4,
  12.6,
  24,
  26,
  37,
  38,
  499,
  511,
  940,
  951,
  960,
  1_040,
  1_049,
  1_051,
  1_500,
  9_949,
  9_951,
  10_400,
  10_600,
  65_000,
];

test("equal figures have equal ranks and bars, and different figures have different ones", () => {
  const order = rank(AGES, (age) => age);
  for (const a of order)
    for (const b of order) {
      const same = ageText(a.shown_ms) === ageText(b.shown_ms);
      assert.equal(a.place === b.place, same, `${a.item} and ${b.item}`);
      assert.equal(a.length === b.length && (a.shown_ms === null) === (b.shown_ms === null), same);
    }
});

test("the loser has the longest bar, and bars grow with the figures", () => {
  const order = rank(AGES, (age) => age).filter(({ shown_ms }) => shown_ms !== null);
  assert.equal(order.at(-1).length, 1);
  for (const [n, entry] of order.entries())
    if (n > 0) assert.ok(entry.length >= order[n - 1].length && entry.place >= order[n - 1].place);
});

test("equals share a place and keep their order; unmeasured are last and have none", () => {
  const order = rank(
    [
      ["a", 4],
      ["b", null],
      ["c", 2],
      ["d", 3_000],
    ],
    ([, age]) => age,
  );
  assert.deepEqual(
    order.map(({ item: [name], place }) => [name, place]),
    [
      ["a", 1],
      ["c", 1],
      ["d", 3],
      ["b", 0],
    ],
  );
});

test("a shown age is written without loss", () => {
  assert.equal(shownAge(null), null);
  assert.equal(ageText(shownAge(null)), "–");
  assert.match(ageText(shownAge(3)), /^<.25/);
  assert.match(ageText(shownAge(1_049)), /^1\.0/);
});

test("nothing is compared before every open line has shown three changes", async () => {
  const { canCompare } = await import("../../web/js/compare/lane.js");
  const lane = (state, changes) => ({ meter: { state }, changes });
  assert.equal(canCompare([lane("live", 3), lane("live", 4), lane("off", 0)]), true);
  assert.equal(canCompare([lane("live", 3), lane("live", 2)]), false);
  assert.equal(canCompare([lane("live", 3), lane("down", 0)]), true);
});
