// The real nginx and the real Caddy in front of a real server, with the configurations that deploy/
// recommends.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import http2 from "node:http2";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { freePort, newFolder, run, start, until } from "./processes.mjs";
import { says, shows, startBrowser, startServer } from "./support.mjs";
import { TRANSPORTS, ask, blocks, watch } from "./watchers.mjs";

// docs/protocol.md promises 500 ms through a proxy. A loaded machine must not fail the test; the
// figure is printed.
const BOUND_MS = 5_000;
const BEHIND = ["--trusted-proxies", "127.0.0.1"];

const folder = newFolder();
const running = [];
let browser;
let server;
let nginx;
let caddy;

/** The example with what an operator changes; a word that is not there any more fails. */
function filled(path, changes) {
  return changes.reduce(
    (text, [old, own]) => {
      assert.ok(text.includes(old), `${path} has no ${old}`);
      return text.replaceAll(old, own);
    },
    readFileSync(new URL(`../../${path}`, import.meta.url), "utf8"),
  );
}

const answers = (base, program) =>
  until(`${base} answers`, async () => (await ask(`${base}/health/live`)).status === 200, {
    program,
  });

async function startNginx(name, site, base) {
  const own = join(folder.path, name);
  const scratch = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${own}-${kind};`)
    .join("\n");
  writeFileSync(
    own,
    `pid ${own}.pid;\nerror_log stderr warn;\nevents {}\nhttp {\naccess_log off;\n${scratch}\n${site}\n}\n`,
  );
  // One process: as root the workers would be somebody else, who may not write here.
  const program = start("nginx", [
    "-p",
    folder.path,
    "-c",
    own,
    "-g",
    "daemon off; master_process off;",
  ]);
  running.push(program);
  await answers(base, program);
  return base;
}

async function startGoodNginx(name, upstream) {
  const port = await freePort();
  return startNginx(
    name,
    filled("deploy/nginx.conf", [
      ["listen 443 ssl", `listen 127.0.0.1:${port} ssl`],
      ["events.example.org;", "localhost;"],
      ["/etc/ssl/certs/events.example.org.pem", join(folder.path, "cert.pem")],
      ["/etc/ssl/private/events.example.org.key", join(folder.path, "key.pem")],
      ["127.0.0.1:8080", `127.0.0.1:${upstream}`],
    ]),
    `https://localhost:${port}`,
  );
}

async function startCaddy(upstream) {
  const port = await freePort();
  const file = join(folder.path, "Caddyfile");
  writeFileSync(
    file,
    filled("deploy/Caddyfile", [
      // Neither the ports of a whole machine nor its list of trusted certificates.
      ["admin off", "admin off\n\tauto_https disable_redirects\n\tskip_install_trust"],
      ["\nlocalhost {", `\nhttps://localhost:${port} {\n\tbind 127.0.0.1\n\ttls internal`],
      ["node-a:8080 node-b:8080", `127.0.0.1:${upstream}`],
    ]),
  );
  const program = start("caddy", ["run", "--config", file, "--adapter", "caddyfile"], {
    env: {
      ...process.env,
      HOME: folder.path,
      XDG_DATA_HOME: folder.path,
      XDG_CONFIG_HOME: folder.path,
    },
  });
  running.push(program);
  const base = `https://localhost:${port}`;
  await answers(base, program);
  return base;
}

before(async () => {
  const made = await run("openssl", [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-days",
    "2",
    "-subj",
    "/CN=localhost",
    "-addext",
    "subjectAltName=DNS:localhost",
    "-keyout",
    join(folder.path, "key.pem"),
    "-out",
    join(folder.path, "cert.pem"),
  ]);
  assert.equal(made.code, 0, made.err);
  [browser, server] = await Promise.all([startBrowser(), startServer(BEHIND)]);
  [nginx, caddy] = await Promise.all([
    startGoodNginx("nginx.conf", server.port),
    startCaddy(server.port),
  ]);
});
after(async () => {
  await browser?.close();
  await Promise.all(running.map((program) => program.stop()));
  await server?.stop();
  folder.remove();
});

/** Registers a person and returns how long each watcher waited for it, from before the request. */
async function delays(event, watchers, n, through) {
  const began = performance.now();
  const answer = await ask(`${through}/api/v1/events/${event}/registrations`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: `Person ${n}`, email: `person-${n}@example.org` }),
  });
  assert.equal(answer.status, 201, answer.text);
  return Promise.all(watchers.map(async ({ sees }) => (await sees(n)) - began));
}

for (const [name, proxy] of [
  ["no proxy", () => server.base],
  ["nginx", () => nginx],
  ["Caddy", () => caddy],
]) {
  test(`every transport is live through ${name}`, async (t) => {
    const base = proxy();
    const event = `live-${name.toLowerCase().replace(" ", "-")}`;
    await server.organise("POST", "/events", { slug: event, title: name, capacity: 100 });
    const watchers = TRANSPORTS.map((transport) => watch(transport, base, event));
    t.after(() => watchers.forEach(({ close }) => close()));
    await Promise.all(watchers.map(({ sees }) => sees(0)));
    const rounds = [];
    for (let n = 1; n <= 5; n += 1) rounds.push(await delays(event, watchers, n, base));
    for (const [index, { transport }] of watchers.entries()) {
      const own = rounds.map((round) => Math.round(round[index])).sort((a, b) => a - b);
      t.diagnostic(
        `${name}, ${transport}: median ${own[2]} ms, worst ${own[4]} ms from the request on`,
      );
      assert.ok(own[4] < BOUND_MS, `${transport} through ${name}: ${own[4]} ms`);
    }
  });
}

test("nginx as it comes, with buffers and HTTP/1.0 to the server, still streams", async (t) => {
  const port = await freePort();
  const base = await startNginx(
    "default.conf",
    `server {\nlisten 127.0.0.1:${port};\nlocation / { proxy_pass http://127.0.0.1:${server.port}; }\n}`,
    `http://127.0.0.1:${port}`,
  );
  await server.organise("POST", "/events", { slug: "buffered", title: "Buffered", capacity: 100 });
  // WebSocket needs HTTP/1.1 to the server.
  const watchers = TRANSPORTS.filter((transport) => !transport.includes("websocket")).map(
    (transport) => watch(transport, base, "buffered"),
  );
  t.after(() => watchers.forEach(({ close }) => close()));
  await Promise.all(watchers.map(({ sees }) => sees(0)));
  for (const [index, ms] of (await delays("buffered", watchers, 1, base)).entries()) {
    t.diagnostic(`default nginx, ${watchers[index].transport}: ${Math.round(ms)} ms`);
    assert.ok(ms < BOUND_MS);
  }
});

for (const [name, proxy] of [
  ["nginx", () => nginx],
  ["Caddy", () => caddy],
]) {
  test(`HTTP/2 through ${name}: streams of one connection`, async (t) => {
    const event = `h2-${name.toLowerCase()}`;
    await server.organise("POST", "/events", { slug: event, title: "Two", capacity: 100 });
    const session = http2.connect(proxy(), { rejectUnauthorized: false });
    t.after(() => session.destroy());
    await once(session, "connect");
    assert.equal(session.alpnProtocol, "h2");
    // More than the six connections of HTTP/1.1.
    const streams = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const request = session.request({ ":path": `/api/v1/events/${event}/stream` });
        const [headers] = await once(request, "response");
        assert.equal(headers[":status"], 200);
        assert.equal(headers["content-type"], "text/event-stream");
        const events = blocks(request.setEncoding("utf8"));
        const count = async () => {
          for (;;) {
            const { value, done } = await events.next();
            assert.ok(!done);
            if (value.event === "count") return JSON.parse(value.data).registered;
          }
        };
        assert.equal(await count(), 0);
        return count;
      }),
    );
    const began = performance.now();
    await server.register(event, 1);
    assert.deepEqual(await Promise.all(streams.map((count) => count())), Array(8).fill(1));
    const ms = Math.round(performance.now() - began);
    t.diagnostic(`eight streams of one HTTP/2 connection through ${name}: ${ms} ms`);
    assert.ok(ms < BOUND_MS);
  });

  test(`the page in a browser through ${name}: HTTP/2, live, registers, WebSocket`, async (t) => {
    const event = `page-${name.toLowerCase()}`;
    await server.organise("POST", "/events", { slug: event, title: "Page", capacity: 100 });
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    t.after(() => context.close());
    const page = await context.newPage();
    await page.goto(`${proxy()}/e/${event}`);
    assert.equal(
      await page.evaluate(() => performance.getEntriesByType("navigation")[0].nextHopProtocol),
      "h2",
    );
    await says(page, "live");
    await server.register(event, 1);
    await shows(page, 1);
    // The form's Origin is the proxy's address, with its port.
    await page.getByLabel("Name").fill("Ada Lovelace");
    await page.getByLabel(/mail/i).fill("ada@example.org");
    await page.locator('form[action$="/register"] button[type=submit]').click();
    await page.waitForURL(/\/r\//);
    await shows(page, 2);
    const registered = await page.evaluate(
      (slug) =>
        new Promise((resolve, reject) => {
          const socket = new WebSocket(`wss://${location.host}/api/v1/events/${slug}/ws`);
          socket.onmessage = ({ data }) => {
            resolve(JSON.parse(data).data.registered);
            socket.close();
          };
          socket.onerror = () => reject(new Error("no WebSocket"));
        }),
      event,
    );
    assert.equal(registered, 2);
    // Links are what the visitor sees, not what the proxy asks.
    await page.waitForSelector('a[href*="/r/"]');
    const made = await ask(`${proxy()}/api/v1/events/${event}/registrations`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: "Grace", email: "grace@example.org" }),
    });
    assert.ok(
      made.json().links.page.startsWith(`${proxy()}/r/`) ||
        made.json().links.page.startsWith("/r/"),
      made.json().links.page,
    );
  });

  test(`behind ${name} limits count each visitor, and no forged header evades them`, async (t) => {
    const own = await startServer([...BEHIND, "--register-rate-per-ip", "2"]);
    t.after(() => own.stop());
    const base =
      name === "nginx" ? await startGoodNginx("limits.conf", own.port) : await startCaddy(own.port);
    let n = 0;
    const register = async (localAddress, invented) => {
      n += 1;
      const headers = {
        "content-type": "application/json",
        ...(invented && { "x-forwarded-for": invented }),
      };
      const body = JSON.stringify({ name: "A", email: `limit-${n}@example.org` });
      return (
        await ask(`${base}/api/v1/events/welcome/registrations`, {
          method: "POST",
          headers,
          body,
          localAddress,
          family: 4,
        })
      ).status;
    };
    assert.equal(await register("127.0.0.2"), 201);
    assert.equal(await register("127.0.0.2", "203.0.113.1"), 201);
    assert.equal(await register("127.0.0.2", "203.0.113.2"), 429);
    assert.equal(await register("127.0.0.3"), 201, "another visitor");
  });
}

test("a page behind nginx recovers by itself from a 502", async (t) => {
  const own = await startServer(BEHIND);
  let again;
  t.after(async () => {
    await again?.stop();
    await own.stop();
  });
  const base = await startGoodNginx("outage.conf", own.port);
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(`${base}/e/welcome`);
  await says(page, "live");
  const refused = page.waitForResponse(
    (answer) => answer.status() === 502 && answer.url().includes("/api/v1/"),
    { timeout: 30_000 },
  );
  await own.stop(true);
  await refused;
  await says(page, "reconnecting", "stale");
  again = await startServer(BEHIND, own.folder, `127.0.0.1:${own.port}`);
  const began = performance.now();
  await again.register("welcome", 1);
  await page.waitForFunction(
    () => document.querySelector("[data-count-registered]").textContent.trim() === "1",
    null,
    { timeout: 45_000 },
  );
  t.diagnostic(`right again ${Math.round(performance.now() - began)} ms after the server was back`);
});

test("nginx passes on everything that Headcount accepts, and leaves refusals to it", async () => {
  await server.organise("POST", "/events", { slug: "sizes", title: "Sizes", capacity: 100 });
  const register = (name) =>
    ask(`${nginx}/api/v1/events/sizes/registrations`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name, email: "ada@example.org" }),
    });
  // A visitor's body may have 16 KiB: the name is too long, which only Headcount says.
  const long = await register("a".repeat(15 * 1024));
  assert.deepEqual([long.status, long.json().code], [422, "validation-failed"]);
  // Over every limit of Headcount's, below nginx's.
  const large = await register("a".repeat(100 * 1024));
  assert.deepEqual([large.status, large.json().code], [413, "body-too-large"]);
  const head = (bytes) =>
    ask(`${nginx}/api/v1/events/sizes`, { headers: { "x-filler": "a".repeat(bytes) } });
  assert.equal((await head(15 * 1024)).status, 200);
  // Headcount's own refusal: nginx would say 400.
  assert.equal((await head(24 * 1024)).status, 431);
  const target = await ask(`${nginx}/api/v1/events/sizes?x=${"a".repeat(15 * 1024)}`);
  assert.equal(target.status, 200);
});
