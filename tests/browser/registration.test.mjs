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
      await page.locator("[data-register-button]").click();
      await page.waitForURL(/\/r\//);
      assert.match(await page.locator("h1").innerText(), /You have a place/);
    } else {
      await page.waitForURL(/\/r\//);
      assert.match(await page.locator("h1").innerText(), /is cancelled/);
    }
    await context.close();
  }
});

test("after registering the visitor is at the ticket, with and without JavaScript", async () => {
  await event("ticket", { capacity: 20 });
  for (const n of [1, 2]) await server.register("ticket", n);
  const { registrations } = await server.organise("GET", "/events/ticket/registrations");
  await server.organise("DELETE", `/events/ticket/registrations/${registrations[0].id}`);
  for (const [javaScriptEnabled, nth] of [
    [true, "3rd"],
    [false, "4th"],
  ]) {
    const context = await browser.newContext({ javaScriptEnabled });
    const page = await context.newPage();
    await page.goto(`${server.base}/e/ticket`);
    await fill(page, "Ada", `ticket-${javaScriptEnabled}@example.org`);
    await page.waitForURL(/\/r\/[^/]+$/);
    const main = await page.locator("main").innerText();
    for (const said of [/You have a place/, new RegExp(`${nth} to register`), /Ada/, /ticket/])
      assert.match(main, said);
    assert.match(await page.title(), /^You have a place · No\. \d · ticket$/);
    assert.equal(await page.locator(".stub-code svg").isVisible(), true, "a code of the page");
    assert.equal(await page.locator("[data-copy]").isVisible(), javaScriptEnabled);
    assert.equal(await page.locator("[data-print]").isVisible(), javaScriptEnabled);
    // On paper: one page, with the code and without the private address in clear text.
    await page.emulateMedia({ media: "print" });
    const paper = await page.locator("body").innerText();
    assert.doesNotMatch(paper, /\/r\//);
    for (const said of [/You have a place/, /Ada/, /ticket/]) assert.match(paper, said);
    assert.equal(await page.locator(".stub-code svg").isVisible(), true);
    const pdf = (await page.pdf({ format: "A4" })).toString("latin1");
    assert.equal(pdf.match(/\/Type \/Page\b/g).length, 1);
    await context.close();
  }
});

test("the event page remembers on this device who registered here, until that is over or forgotten", async () => {
  await event("device", { capacity: 5 });
  const context = await browser.newContext();
  const page = await context.newPage();
  const rows = page.locator("[data-own-list] li");
  const back = () => page.goto(`${server.base}/e/device`);
  const register = async (name) => {
    await back();
    await fill(page, name, `${name.toLowerCase()}@example.org`);
    await page.waitForURL(/\/r\//);
  };
  await back();
  assert.equal(await page.locator("[data-own]").isVisible(), false);
  await register("Ada");
  await register("Grace");
  await back();
  // A row says "Registered" until its standing is known.
  const known = (row) => row.filter({ hasText: "You have a place" }).waitFor();
  await known(rows.first());
  await known(rows.nth(1));
  assert.match(await rows.first().innerText(), /You have a place\s+No\. 1/);
  assert.equal(await page.locator("#register-heading").innerText(), "Register someone else");
  // Another device knows nothing of it.
  const other = await (await browser.newContext()).newPage();
  await other.goto(`${server.base}/e/device`);
  await other.waitForSelector("[data-live]:not([data-mode=still])");
  assert.equal(await other.locator("[data-own]").isVisible(), false);
  // A browser that only opens a private link does not remember it.
  const { token } = await server.register("device", 9);
  await other.goto(`${server.base}/r/${token}`);
  await status(other, "confirmed");
  await other.goto(`${server.base}/e/device`);
  await other.waitForSelector("[data-live]:not([data-mode=still])");
  assert.equal(await other.locator("[data-own]").isVisible(), false);
  // Cancelled by the organiser while the page is open.
  const { registrations } = await server.organise("GET", "/events/device/registrations");
  const id = registrations.find(({ name }) => name === "Ada").id;
  await server.organise("DELETE", `/events/device/registrations/${id}`);
  await rows.nth(1).waitFor({ state: "detached" });
  assert.match(await rows.first().innerText(), /No\. 2/);
  await page.reload();
  await rows.first().waitFor();
  assert.equal(await rows.count(), 1);
  // Archived by a reset.
  await server.organise("POST", "/events/device/reset", { confirm: "device" });
  await page.waitForSelector("[data-own]", { state: "hidden" });
  await page.waitForFunction(() => localStorage.getItem("tickets") === null);
  await register("Ada");
  await back();
  await rows.first().waitFor();
  await page.locator("[data-own-forget]").click();
  assert.equal(await page.locator("[data-own]").isVisible(), false);
  await page.waitForFunction(() => localStorage.getItem("tickets") === null);
  // Cancelled by the visitor.
  await register("Grace");
  await page.locator("[data-cancel] > summary").click();
  await page.locator("[data-cancel] button[type=submit]").click();
  await status(page, "cancelled");
  await page.waitForFunction(() => localStorage.getItem("tickets") === null);
  await context.close();
  await other.context().close();
});

test("a form that was sent before its script was loaded is remembered too", async () => {
  await event("early");
  const context = await browser.newContext();
  const page = await context.newPage();
  let loads = false;
  await page.route("**/js/form.js", (route) => (loads ? route.continue() : route.abort()));
  await page.goto(`${server.base}/e/early`);
  await page.getByLabel("Name").fill("Ada");
  await page.getByLabel(/mail/i).fill("early@example.org");
  await page.locator("#register").evaluate((form) => HTMLFormElement.prototype.submit.call(form));
  await page.waitForURL(/\/r\//);
  await page.waitForFunction(() => localStorage.getItem("tickets") !== null);
  loads = true;
  await page.goto(`${server.base}/e/early`);
  await page.locator("[data-own-list] li").first().waitFor();
  await context.close();
});

test("a promotion, a cancellation and a reset are announced on the ticket and in the tab's title", async () => {
  await event("news", { capacity: 1, waitlist: true });
  const first = await server.register("news", 1);
  const second = await server.register("news", 2);
  const page = await browser.newPage();
  const news = page.locator("[data-registration-news]");
  await page.goto(`${server.base}/r/${second.token}`);
  await status(page, "waiting");
  assert.match(await page.title(), /^You are on the waiting list · No\. 2 · news$/);
  assert.equal(await news.isVisible(), false);
  await fetch(`${server.base}/api/v1/registrations/${first.token}`, { method: "DELETE" });
  await status(page, "confirmed");
  assert.match(await news.innerText(), /a place has come free/);
  assert.match(await page.title(), /^You have a place · No\. 2 · news$/);
  assert.equal(await page.locator(".stub-code").count(), 1);
  await server.organise("POST", "/events/news/reset", { confirm: "news" });
  await status(page, "archived");
  assert.match(await news.innerText(), /new round/);
  assert.match(await page.title(), /^This registration is from an earlier round · /);
  await server.organise("POST", "/events/news/reset/undo");
  await status(page, "confirmed");
  assert.match(await news.innerText(), /counts again/);
  await server.organise("DELETE", `/events/news/registrations/${second.id}`);
  await status(page, "cancelled");
  assert.match(await news.innerText(), /cancelled/);
  assert.match(await page.title(), /^This registration is cancelled · /);
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
  assert.doesNotMatch(
    await page.locator("[data-registration-detail]").innerText(),
    /place has gone/,
  );
  await page.close();
});

test("a filled trap is emptied and explained, and the next attempt registers", async () => {
  await event("trap");
  for (const javaScriptEnabled of [true, false]) {
    const context = await browser.newContext();
    const page = await context.newPage();
    if (!javaScriptEnabled) await page.route("**/assets/**/js/**", (route) => route.abort());
    await page.goto(`${server.base}/e/trap`);
    // As an autofill does it.
    await page.locator("[name=website]").evaluate((field) => {
      field.value = "https://ada.example";
    });
    await fill(page, "Ada", `trap-${javaScriptEnabled}@example.org`);
    await page.waitForSelector("[data-form-summary]:not([hidden])");
    assert.match(await page.locator("[data-form-summary]").innerText(), /once more/);
    await page.locator("[data-register-button]").click();
    await page.waitForSelector(".stub");
    await context.close();
  }
});

test("a standing is the status, unless the round is over", () => {
  const count = { round: 2, registered: 3 };
  assert.equal(standingOf({ status: "confirmed", round: 2 }, count), "confirmed");
  assert.equal(standingOf({ status: "waiting", round: 1 }, count), "archived");
  // The page's count may be behind the answer about the registration.
  assert.equal(standingOf({ status: "confirmed", round: 3 }, count), "confirmed");
  assert.equal(standingOf({ status: "cancelled", round: 1 }, count), "cancelled");
  const waiting = { status: "waiting", round: 2 };
  const confirmed = { status: "confirmed", round: 2 };
  assert.equal(mayConcern(waiting, count, { round: 2, registered: 2 }), true);
  // The same registration may be for more people now, or nobody came or left.
  assert.equal(mayConcern(confirmed, count, { round: 2, registered: 2 }), true);
  assert.equal(mayConcern(confirmed, count, { round: 2, registered: 3 }), false);
  assert.equal(mayConcern(confirmed, count, { round: 2, registered: 4 }), true);
  assert.equal(mayConcern(confirmed, count, { round: 1, registered: 3 }), true);
  assert.equal(mayConcern({ status: "cancelled", round: 2 }, count, { round: 1 }), false);
});
