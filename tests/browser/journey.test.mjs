// The main journey in a real browser: two pages open, one registers, both move; the organiser
// resets, both move.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORD, complaints, says, shows, startBrowser, startServer } from "./support.mjs";

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function open(path, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const found = complaints(page);
  const answer = await page.goto(server.base + path);
  return { context, page, found, answer };
}

test("two pages open, one registers, both move; the organiser resets, both move", async () => {
  const one = await open("/e/welcome");
  const two = await open("/e/welcome");
  await shows(one.page, 0);
  await one.page.getByLabel("Name").fill("Ada Lovelace");
  await one.page.getByLabel(/mail/i).fill("ada@example.org");
  await one.page.locator('form[action$="/register"] button[type=submit]').click();
  await shows(one.page, 1);
  await shows(two.page, 1);
  // The page shows the registration's number and private link.
  await one.page.waitForSelector('a[href*="/r/"]');

  const console_ = await open("/admin/login");
  await console_.page.locator("input[type=password]").fill(PASSWORD);
  await console_.page.locator("form button[type=submit]").first().click();
  await console_.page.waitForURL(/\/admin$/);
  await console_.page.goto(`${server.base}/admin/events/welcome/settings`);
  const reset = console_.page.locator('form[action$="/reset"]');
  if (!(await reset.isVisible()))
    await console_.page.locator('details:has(form[action$="/reset"]) > summary').click();
  await reset.locator("[name=confirm]").fill("welcome");
  await reset.locator("[name=capacity]").fill("42");
  await reset.locator("button[type=submit]").click();
  await console_.page.waitForURL(/done=reset/);
  await shows(one.page, 0);
  await shows(two.page, 0);
  assert.match(await two.page.locator("[data-count-capacity]").first().textContent(), /42/);
  for (const { found, context } of [one, two, console_]) {
    assert.deepEqual(found, [], "no error, no refused script or style");
    await context.close();
  }
});

test("without JavaScript the number stands in the page and the form works", async () => {
  await server.organise("POST", "/events", { slug: "plain", title: "Plain", capacity: 5 });
  const { page, context } = await open("/e/plain", { javaScriptEnabled: false });
  assert.match(await page.locator("[data-count-registered]").first().textContent(), /0/);
  await page.getByLabel("Name").fill("Grace Hopper");
  await page.getByLabel(/mail/i).fill("grace@example.org");
  await page.locator('form[action$="/register"] button[type=submit]').click();
  await page.waitForURL(/\/r\//);
  assert.match(await page.locator("main").textContent(), /1/);
  // The private page gives the place back, too.
  const cancel = page.locator('form[action$="/cancel"]');
  if (!(await cancel.isVisible()))
    await page.locator('details:has(form[action$="/cancel"]) > summary').click();
  await cancel.locator("button[type=submit]").click();
  await page.waitForURL(/\/r\//);
  const count = await (await fetch(`${server.base}/api/v1/events/plain`)).json();
  assert.equal(count.registered, 0);
  await context.close();
});

test("where streams are blocked the page uses long polls, and where those are blocked too, interval polls", async () => {
  await server.organise("POST", "/events", { slug: "blocked", title: "Blocked", capacity: 50 });
  const stream = (url) => url.pathname.endsWith("/stream");
  const waits = (url) => url.searchParams.has("wait");
  for (const [n, blocked, mode] of [
    [1, [stream], "live"],
    [2, [stream, waits], "polling"],
  ]) {
    const { page, context } = await open("/e/welcome");
    for (const which of blocked)
      await context.route(which, (route) => route.abort("connectionrefused"));
    await page.goto(`${server.base}/e/blocked`);
    await page.waitForSelector(`[data-live][data-mode=${mode}]`, { timeout: 60_000 });
    await server.register("blocked", n);
    await shows(page, n);
    await context.close();
  }
});

test("a description keeps its lines, and an address that is taken is named beside its field", async () => {
  await server.organise("POST", "/events", {
    slug: "lines",
    title: "Lines",
    capacity: 5,
    description: "Saturday\n\nSunday",
  });
  await server.register("lines", 1);
  for (const javaScriptEnabled of [true, false]) {
    const { page, context } = await open("/e/lines", { javaScriptEnabled });
    assert.match(await page.locator(".event-description").innerText(), /^Saturday\n\s*\nSunday$/);
    await page.getByLabel("Name").fill("Person");
    await page.getByLabel(/mail/i).fill("PERSON-1@example.org");
    await page.locator('form[action$="/register"] button[type=submit]').click();
    await page.waitForSelector("#email[aria-invalid=true]");
    assert.match(await page.locator("#email-error").textContent(), /already registered/);
    assert.match(await page.locator("[data-form-summary]").textContent(), /private link/);
    assert.equal(await page.getByLabel(/mail/i).inputValue(), "PERSON-1@example.org");
    await context.close();
  }
});

test("what was typed is kept when it is refused, and the error stands beside its field", async () => {
  for (const javaScriptEnabled of [true, false]) {
    const { page, context } = await open("/e/welcome", { javaScriptEnabled });
    await page
      .locator('form[action$="/register"]')
      .evaluate((form) => {
        form.noValidate = true;
      })
      .catch(() => {});
    await page.getByLabel("Name").fill("Ada");
    await page.getByLabel(/mail/i).fill("ada@nowhere@example");
    await page.locator('form[action$="/register"] button[type=submit]').click();
    await page.waitForSelector("[aria-invalid=true]");
    assert.equal(await page.getByLabel("Name").inputValue(), "Ada");
    assert.equal(await page.getByLabel(/mail/i).inputValue(), "ada@nowhere@example");
    await context.close();
  }
});

test("简体中文 by Accept-Language, and by the switch", async () => {
  const { page, context } = await open("/e/welcome", { locale: "zh-CN" });
  assert.equal(await page.locator("html").getAttribute("lang"), "zh-CN");
  assert.match(await page.locator("main").textContent(), /报名/);
  await page.locator('a[href*="lang=en"]').click();
  await page.waitForFunction(() => document.documentElement.lang === "en");
  await context.close();
});

test("a page says that it reconnects, then shows the right number again", async () => {
  const own = await startServer();
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${own.base}/e/welcome`);
  await shows(page, 0);
  await says(page, "live");
  await own.kill();
  await says(page, "reconnecting", "stale");
  const again = await startServer([], own.folder, `127.0.0.1:${own.port}`);
  await again.register("welcome", 1);
  await shows(page, 1);
  await context.close();
  await again.stop();
});

test("many tabs of one browser share one stream", async () => {
  const context = await browser.newContext();
  const pages = [];
  for (let n = 0; n < 8; n += 1) {
    const page = await context.newPage();
    await page.goto(`${server.base}/e/welcome`);
    pages.push(page);
  }
  const { registered } = await (await fetch(`${server.base}/api/v1/events/welcome`)).json();
  await server.register("welcome", `tabs-${Date.now()}`);
  for (const page of pages) await shows(page, registered + 1);
  await context.close();
});
