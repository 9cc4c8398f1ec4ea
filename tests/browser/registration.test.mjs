// A visitor's own registration in a real browser: every page that shows it says what it is now.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { mayConcern, standingOf } from "../../web/js/own-registration.js";
import { startBrowser, startServer } from "./support.mjs";

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const event = (slug, more = {}) =>
  server.organise("POST", "/events", { slug, title: slug, capacity: 5, ...more });

async function fill(page, name, email) {
  await page.getByLabel("Name").fill(name);
  await page.getByLabel(/mail/i).fill(email);
  await page.locator("[data-register-button]").click();
}

const status = (page, wanted) =>
  page.waitForSelector(`[data-registration][data-status=${wanted}]`, { timeout: 20_000 });

test("register, cancel, Back, register: the page never shows a place that does not exist", async () => {
  await event("back");
  for (const javaScriptEnabled of [true, false]) {
    const email = `back-${javaScriptEnabled}@example.org`;
    const context = await browser.newContext({ javaScriptEnabled });
    const page = await context.newPage();
    await page.goto(`${server.base}/e/back`);
    const key = await page.locator("[name=idempotency_key]").inputValue();
    await fill(page, "Ada", email);
    if (javaScriptEnabled) await page.locator("[data-result-link]").click();
    await page.waitForURL(/\/r\//);
    await page.locator("[data-cancel] > summary").click();
    await page.locator("[data-cancel] button[type=submit]").click();
    await page.waitForSelector("[data-status=cancelled]");
    // As Back leaves the page: the form that was sent before, with its key.
    await page.goto(`${server.base}/e/back`);
    await page.locator("[name=idempotency_key]").evaluate((field, old) => {
      field.value = old;
    }, key);
    await fill(page, "Ada", email);
    if (javaScriptEnabled) {
      await page.waitForSelector("[data-form-summary]:not([hidden])");
      assert.match(await page.locator("[data-form-summary]").innerText(), /was cancelled/);
      assert.equal(await page.getByLabel("Name").inputValue(), "Ada");
      assert.equal(await page.locator("[data-result]").isVisible(), false);
      await page.locator("[data-register-button]").click();
      await page.waitForSelector("[data-result]:not([hidden])");
      assert.match(await page.locator("[data-result-status]").innerText(), /You have a place/);
    } else {
      await page.waitForURL(/\/r\//);
      assert.match(await page.locator("h1").innerText(), /is cancelled/);
    }
    await context.close();
  }
});

test("the answer to a registration shows its later changes", async () => {
  await event("follow");
  const page = await browser.newPage();
  await page.goto(`${server.base}/e/follow`);
  await fill(page, "Ada", "ada@example.org");
  await page.waitForSelector("[data-result]:not([hidden])");
  await server.organise("POST", "/events/follow/reset", { confirm: "follow" });
  await page.waitForSelector("[data-result][data-status=archived]");
  await server.organise("POST", "/events/follow/reset/undo");
  await page.waitForSelector("[data-result][data-status=confirmed]");
  const { registrations } = await server.organise("GET", "/events/follow/registrations");
  await server.organise("DELETE", `/events/follow/registrations/${registrations[0].id}`);
  await page.waitForSelector("[data-result][data-status=cancelled]");
  assert.doesNotMatch(await page.locator("[data-result]").innerText(), /You have a place/);
  await page.close();
});

test("an open private page says that its round is over, is back, or that its event is gone", async () => {
  await event("private");
  const { token } = await server.register("private", 1);
  const page = await browser.newPage();
  await page.goto(`${server.base}/r/${token}`);
  await status(page, "confirmed");
  const main = page.locator(".stub-main");
  assert.match(await main.innerText(), /at the entrance/);
  await server.organise("POST", "/events/private/reset", { confirm: "private" });
  await status(page, "archived");
  assert.doesNotMatch(await main.innerText(), /at the entrance/);
  assert.equal(await page.locator("[data-cancel]").isVisible(), false);
  await page.reload();
  await status(page, "archived");
  await server.organise("POST", "/events/private/reset/undo");
  await status(page, "confirmed");
  assert.match(await main.innerText(), /at the entrance/);
  await server.organise("DELETE", "/events/private?confirm=private");
  await status(page, "gone");
  assert.match(await main.innerText(), /has been deleted/);
  assert.doesNotMatch(await main.innerText(), /at the entrance/);
  await page.reload();
  assert.match(await page.locator("main").innerText(), /has been deleted/);
  await page.close();
});

test("a waiting person leaves the waiting list, and a registered one gives up the place", async () => {
  await event("waits", { capacity: 1, waitlist: true });
  await server.register("waits", 1);
  const { token } = await server.register("waits", 2);
  const page = await browser.newPage();
  await page.goto(`${server.base}/r/${token}`);
  await status(page, "waiting");
  const cancel = page.locator("[data-cancel]");
  await cancel.locator("summary").click();
  assert.match(await cancel.innerText(), /Leave the waiting list/);
  assert.doesNotMatch(await cancel.innerText(), /place/);
  // Promoted meanwhile: now it is about a place.
  await server.organise("PATCH", "/events/waits", { capacity: 2 });
  await status(page, "confirmed");
  assert.match(await cancel.innerText(), /Your place goes/);
  assert.doesNotMatch(await cancel.innerText(), /waiting list/);
  await server.organise("PATCH", "/events/waits", { capacity: 1 });
  await cancel.locator("button[type=submit]").click();
  await page.waitForSelector("[data-status=cancelled]");
  assert.doesNotMatch(await page.locator(".stub-detail").innerText(), /place has gone/);
  await page.close();
});

test("a filled trap is emptied and explained, and the next attempt registers", async () => {
  await event("trap");
  for (const javaScriptEnabled of [true, false]) {
    const context = await browser.newContext();
    const page = await context.newPage();
    if (!javaScriptEnabled) await page.route("**/assets/js/**", (route) => route.abort());
    await page.goto(`${server.base}/e/trap`);
    // As an autofill does it.
    await page.locator("[name=website]").evaluate((field) => {
      field.value = "https://ada.example";
    });
    await fill(page, "Ada", `trap-${javaScriptEnabled}@example.org`);
    await page.waitForSelector("[data-form-summary]:not([hidden])");
    assert.match(await page.locator("[data-form-summary]").innerText(), /once more/);
    await page.locator("[data-register-button]").click();
    await page.waitForSelector(javaScriptEnabled ? "[data-result]:not([hidden])" : ".stub");
    await context.close();
  }
});

test("a standing is the status, unless the round is over", () => {
  const count = { round: 2, registered: 3 };
  assert.equal(standingOf({ status: "confirmed", round: 2 }, count), "confirmed");
  assert.equal(standingOf({ status: "waiting", round: 1 }, count), "archived");
  assert.equal(standingOf({ status: "cancelled", round: 1 }, count), "cancelled");
  const waiting = { status: "waiting", round: 2 };
  const confirmed = { status: "confirmed", round: 2 };
  assert.equal(mayConcern(waiting, count, { round: 2, registered: 2 }), true);
  assert.equal(mayConcern(confirmed, count, { round: 2, registered: 2 }), false);
  assert.equal(mayConcern(confirmed, count, { round: 2, registered: 4 }), true);
  assert.equal(mayConcern(confirmed, count, { round: 1, registered: 3 }), true);
  assert.equal(mayConcern({ status: "cancelled", round: 2 }, count, { round: 1 }), false);
});
