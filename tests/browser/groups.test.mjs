// Groups in a real browser: a party registers, waits as a whole, and becomes smaller.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startBrowser, startServer, visit } from "./support.mjs";

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const come = (slug, name, party_size) =>
  fetch(`${server.base}/api/v1/events/${slug}/registrations`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name, email: `${name}@example.org`, party_size }),
  }).then((answer) => answer.json());

test("a family of three becomes two, and the next group gets the places", async () => {
  const settings = { title: "Dinner", capacity: 4, waitlist: true, max_party_size: 4 };
  await server.organise("POST", "/events", { slug: "dinner", ...settings });
  const page = await browser.newPage();
  await visit(page, `${server.base}/e/dinner`);
  await page.getByLabel("Name").fill("Ada");
  await page.getByLabel(/mail/i).fill("ada@example.org");
  await page.locator("#party_size").fill("5");
  await page.locator("[data-register-button]").click();
  await page.waitForSelector("[data-form-summary]:not([hidden])");
  assert.equal(
    await page.locator("#party_size-error").innerText(),
    "Enter a whole number from 1 to 4.",
  );
  assert.equal(
    await page.locator("[data-form-summary] a").innerText(),
    "How many people, including you: Enter a whole number from 1 to 4.",
  );
  await page.locator("#party_size").fill("3");
  await page.locator("[data-register-button]").click();
  await page.waitForURL(/\/r\//);
  await page.locator("[data-count-registered]", { hasText: /^3$/ }).waitFor();

  const next = await come("dinner", "bob", 2);
  assert.deepEqual(next.waiting_for, { remaining: 1, party_size: 2 });
  const places = page.locator("[data-count-places]");
  await places.filter({ hasText: "1 place is free, but the next group" }).waitFor();
  const waiting = await browser.newPage();
  await visit(waiting, `${server.base}${new URL(next.links.page).pathname}`);
  const why = waiting.locator("[data-registration-why]");
  assert.equal(await why.innerText(), "1 place is free; your group of 2 waits for 1 more.");

  assert.equal(await page.locator("[data-registration-party]").innerText(), "3 people");
  await page.locator("[data-change] > summary").click();
  await page.locator("#change-party").fill("2");
  await page.locator("[data-change] [type=submit]").click();
  await page.locator("[data-registration-party]", { hasText: "2 people" }).waitFor();
  await waiting.waitForSelector("[data-registration][data-status=confirmed]", { timeout: 20_000 });
  assert.equal(await why.isVisible(), false);
  await page.close();
  await waiting.close();
});

test("the form asks how many as soon as the organiser allows groups", async () => {
  await server.organise("POST", "/events", { slug: "later", title: "Later", capacity: 2 });
  const page = await browser.newPage();
  await visit(page, `${server.base}/e/later`);
  const field = page.locator("#party_size");
  assert.equal(await field.isVisible(), false);
  await server.organise("PATCH", "/events/later", { max_party_size: 3 });
  await field.waitFor({ state: "visible", timeout: 20_000 });
  assert.equal(await field.getAttribute("max"), "3");
  await page.getByLabel("Name").fill("Ada");
  await page.getByLabel(/mail/i).fill("ada@example.org");
  await field.fill("3");
  await page.locator("[data-register-button]").click();
  await page.waitForSelector("[data-form-summary]:not([hidden])");
  assert.equal(await page.locator("#party_size-error").innerText(), "Only 2 places are free.");
  await page.close();
});
