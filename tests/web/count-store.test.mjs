// Which of two counts is the newer one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CountStore, parsePosition } from "../../web/js/count-store.js";

const count = (epoch, revision, registered = revision) => ({
  position: `${epoch}-${revision}`,
  registered,
});

test("the newest revision wins in any order of arrival", () => {
  const store = new CountStore(count("a", 3));
  assert.equal(store.accept(count("a", 5)), true);
  assert.equal(store.accept(count("a", 4)), false);
  assert.equal(store.count.registered, 5);
});

test("another epoch replaces, and the first count of a connection may be lower", () => {
  const store = new CountStore(count("a", 9));
  assert.equal(store.accept(count("b", 1)), true);
  assert.equal(store.accept(count("b", 0), { authoritative: true }), true);
  assert.equal(store.count.registered, 0);
});

test("a visitor's own registration stays in the number for a while", () => {
  const store = new CountStore(count("a", 1));
  store.holdAt("a-7", performance.now());
  assert.equal(store.accept(count("a", 6), { authoritative: true }), false);
  assert.equal(store.accept(count("a", 7)), true);
  store.holdAt("a-9", performance.now() - 60_000);
  assert.equal(store.accept(count("a", 2), { authoritative: true }), true, "not for ever");
});

test("a change is reported once", () => {
  const store = new CountStore(count("a", 1));
  const seen = [];
  store.addEventListener("change", ({ detail }) => seen.push(detail.count.position));
  store.accept(count("a", 2));
  store.accept(count("a", 2));
  assert.deepEqual(seen, ["a-2"]);
});

test("an epoch may contain a hyphen", () => {
  assert.deepEqual(parsePosition("a-b-12"), { epoch: "a-b", revision: 12 });
});
