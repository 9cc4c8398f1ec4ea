// What a visit costs over the network, and the keys of the console.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORD, complaints, says, startBrowser, startServer } from "./support.mjs";

const FIRST_BYTES = 60_000; // the event's page with everything it loads
const AGAIN_BYTES = 8_000;

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
  await server.organise("POST", "/events", { slug: "gala", title: "Spring gala", capacity: 100 });
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Counts what came over the network, heads included. What is in the cache costs nothing. */
async function meter(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  const spent = new Map();
  session.on("Network.responseReceived", ({ requestId, response }) => {
    if (!response.fromDiskCache) spent.set(requestId, response.encodedDataLength);
  });
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (spent.has(requestId)) spent.set(requestId, encodedDataLength);
  });
  return () => [...spent.values()].reduce((sum, bytes) => sum + bytes, 0);
}

test("a first visit takes at most 60 kB, and another one at most 8 kB", async () => {
  const context = await browser.newContext();
  const visit = async () => {
    const page = await context.newPage();
    const bytes = await meter(page);
    await page.goto(`${server.base}/e/gala`, { waitUntil: "load" });
    await says(page, "live", "polling");
    // The last that a page asks for by itself: what time it is.
    await page.waitForFunction(
      () =>
        performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/clock"))
          .length >= 3,
    );
    const spent = bytes();
    await page.close();
    return spent;
  };
  const [first, again] = [await visit(), await visit()];
  console.log(`# first visit ${first} bytes, another ${again} bytes`);
  assert.ok(first > 5_000 && first <= FIRST_BYTES, `first ${first}`);
  assert.ok(again > 500 && again <= AGAIN_BYTES, `again ${again}`);
  await context.close();
});

test("a stream is never compressed, and neither is a page with a secret", async () => {
  const { token } = await server.register("gala", 1);
  const coding = async (path, accept = "text/html") => {
    const stop = new AbortController();
    const headers = { accept, "accept-encoding": "gzip" };
    const answer = await fetch(server.base + path, { headers, signal: stop.signal });
    assert.equal(answer.status, 200, path);
    stop.abort();
    return answer.headers.get("content-encoding");
  };
  assert.equal(await coding("/e/gala"), "gzip");
  assert.equal(await coding("/assets/js/site.js", "*/*"), "gzip");
  assert.equal(await coding(`/r/${token}`), null);
  assert.equal(await coding("/api/v1/events/gala/stream", "text/event-stream"), null);
  assert.equal(await coding("/api/v1/events/gala/frame"), null);
});

test("keys open the tabs, but never from a field, and can be turned off", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const found = complaints(page);
  await page.goto(`${server.base}/admin/login`);
  await page.locator("input[type=password]").fill(PASSWORD);
  await page.locator("form button[type=submit]").first().click();
  await page.waitForURL(/\/admin$/);
  const open = async (path) => {
    await page.goto(`${server.base}/admin/events/gala${path}`);
    await page.locator("[data-keys-open]:not([hidden])").waitFor();
  };
  await open("");
  await page.keyboard.press("2");
  await page.waitForURL(/\/people$/);
  await page.locator("[data-keys-open]:not([hidden])").waitFor();
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.id), "q");
  await page.keyboard.type("2?n");
  assert.equal(await page.locator("#q").inputValue(), "2?n");
  await open("/people");
  await page.keyboard.press("?");
  const help = page.locator("[data-keys]");
  await help.waitFor();
  await page.keyboard.press("2"); // under the help nothing happens
  await page.locator("[data-keys-switch]").uncheck();
  await page.keyboard.press("Escape");
  await help.waitFor({ state: "hidden" });
  await page.keyboard.press("?");
  await page.keyboard.press("1");
  assert.equal(await help.isVisible(), false);
  assert.match(page.url(), /\/people$/);
  // A heading sorts the list, and says so.
  await page.getByRole("columnheader", { name: "Name" }).getByRole("link").click();
  await page.waitForURL(/sort=name/);
  await page.locator("th[aria-sort=ascending]").getByText("Name").waitFor();
  assert.deepEqual(found, []);
  await context.close();
});
