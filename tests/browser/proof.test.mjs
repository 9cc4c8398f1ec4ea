// The bot check in a real browser: a worker solves the challenge, the page says that one waits.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORD, complaints, startBrowser, startServer, visit } from "./support.mjs";

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function fillIn(page, n) {
  await page.locator("#name").fill(`Person ${n}`);
  await page.locator("#email").fill(`person-${n}@example.org`);
}

test("a visitor registers after a moment of work, and hears that it goes on", async () => {
  const settings = { slug: "gala", title: "Gala", capacity: 9, proof_of_work: "on" };
  await server.organise("POST", "/events", settings);
  const page = await browser.newPage();
  const found = complaints(page);
  await visit(page, `${server.base}/e/gala`);
  // What the page says, whatever the machine's pace.
  await page.evaluate(() => {
    const progress = document.querySelector("[data-form-progress]");
    const said = new Set();
    new MutationObserver(() => {
      said.add(progress.textContent);
      sessionStorage.setItem("said", JSON.stringify([...said]));
    }).observe(progress, { childList: true });
  });
  assert.equal(await page.locator("[data-form-progress]").getAttribute("role"), "status");
  await fillIn(page, 1);
  await page.locator("#register [type=submit]").click();
  await page.waitForURL(/\/r\//);
  const said = JSON.parse(await page.evaluate(() => sessionStorage.getItem("said")));
  assert.ok(
    said.some((text) => text.startsWith("Checking that you are not a bot.")),
    String(said),
  );
  assert.deepEqual(found, []);
  await page.close();
});

test("a page that did not know of the check solves a challenge once it is asked", async () => {
  await server.organise("POST", "/events", { slug: "ball", title: "Ball", capacity: 9 });
  // Without a stream the page does not hear of the new setting.
  const page = await browser.newPage();
  await page.route(/\/(stream|details|ball)(\?|$)/, (route) =>
    route.request().resourceType() === "document" ? route.continue() : route.abort(),
  );
  await visit(page, `${server.base}/e/ball`);
  await server.organise("PATCH", "/events/ball", { proof_of_work: "on" });
  await fillIn(page, 1);
  assert.equal(await page.locator("#register").getAttribute("data-proof"), "off");
  await page.locator("#register [type=submit]").click();
  await page.waitForURL(/\/r\//);
  await page.close();
});

test("without a worker the page keeps the entry and says that the check failed", async () => {
  const page = await browser.newPage();
  await page.route(/proof-worker/, (route) => route.abort());
  await visit(page, `${server.base}/e/gala`);
  await fillIn(page, 2);
  await page.locator("#register [type=submit]").click();
  await page.locator("[data-form-summary]:focus", { hasText: "did not succeed" }).waitFor();
  assert.equal(await page.locator("#name").inputValue(), "Person 2");
  await page.close();
});

test("a form that is sent while its script loads waits for it", async () => {
  const page = await browser.newPage();
  let release;
  const clicked = new Promise((resolve) => (release = resolve));
  await page.route(/\/js\/event\.js/, async (route) => {
    await clicked;
    await route.continue();
  });
  const posted = [];
  page.on("request", (request) => {
    if (request.method() === "POST") posted.push(new URL(request.url()).pathname);
  });
  await page.goto(`${server.base}/e/gala`, { waitUntil: "domcontentloaded" });
  await fillIn(page, 3);
  await page.locator("#register [type=submit]").click();
  release();
  await page.waitForURL(/\/r\//);
  assert.deepEqual(posted, ["/api/v1/events/gala/registrations"]);
  await page.close();
});

test("a form that was sent before any script had loaded goes on by itself", async () => {
  const page = await browser.newPage();
  let isSlow = true;
  await page.route(/\/js\/site\.js/, (route) => (isSlow ? undefined : route.continue()));
  await page.goto(`${server.base}/e/gala`, { waitUntil: "commit" });
  await fillIn(page, 4);
  isSlow = false;
  const answer = page.waitForResponse(/\/e\/gala\/register$/);
  await page.locator("#register").evaluate((form) => form.submit());
  assert.equal((await answer).status(), 422);
  await page.waitForURL(/\/r\//);
  assert.match(await page.locator("main").innerText(), /Person 4/);
  await page.close();
});

test("without scripts the page says what is needed, and the console has the setting", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${server.base}/e/gala?lang=zh-CN`);
  const note = page.locator("#register noscript p");
  assert.match(await note.textContent(), /这需要 JavaScript/);
  await page.goto(`${server.base}/admin/login?lang=en`);
  await page.locator("[name=password]").fill(PASSWORD);
  await page.locator("main [type=submit]").click();
  await page.goto(`${server.base}/admin/events/gala/settings`);
  const field = page.locator("[name=proof_of_work]");
  assert.equal(await field.inputValue(), "on");
  await field.selectOption({ label: "When registrations look automated" });
  await page.locator("[data-edit-form] [type=submit]").click();
  const details = await fetch(`${server.base}/api/v1/events/gala/details`);
  assert.equal((await details.json()).proof_of_work, "auto");
  await context.close();
});
