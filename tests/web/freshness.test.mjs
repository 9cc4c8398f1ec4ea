// When the page says that it is live, reconnecting or stale.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Freshness, GRACE_MS, STALE_MS } from "../../web/js/freshness.js";

const live = () => {
  const fresh = new Freshness(0);
  fresh.confirmed(1_000, "live");
  return fresh;
};

test("a page connects until the server answers", () => {
  const fresh = new Freshness(0);
  assert.equal(fresh.mode(60_000), "connecting");
  fresh.confirmed(60_000, "polling");
  assert.equal(fresh.mode(60_000), "polling");
});

test("a cut is passed over, then said, then stale, and each change is known beforehand", () => {
  const fresh = live();
  assert.equal(fresh.changes_in_ms(2_000), null);
  fresh.cut(5_000);
  assert.equal(fresh.mode(5_000), "live");
  assert.equal(fresh.changes_in_ms(5_000), GRACE_MS);
  assert.equal(fresh.mode(5_000 + GRACE_MS), "reconnecting");
  assert.equal(fresh.changes_in_ms(5_000 + GRACE_MS), STALE_MS - GRACE_MS);
  assert.equal(fresh.mode(5_000 + STALE_MS), "stale");
  assert.equal(fresh.changes_in_ms(5_000 + STALE_MS), null);
  fresh.confirmed(90_000, "live");
  assert.equal(fresh.mode(90_000), "live");
});

test("the earlier of two cuts counts", () => {
  const fresh = live();
  fresh.cut(9_000);
  fresh.cut(4_000);
  fresh.cut(20_000);
  assert.equal(fresh.mode(4_000 + STALE_MS), "stale");
});

test("a silent line is cut since its last sign, so there is no grace", () => {
  const fresh = live();
  fresh.cut(fresh.confirmed_ms);
  assert.equal(fresh.mode(21_000), "reconnecting");
});

test("a device that is offline is believed at once", () => {
  const fresh = live();
  fresh.offline(2_000);
  assert.equal(fresh.mode(2_000), "reconnecting");
});

test("a server without its database is stale until it answers again, connected or not", () => {
  const fresh = live();
  fresh.stale(1_795_000_000_000);
  assert.equal(fresh.mode(2_000), "stale");
  assert.equal(fresh.stale_since_ms, 1_795_000_000_000);
  fresh.cut(3_000);
  assert.equal(fresh.mode(3_000), "stale");
  fresh.confirmed(4_000, "live");
  assert.equal(fresh.stale_since_ms, null);
  assert.equal(fresh.mode(4_000), "live");
});

test("an event that is gone stays gone", () => {
  const fresh = live();
  fresh.gone();
  fresh.cut(2_000);
  assert.equal(fresh.mode(99_000), "gone");
  assert.equal(fresh.changes_in_ms(2_000), null);
});
