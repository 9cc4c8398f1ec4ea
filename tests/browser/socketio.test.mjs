// The real Socket.IO client against the real server: over polling, over WebSocket, and through the upgrade.
import assert from "node:assert/strict";
import { get } from "node:http";
import { after, before, test } from "node:test";
import { io } from "socket.io-client";
import { startServer } from "./support.mjs";

const statusOnNewConnection = (url) =>
  new Promise((resolve, reject) => {
    get(url, { agent: false }, (answer) => {
      answer.resume().once("end", () => resolve(answer.statusCode));
    }).once("error", reject);
  });

const WAYS = [
  { name: "polling", transports: ["polling"], ends: "polling" },
  { name: "websocket", transports: ["websocket"], ends: "websocket" },
  { name: "polling, then the upgrade", transports: ["polling", "websocket"], ends: "websocket" },
];
const WITHIN_MS = 30_000;

let server;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());

/** A client that records what it receives; `nth(event, n)` resolves with the n-th payload of an event. */
function connect(t, base, options) {
  const socket = io(base, {
    forceNew: true,
    reconnectionDelay: 100,
    reconnectionDelayMax: 300,
    ...options,
  });
  t.after(() => socket.disconnect());
  const received = new Map();
  const waiting = new Set();
  const record = (event, detail) => {
    received.set(event, [...(received.get(event) ?? []), detail]);

    for (const look of waiting) look();
  };
  socket.onAny(record);
  for (const event of ["connect", "disconnect", "connect_error"])
    socket.on(event, (detail) => record(event, detail));
  const nth = (event, n = 1) =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        waiting.delete(look);
        reject(
          new Error(
            `no ${event} (${n}.) within ${WITHIN_MS} ms; received: ${JSON.stringify([...received])}`,
          ),
        );
      }, WITHIN_MS);
      const look = () => {
        const found = received.get(event) ?? [];
        if (found.length < n) return;
        waiting.delete(look);
        clearTimeout(late);
        resolve(found[n - 1]);
      };
      waiting.add(look);
      look();
    });
  return { socket, nth, received: (event) => received.get(event) ?? [] };
}

for (const { name, transports, ends } of WAYS) {
  test(`${name}: the count at once, then every change`, async (t) => {
    const event = `count-${ends}-${transports.length}`;
    await server.organise("POST", "/events", { slug: event, title: "Count", capacity: 3 });
    const client = connect(t, server.base, { transports, auth: { event } });
    const first = await client.nth("count");
    const asked = await (await fetch(`${server.base}/api/v1/events/${event}`)).json();
    assert.deepEqual(first, asked, "the same object as everywhere");
    if (client.socket.io.engine.transport.name !== ends)
      await new Promise((resolve) => {
        client.socket.io.engine.once("upgrade", resolve);
      });
    assert.equal(client.socket.io.engine.transport.name, ends);
    const { position } = await server.register(event, 1);
    const second = await client.nth("count", 2);
    assert.equal(second.position, position);
    assert.equal(second.registered, 1);
  });

  test(`${name}: watch changes the event, and says when there is none`, async (t) => {
    const [one, two] = [`one-${ends}-${transports.length}`, `two-${ends}-${transports.length}`];
    for (const slug of [one, two])
      await server.organise("POST", "/events", { slug, title: slug, capacity: 3 });
    const client = connect(t, server.base, { transports, auth: { event: one } });
    await client.nth("count");
    assert.deepEqual(await client.socket.timeout(WITHIN_MS).emitWithAck("watch", "nowhere"), {
      ok: false,
      code: "event-not-found",
    });
    const ack = await client.socket.timeout(WITHIN_MS).emitWithAck("watch", two);
    assert.equal(ack.ok, true);
    assert.equal(ack.count.event, two);
    await server.register(one, 1);
    await server.register(two, 1);
    // The old event sends nothing more; the acknowledged count may come once more.
    for (let n = 2; ; n += 1) {
      const count = await client.nth("count", n);
      assert.equal(count.event, two);
      if (count.registered === 1) break;
    }
  });

  test(`${name}: an unknown event is a connect_error with its code`, async (t) => {
    const client = connect(t, server.base, { transports, auth: { event: "nowhere" } });
    const error = await client.nth("connect_error");
    assert.equal(error.data.code, "event-not-found");
    assert.equal(error.data.status, 404);
    assert.deepEqual(client.received("count"), []);
  });

  test(`${name}: resumes after a position`, async (t) => {
    const event = `resume-${ends}-${transports.length}`;
    await server.organise("POST", "/events", { slug: event, title: "Resume", capacity: 5 });
    const old = await (await fetch(`${server.base}/api/v1/events/${event}`)).json();
    const { position } = await server.register(event, 1);
    const behind = connect(t, server.base, { transports, auth: { event, after: old.position } });
    assert.equal((await behind.nth("count")).position, position);
    const current = connect(t, server.base, { transports, auth: { event, after: position } });
    await current.nth("connect");
    const next = await server.register(event, 2);
    assert.equal(
      (await current.nth("count")).position,
      next.position,
      "what it knew was not repeated",
    );
    for (const after of ["garbage", "zzzzzz-1", `${position.split("-")[0]}-999`]) {
      const lost = connect(t, server.base, { transports, auth: { event, after } });
      assert.equal((await lost.nth("count")).position, next.position, `after ${after}`);
    }
  });

  test(`${name}: receives the drain, and reconnects by itself`, async (t) => {
    const own = await startServer();
    const client = connect(t, own.base, { transports, auth: { event: "welcome" } });
    await client.nth("count");
    if (client.socket.io.engine.transport.name !== ends)
      await new Promise((resolve) => {
        client.socket.io.engine.once("upgrade", resolve);
      });
    // Who asks when the server has closed gets no event. A poll opens a connection of its own; when
    // connections opened after it are answered, the server has it.
    for (let n = 0; n < 5; n += 1)
      assert.equal(await statusOnNewConnection(`${own.base}/health/live`), 200);
    assert.equal(await own.stop(true), 0);
    const bye = await client.nth("bye");
    assert.equal(bye.reason, "drain");
    assert.ok(bye.retry_ms > 0);
    await client.nth("disconnect");
    const again = await startServer([], own.folder, `127.0.0.1:${own.port}`);
    t.after(() => again.stop());
    await client.nth("connect", 2);
    await client.nth("count", 2);
    const { position } = await again.register("welcome", 1);
    for (let n = 2; (await client.nth("count", n)).position !== position; n += 1);
  });
}
