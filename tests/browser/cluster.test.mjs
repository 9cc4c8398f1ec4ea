// The whole topology of docker-compose.yml without Docker: scripts/cluster with a real Postgres,
// two nodes and the real Caddy.
import assert from "node:assert/strict";
import https from "node:https";
import { after, before, test } from "node:test";
import { io } from "socket.io-client";
import { binary } from "./support.mjs";
import { freePort, start, until } from "./processes.mjs";
import { ask, watch } from "./watchers.mjs";

const TOKEN = "a-token-for-the-cluster";
let cluster;
let balancer;
let nodes;
let metrics;

before(async () => {
  const [port, postgres, ...own] = await Promise.all(Array.from({ length: 6 }, freePort));
  [nodes, metrics] = [own.slice(0, 2), own.slice(2)];
  cluster = start(new URL("../../scripts/cluster", import.meta.url).pathname, [], {
    env: {
      ...process.env,
      CLUSTER_PORT: port,
      CLUSTER_NODES: nodes.join(" "),
      CLUSTER_METRICS: metrics.join(" "),
      CLUSTER_POSTGRES_PORT: postgres,
      HEADCOUNT_BIN: binary,
      HEADCOUNT_ADMIN_TOKEN: TOKEN,
      HEADCOUNT_DRAIN: "500ms",
    },
  });
  await until("the cluster is up", () => cluster.written.out.includes("Ctrl-C"), {
    program: cluster,
    within: 60_000,
  });
  balancer = `https://localhost:${port}`;
  nodes = nodes.map((own) => `http://127.0.0.1:${own}`);
});
after(async () => {
  // Ctrl-C, and a drain of every node: longer than the usual end of a program.
  cluster?.child.kill("SIGINT");
  const ended = await cluster?.ended;
  assert.equal(ended?.code, 0, ended?.err);
});

async function organise(slug) {
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  const made = await ask(`${balancer}/api/v1/events`, {
    method: "POST",
    headers,
    body: JSON.stringify({ slug, title: slug, capacity: 100 }),
  });
  assert.equal(made.status, 201, made.text);
  // A node hears of a new event within a second or so.
  for (const node of nodes)
    await until(
      `${node} knows ${slug}`,
      async () => (await ask(`${node}/api/v1/events/${slug}`)).status === 200,
    );
}

async function register(slug, n) {
  const body = JSON.stringify({ name: `Person ${n}`, email: `person-${n}@example.org` });
  const made = await ask(`${balancer}/api/v1/events/${slug}/registrations`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  assert.equal(made.status, 201, made.text);
  assert.ok(
    made.json().links.page.startsWith("/r/") || made.json().links.page.startsWith(`${balancer}/r/`),
    made.text,
  );
}

test("a registration through the balancer is seen at both nodes and through the balancer, by every transport", async (t) => {
  await organise("all");
  const watchers = [balancer, ...nodes].flatMap((base) =>
    ["sse", "websocket", "long-poll", "socket.io websocket"].map((transport) => ({
      base,
      ...watch(transport, base, "all"),
    })),
  );
  t.after(() => watchers.forEach(({ close }) => close()));
  await Promise.all(watchers.map(({ sees }) => sees(0)));
  for (let n = 1; n <= 3; n += 1) {
    const began = performance.now();
    await register("all", n);
    const took = await Promise.all(watchers.map(async ({ sees }) => (await sees(n)) - began));
    t.diagnostic(
      `the slowest of ${watchers.length} watchers: ${Math.round(Math.max(...took))} ms from the request on`,
    );
  }
});

test("Socket.IO polling stays on its node, whichever that is", async (t) => {
  await organise("polled");
  // Several addresses, so that both nodes are chosen; several requests a session, which a balancer
  // without memory would scatter.
  const latest = new Map();
  const sockets = Array.from({ length: 8 }, (_, n) => {
    const agent = new https.Agent({
      localAddress: `127.0.0.${n + 2}`,
      family: 4,
      rejectUnauthorized: false,
    });
    const socket = io(balancer, {
      transports: ["polling"],
      upgrade: false,
      forceNew: true,
      reconnection: false,
      agent,
      rejectUnauthorized: false,
      auth: { event: "polled" },
    });
    socket
      .on("count", ({ registered }) => latest.set(n, registered))
      .on("connect_error", (error) => latest.set(n, error))
      .on("disconnect", (why) => latest.set(n, new Error(why)));
    return socket;
  });
  t.after(() => sockets.forEach((socket) => socket.disconnect()));
  const all = (registered) =>
    until(`all ${sockets.length} see ${registered}`, () => {
      for (const value of latest.values()) if (value instanceof Error) assert.fail(value.message);
      return (
        latest.size === sockets.length &&
        [...latest.values()].every((value) => value === registered)
      );
    });
  await all(0);
  for (let n = 1; n <= 5; n += 1) {
    await register("polled", n);
    await all(n);
  }
  const watching = await Promise.all(
    metrics.map(async (port) => {
      const { text } = await ask(`http://127.0.0.1:${port}/metrics`);
      return Number(/^headcount_watchers\{transport="socketio"\} (\S+)/m.exec(text)?.[1] ?? 0);
    }),
  );
  t.diagnostic(`Socket.IO sessions at the nodes: ${watching.join(" and ")}`);
  assert.equal(watching[0] + watching[1], sockets.length);
});
