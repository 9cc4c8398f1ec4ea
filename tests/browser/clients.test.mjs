// The clients that people have: a browser's EventSource, npm's, curl, Python.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { EventSource } from "eventsource";
import { run, start, until } from "./processes.mjs";
import { TOKEN, startBrowser, startServer } from "./support.mjs";
import { blocks, watch } from "./watchers.mjs";

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const event = (slug) => server.organise("POST", "/events", { slug, title: slug, capacity: 100 });

/**
 * A page of the server's origin that runs nothing of ours, so that the browser's own EventSource is
 * what is tested.
 */
async function bare(t, base) {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.route("**/bare", (route) =>
    route.fulfill({ contentType: "text/html", body: "<!doctype html><title>bare</title>" }),
  );
  await page.goto(`${base}/bare`);
  return page;
}

/** Opens streams in the page; each one records what it receives. */
function follow(page, slug, streams = 1) {
  return page.evaluate(
    ([path, n]) => {
      globalThis.sources = Array.from({ length: n }, () => {
        const source = new EventSource(path);
        const own = { source, counts: [], byes: [], errors: [], opened: 0 };
        source.addEventListener("open", () => {
          own.opened += 1;
        });
        source.addEventListener("count", ({ data, lastEventId }) =>
          own.counts.push({ ...JSON.parse(data), lastEventId }),
        );
        source.addEventListener("bye", ({ data }) => own.byes.push(JSON.parse(data)));
        source.addEventListener("error", () => own.errors.push(source.readyState));
        return own;
      });
    },
    [`/api/v1/events/${slug}/stream`, streams],
  );
}
const allShow = (page, registered) =>
  page.waitForFunction(
    (n) => globalThis.sources.every(({ counts }) => counts.at(-1)?.registered === n),
    registered,
    { timeout: 30_000 },
  );

test("a browser's EventSource reconnects by itself after a drain", async (t) => {
  const own = await startServer();
  const page = await bare(t, own.base);
  await follow(page, "welcome");
  await allShow(page, 0);
  assert.equal(await own.stop(true), 0);
  await page.waitForFunction(
    () => globalThis.sources[0].byes.length === 1 && globalThis.sources[0].errors.length > 0,
  );
  const { byes, errors } = await page.evaluate(() => ({
    byes: globalThis.sources[0].byes,
    errors: globalThis.sources[0].errors,
  }));
  assert.equal(byes[0].reason, "drain");
  assert.ok(byes[0].retry_ms > 0);
  assert.ok(
    errors.every((state) => state === 0),
    "it is reconnecting, not closed",
  );
  const again = await startServer([], own.folder, `127.0.0.1:${own.port}`);
  t.after(() => again.stop());
  await again.register("welcome", 1);
  await allShow(page, 1);
  const { lastEventId, position } = await page.evaluate(() => globalThis.sources[0].counts.at(-1));
  assert.equal(lastEventId, position);
});

test("a browser's EventSource survives a refusal, and comes back when there is room", async (t) => {
  const own = await startServer(["--max-connections", "2"]);
  t.after(() => own.stop());
  const places = [1, 2].map(() => watch("sse", own.base, "welcome"));
  t.after(() => places.forEach(({ close }) => close()));
  for (const { sees } of places) await sees(0);
  // After them: a browser holds connections of its own in reserve.
  const page = await bare(t, own.base);
  await follow(page, "welcome");
  await page.waitForFunction(() => globalThis.sources[0].byes.length > 0, null, {
    timeout: 30_000,
  });
  assert.equal(await page.evaluate(() => globalThis.sources[0].byes[0].reason), "limit");
  assert.notEqual(
    await page.evaluate(() => globalThis.sources[0].source.readyState),
    2,
    "it has not given up",
  );
  places.forEach(({ close }) => close());
  await allShow(page, 0);
});

test("eight EventSources: six connect at once over HTTP/1.1, and each of those receives changes", async (t) => {
  await event("eight");
  const page = await bare(t, server.base);
  await follow(page, "eight", 8);
  await page.waitForFunction(
    () => globalThis.sources.filter(({ counts }) => counts.length).length === 6,
  );
  await server.register("eight", 1);
  await page.waitForFunction(
    () => globalThis.sources.filter(({ counts }) => counts.at(-1)?.registered === 1).length === 6,
  );
  // The browser opens the others when there is room.
  await page.evaluate(() =>
    globalThis.sources
      .filter(({ counts }) => counts.length)
      .slice(0, 2)
      .forEach(({ source }) => source.close()),
  );
  await page.waitForFunction(() =>
    globalThis.sources.every(({ counts }) => counts.at(-1)?.registered === 1),
  );
});

test("npm's eventsource resumes with Last-Event-ID", async (t) => {
  const own = await startServer();
  const sent = [];
  const source = new EventSource(`${own.base}/api/v1/events/welcome/stream`, {
    fetch: (url, init) => {
      sent.push(init.headers["Last-Event-ID"]);
      return fetch(url, init);
    },
  });
  t.after(() => source.close());
  const counts = [];
  source.addEventListener("count", ({ data }) => counts.push(JSON.parse(data)));
  await until("the first count", () => counts.length === 1);
  await own.register("welcome", 1);
  await until("a change", () => counts.at(-1).registered === 1);
  const { position } = counts.at(-1);
  const received = counts.length;
  await own.stop(true);
  const again = await startServer([], own.folder, `127.0.0.1:${own.port}`);
  t.after(() => again.stop());
  await until("it came back", () => sent.at(-1) === position && sent.length > 1);
  const next = await again.register("welcome", 2);
  await until("the change after it", () => counts.at(-1).position === next.position);
  assert.equal(counts.length, received + 1, "what it knew was not repeated");
});

/** One call of the README: curl's answer with its head. */
async function curl(...args) {
  const { code, out, err } = await run("curl", ["-sS", "-i", "--max-time", "30", ...args]);
  assert.equal(code, 0, err);
  const [head, ...body] = out.split("\r\n\r\n");
  const headers = new Map(
    head
      .split("\r\n")
      .slice(1)
      .map((line) => line.split(/: (.*)/s, 2))
      .map(([name, value]) => [name.toLowerCase(), value]),
  );
  return {
    status: Number(head.split(" ")[1]),
    headers,
    json: () => JSON.parse(body.join("\r\n\r\n")),
  };
}

/** curl following a stream. */
function curlStream(t, ...args) {
  const program = start("curl", ["-sSN", ...args]);
  // What nobody reads any more must not keep it from closing.
  const stop = () => {
    program.child.stdout.destroy();
    return program.stop();
  };
  t.after(stop);
  const events = blocks(program.child.stdout);
  const next = async (kind) => {
    for (;;) {
      const late = setTimeout(() => program.child.kill(), 30_000);
      const { value, done } = await events.next();
      clearTimeout(late);
      assert.ok(!done, `the stream ended, or was silent, before ${kind}`);
      if (value.event === kind) return { id: value.id, ...JSON.parse(value.data) };
    }
  };
  return { next, stop };
}

test("curl: the README's calls", async (t) => {
  await event("curled");
  const at = `${server.base}/api/v1/events/curled`;
  const json = ["-H", "Content-Type: application/json"];
  const body = ["-d", '{"name":"Ada Lovelace","email":"ada@example.org"}'];

  const before = await curl(at);
  assert.equal(before.status, 200);
  const stream = curlStream(t, `${at}/stream`);
  assert.equal((await stream.next("count")).registered, 0);

  const made = await curl(`${at}/registrations`, ...json, "-H", "Idempotency-Key: one", ...body);
  assert.equal(made.status, 201);
  const replayed = await curl(
    `${at}/registrations`,
    ...json,
    "-H",
    "Idempotency-Key: one",
    ...body,
  );
  assert.equal(replayed.headers.get("idempotency-replayed"), "true");
  assert.deepEqual(replayed.json(), made.json());
  const { position, token } = made.json();
  assert.deepEqual((await stream.next("count")).id, position);

  const etag = (await curl(at)).headers.get("etag");
  assert.equal(etag, `"${position}"`);
  assert.equal((await curl(at, "-H", `If-None-Match: ${etag}`)).status, 304);
  // One that waits is answered by the change: it cannot have been before it.
  const waiting = curl(at, "-H", `If-None-Match: ${etag}`, "-H", "Prefer: wait=25");
  const early = await Promise.race([
    waiting,
    server.organise("GET", "/events").then(() => "it waits"),
  ]);
  assert.equal(early, "it waits");
  const second = await server.register("curled", 2);
  const answered = await waiting;
  assert.equal(answered.status, 200);
  assert.equal(answered.json().position, second.position);
  // Nothing changes: a whole wait.
  const unchanged = await curl(`${at}?after=${second.position}&wait=1`);
  assert.equal(unchanged.status, 304);
  assert.equal(unchanged.headers.get("preference-applied"), "wait=1");

  assert.equal((await stream.next("count")).id, second.position);
  await stream.stop();
  const third = await server.register("curled", 3);
  const resumed = curlStream(t, `${at}/stream`, "-H", `Last-Event-ID: ${second.position}`);
  assert.equal((await resumed.next("count")).id, third.position);

  const log = (await curl(`${at}/changes?after=${before.json().position}&limit=100`)).json();
  assert.deepEqual(
    log.changes.map(({ kind, registered }) => [kind, registered]),
    [
      ["registered", 1],
      ["registered", 2],
      ["registered", 3],
    ],
  );
  assert.equal(log.position, third.position);
  const changes = curlStream(
    t,
    `${at}/changes?after=${before.json().position}`,
    "-H",
    "Accept: text/event-stream",
  );
  for (const registered of [1, 2, 3])
    assert.equal((await changes.next("change")).registered, registered);

  assert.equal(
    (await curl(`${server.base}/api/v1/registrations/${token}`)).json().status,
    "confirmed",
  );
  assert.equal(
    (await curl("-X", "DELETE", `${server.base}/api/v1/registrations/${token}`)).status,
    200,
  );
  assert.equal((await resumed.next("count")).registered, 2);

  const auth = ["-H", `Authorization: Bearer ${TOKEN}`, ...json];
  assert.equal((await curl("-X", "PATCH", at, ...auth, "-d", '{"capacity":120}')).status, 200);
  assert.equal((await resumed.next("count")).capacity, 120);
  assert.equal(
    (await curl(`${at}/reset`, ...auth, "-d", '{"confirm":"curled","capacity":80}')).status,
    200,
  );
  const reset = await resumed.next("count");
  assert.deepEqual([reset.round, reset.registered, reset.capacity], [2, 0, 80]);
  assert.equal((await curl("-X", "POST", `${at}/reset/undo`, ...auth)).status, 200);
  assert.deepEqual(
    (({ registered, capacity }) => [registered, capacity])(await resumed.next("count")),
    [2, 120],
  );
  assert.equal(
    (await curl(`${at}/announcements`, ...auth, "-d", '{"text":"Doors open at 18:00"}')).status,
    201,
  );
  assert.equal((await resumed.next("notice")).text, "Doors open at 18:00");
  assert.equal((await curl("-X", "DELETE", `${at}?confirm=curled`, ...auth)).status, 204);
  assert.equal((await resumed.next("bye")).reason, "deleted");
});

const PYTHON = `
import http.client, json, sys
connection = http.client.HTTPConnection(sys.argv[1], timeout=30)
connection.request("GET", sys.argv[2], headers={"Accept": "text/event-stream"})
answer = connection.getresponse()
assert answer.status == 200 and answer.headers.get_content_type() == "text/event-stream", answer.status
event = None
while line := answer.readline():
    name, _, value = line.decode().rstrip("\\n").partition(": ")
    if name == "event":
        event = value
    elif name == "data" and event == "count":
        print(json.loads(value)["registered"], flush=True)
        if json.loads(value)["registered"] == 2:
            break
`;

test("Python's standard library follows the stream", async (t) => {
  await event("python");
  const program = start("python3", [
    "-c",
    PYTHON,
    new URL(server.base).host,
    "/api/v1/events/python/stream",
  ]);
  t.after(() => program.stop());
  await until("the first count", () => program.written.out === "0\n", { program });
  await server.register("python", 1);
  await until("the first change", () => program.written.out === "0\n1\n", { program });
  await server.register("python", 2);
  const { code, out, err } = await program.ended;
  assert.equal(code, 0, err);
  assert.equal(out, "0\n1\n2\n");
});
