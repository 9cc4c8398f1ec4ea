// A page says "live" only while it is: silence, a network that is away, tabs that hang, clocks that
// jump, six connections.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startCable } from "./cable.mjs";
import { says, shows, startBrowser, startServer } from "./support.mjs";

const HEARTBEAT_MS = 1_000;
const SILENCE_MS = 20_000;

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([
    startBrowser(),
    startServer(["--heartbeat", `${HEARTBEAT_MS}ms`]),
  ]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const event = (slug) => server.organise("POST", "/events", { slug, title: slug, capacity: 100 });

async function openPage(t, url, options = {}) {
  const context = options.context ?? (await browser.newContext());
  if (!options.context) t.after(() => context.close());
  const page = await context.newPage();
  if (options.before) await page.addInitScript(options.before);
  await page.goto(url);
  return page;
}

test("a silent line is reported within 20 s of the missed heartbeat, and recovers by itself", async (t) => {
  await event("silent");
  const cable = await startCable(server.port);
  t.after(() => cable.close());
  const page = await openPage(t, `${cable.base}/e/silent`);
  await says(page, "live");
  const from = performance.now();
  cable.silence();
  await says(page, "reconnecting", "stale");
  const took_ms = performance.now() - from;
  assert.ok(took_ms <= HEARTBEAT_MS + SILENCE_MS, `${took_ms} ms`);
  cable.mend();
  await server.register("silent", 1);
  await says(page, "live");
  await shows(page, 1);
});

test("a page is live again within seconds after a long outage, by push and not by asking", async (t) => {
  await event("outage");
  const cable = await startCable(server.port);
  t.after(() => cable.close());
  const page = await openPage(t, `${cable.base}/e/outage`);
  await openPage(t, `${server.base}/e/outage`);
  await page.locator("[data-live-watching]").waitFor({ state: "visible" });
  await says(page, "live");
  cable.cut();
  await page.waitForSelector("[data-live][data-mode=stale]", { timeout: 60_000 });
  const fact = page.locator("[data-count-places]");
  const weight = () => fact.evaluate((element) => getComputedStyle(element).fontWeight);
  assert.equal(await weight(), "400", "places that may be taken by now are not emphasised");
  // How many are watching is not known any more.
  assert.equal(await page.locator("[data-live-watching]").isVisible(), false);
  await sleep(10_000);
  const from = performance.now();
  cable.mend();
  await page.waitForSelector("[data-live][data-mode=live]", { timeout: 60_000 });
  const took_ms = performance.now() - from;
  assert.ok(took_ms < 12_000, `${took_ms} ms`);
});

test("a single dead line is detected and replaced", async (t) => {
  await event("half");
  const cable = await startCable(server.port);
  t.after(() => cable.close());
  const page = await openPage(t, `${cable.base}/e/half`);
  await says(page, "live");
  cable.silenceOnly("/stream");
  await server.register("half", 1);
  await shows(page, 1);
});

test("a page shows at once that its device is offline, and reconnects at once", async (t) => {
  await event("offline");
  const page = await openPage(t, `${server.base}/e/offline`);
  await says(page, "live");
  await page.context().setOffline(true);
  const from = performance.now();
  await says(page, "reconnecting", "stale");
  assert.ok(performance.now() - from < 1_500, "before any timeout");
  await server.register("offline", 1);
  await page.context().setOffline(false);
  await says(page, "live");
  await shows(page, 1);
});

test("a follower takes over from a leading tab that hangs", async (t) => {
  await event("hangs");
  const context = await browser.newContext();
  t.after(() => context.close());
  const first = await openPage(t, `${server.base}/e/hangs`, { context });
  await says(first, "live");
  const second = await openPage(t, `${server.base}/e/hangs`, { context });
  await says(second, "live");
  // An open dialog stops every script of the tab.
  first.on("dialog", () => {});
  const hung = first.evaluate(() => globalThis.alert("wait")).catch(() => {});
  await server.register("hangs", 1);
  await shows(second, 1);
  await server.register("hangs", 2);
  await shows(second, 2);
  await says(second, "live");
  await first.close();
  await hung;
});

test("a device clock that jumps changes neither the age nor the mode", async (t) => {
  await event("clock");
  const page = await openPage(t, `${server.base}/e/clock`, {
    before: () => {
      const real = Date.now;
      globalThis.jump = 0;
      Date.now = () => real() + globalThis.jump;
    },
  });
  await says(page, "live");
  await server.register("clock", 1);
  await shows(page, 1);
  for (const jump of [3_600_000, -7_200_000]) {
    await page.evaluate((ms) => {
      globalThis.jump = ms;
    }, jump);
    await page.waitForFunction(() => {
      const { mode } = document.querySelector("[data-live]").dataset;
      return mode === "live" && /\ds/.test(document.querySelector("[data-live-text]").textContent);
    });
  }
});

/** Says that the page is hidden or seen: a headless browser shows every page. */
const look = (page, state) =>
  page.evaluate((visibility) => {
    Object.defineProperty(document, "visibilityState", { value: visibility, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, state);

test("a hidden tab closes its stream, and is right when it is visible again", async (t) => {
  await event("hidden");
  const cable = await startCable(server.port);
  t.after(() => cable.close());
  const page = await openPage(t, `${cable.base}/e/hidden`);
  await says(page, "live");
  await look(page, "hidden");
  await says(page, "connecting");
  await server.register("hidden", 1);
  await look(page, "visible");
  await says(page, "live");
  await shows(page, 1);
});

/** Runs `work` and gives how long it took. */
async function timed(work) {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

for (const [name, base, urls] of [
  ["six events", (port) => `http://127.0.0.1:${port}`, (n) => `/e/many-${n}`],
  [
    "one event over plain HTTP by name",
    (port) => `http://headcount.test:${port}`,
    () => "/e/many-0",
  ],
  [
    "the list and the comparison",
    (port) => `http://127.0.0.1:${port}`,
    (n) => (n % 2 ? "/e/many-0/compare" : "/"),
  ],
])
  test(`seven open tabs of ${name} block neither the next page nor a registration`, async (t) => {
    for (let n = 0; n < 7; n += 1) await event(`many-${n}`).catch(() => {});
    const named = await startBrowser(["--host-resolver-rules=MAP headcount.test 127.0.0.1"]);
    t.after(() => named.close());
    const context = await named.newContext();
    const origin = base(server.port);
    for (let n = 0; n < 7; n += 1) {
      const page = await context.newPage();
      await page.goto(origin + urls(n), { timeout: 15_000 });
    }
    const page = await context.newPage();
    const opened_ms = await timed(() => page.goto(`${origin}/e/many-6`, { timeout: 15_000 }));
    assert.ok(opened_ms < 5_000, `the next page took ${opened_ms} ms`);
    await page.getByLabel("Name").fill("Ada");
    await page.getByLabel(/mail/i).fill(`ada-${name.length}@example.org`);
    const wrote_ms = await timed(async () => {
      await page.locator('form[action$="/register"] button[type=submit]').click();
      await page.waitForURL(/\/r\//, { timeout: 15_000 });
    });
    assert.ok(wrote_ms < 5_000, `registering took ${wrote_ms} ms`);
    await says(page, "live", "polling");
  });
