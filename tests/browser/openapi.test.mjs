// /api/v1/openapi.json: valid by two independent validators, and true of the real server by a
// bounded run of Schemathesis.
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Validator } from "@seriousme/openapi-schema-validator";
import { newFolder, run } from "./processes.mjs";
import { TOKEN, startServer } from "./support.mjs";

// scripts/test creates it.
const python =
  process.env.HEADCOUNT_PYTHON ??
  fileURLToPath(new URL("../../target/python/bin/python", import.meta.url));
// Drawn anew each time, so that runs add up; the same one replays a failure.
const seed = process.env.SCHEMATHESIS_SEED ?? String(Math.floor(Math.random() * 2 ** 31));

const folder = newFolder();
let server;
let text;
before(async () => {
  assert.ok(
    existsSync(python),
    `${python} is missing: scripts/test makes it from tests/browser/requirements.txt`,
  );
  server = await startServer(["--register-rate-per-ip", "0"]);
  text = await (await fetch(`${server.base}/api/v1/openapi.json`)).text();
});
after(async () => {
  await server?.stop();
  folder.remove();
});

test("the document is OpenAPI 3.1", async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(JSON.parse(text));
  assert.ok(valid, JSON.stringify(errors));
  assert.equal(validator.version, "3.1");
  const file = join(folder.path, "openapi.json");
  writeFileSync(file, text);
  const checked = await run(python, ["-m", "openapi_spec_validator", file]);
  assert.equal(checked.code, 0, checked.out + checked.err);
});

// What never ends cannot be read to its end: the streams have tests of their own.
const ENDLESS = "/(stream|frame|ws)$";
// A long poll that is asked for may last for a minute, longer than the whole run is meant to:
// values that the document allows ask for a second.
const LONGEST_WAIT_S = 1;
// Values that it does not allow may ask for more, and are answered after that minute at the latest.
const LONGEST_ANSWER_S = 70;
/** The document without what would take too long, in a file. */
function hurried() {
  const document = JSON.parse(text);
  const waits = Object.values(document.paths)
    .flatMap((methods) => Object.values(methods))
    .flatMap(({ parameters = [] }) => parameters)
    .filter(({ name }) => name === "wait");
  assert.equal(waits.length, 1);
  for (const { schema } of waits) schema.maximum = LONGEST_WAIT_S;
  const file = join(folder.path, "hurried.json");
  writeFileSync(file, JSON.stringify(document));
  return file;
}

// The first run leaves what there is to read; the second may take it away.
for (const [name, flags] of [
  ["nothing is deleted", ["--exclude-method", "DELETE"]],
  ["everything that ends", []],
]) {
  test(`what the server answers is what the document says: ${name}`, async (t) => {
    t.diagnostic(`SCHEMATHESIS_SEED=${seed}`);
    const { code, out, err } = await run(
      python,
      [
        "-m",
        "schemathesis.cli",
        "run",
        hurried(),
        "--url",
        server.base,
        "--no-color",
        "--header",
        `Authorization: Bearer ${TOKEN}`,
        "--checks",
        "not_a_server_error,response_schema_conformance,content_type_conformance,status_code_conformance",
        "--phases",
        "examples,coverage,fuzzing,stateful",
        "--max-examples",
        "15",
        "--max-time",
        "12",
        "--request-timeout",
        String(LONGEST_ANSWER_S),
        "--generation-database",
        "none",
        "--exclude-path-regex",
        ENDLESS,
        "--seed",
        seed,
        ...flags,
      ],
      { cwd: folder.path },
    );
    assert.equal(code, 0, out + err);
    t.diagnostic(/\d+ generated, \d+ passed/.exec(out)?.[0] ?? "no cases?");
  });
}

test("every path of the document is there, and answers its errors as it says", async () => {
  const { paths } = JSON.parse(text);
  for (const [pattern, methods] of Object.entries(paths)) {
    for (const method of Object.keys(methods)) {
      // An event that does not exist: every call answers 404, or asks for a token or a body first.
      const path = pattern.replace(/\{\w+\}/g, "nobody-s");
      const answer = await fetch(server.base + path, { method: method.toUpperCase() });
      await answer.body?.cancel();
      assert.notEqual(answer.status, 405, `${method} ${pattern}`);
      assert.ok(
        Object.hasOwn(methods[method].responses, String(answer.status)),
        `${method} ${pattern}: ${answer.status} is not documented`,
      );
    }
  }
});
