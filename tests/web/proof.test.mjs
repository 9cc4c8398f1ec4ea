// The worker's SHA-256, compared with Node's, and challenges of ALTCHA's own library.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { needsProof } from "../../web/js/send.js";
import { solve } from "../../web/js/proof-worker.js";

const hash = (text) => createHash("sha256").update(text).digest("hex");

test("challenges of ALTCHA's library are solved", () => {
  const file = new URL("../cases/altcha.json", import.meta.url);
  for (const { number, ...challenge } of JSON.parse(readFileSync(file, "utf8")).challenges)
    assert.equal(solve(challenge), number);
});

test("salts of every length around a block's end have the hash that Node computes", () => {
  for (const length of [0, 1, 47, 53, 54, 55, 56, 62, 63, 64, 118, 119, 120, 128, 200]) {
    const salt = "s".repeat(length);
    assert.equal(solve({ salt, challenge: hash(`${salt}37`), maxnumber: 100 }), 37, `${length}`);
  }
});

test("a challenge without a solution says so", () => {
  assert.equal(solve({ salt: "s", challenge: hash("s101"), maxnumber: 100 }), null);
});

test("only a missing proof is a reason to solve a challenge", () => {
  const refused = (...fields) => ({
    status: 422,
    body: { errors: fields.map((field) => ({ field })) },
  });
  assert.equal(needsProof(refused("proof")), true);
  assert.equal(needsProof(refused("name", "proof")), false);
  assert.equal(needsProof({ status: 422, body: {} }), false);
  assert.equal(needsProof({ status: 409, body: { errors: [{ field: "proof" }] } }), false);
});
