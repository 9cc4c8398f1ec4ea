// Erasing in a real browser: by the visitor on the private page, and by the organiser in the list.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORD, startBrowser, startServer, visit } from "./support.mjs";

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test("a visitor erases the data on one page, and another page of it follows", async () => {
  await server.organise("POST", "/events", { slug: "gala", title: "Gala", capacity: 4 });
  const mine = await server.register("gala", 1, "Ada Lovelace");
  const second = await server.register("gala", 2);
  const address = `${server.base}/r/${mine.token}`;
  const [page, other] = await Promise.all([browser.newPage(), browser.newPage()]);
  await Promise.all([page.goto(address), other.goto(address)]);
  await page.locator("[data-erase] > summary").click();
  assert.match(await page.locator("[data-erase] form").innerText(), /Nobody can bring them back/);
  await page.locator("[data-erase] [type=submit]").click();
  await page.locator("[data-registration][data-erased]").waitFor();
  await page.locator("[data-flash]:focus", { hasText: "Your data are erased." }).waitFor();
  assert.equal(await page.getByText("Ada Lovelace").count(), 0);
  assert.equal(await page.locator("[data-erase]").count(), 0);
  assert.equal(await page.locator("[data-cancel]").isVisible(), true);
  // The other page reads the registration again when a place is freed, and draws itself anew.
  await server.organise("DELETE", `/events/gala/registrations/${second.id}`);
  await other.locator("[data-registration][data-erased]").waitFor({ timeout: 20_000 });
  assert.equal(await other.getByText("Ada Lovelace").count(), 0);
  await Promise.all([page.close(), other.close()]);
});

test("the organiser's list keeps its filter and place after somebody was erased", async () => {
  await server.organise("POST", "/events", { slug: "ball", title: "Ball", capacity: 90 });
  for (let n = 1; n <= 52; n += 1) await server.register("ball", n);
  const page = await browser.newPage();
  await visit(page, `${server.base}/admin/login`);
  await page.locator("[name=password]").fill(PASSWORD);
  await page.locator("main [type=submit]").click();
  await page.waitForURL(/\/admin$/);
  await visit(page, `${server.base}/admin/events/ball?q=person&sort=-number&after=3#registrations`);
  await page.waitForURL(/ball\/people\?q=person/);
  const row = page.locator("tbody tr", { hasText: "Person 2" });
  await row.locator("details", { hasText: "Erase" }).locator("summary").click();
  // What an action opens stays inside the table.
  const frame = page.locator(".table-frame");
  assert.equal(await frame.evaluate((it) => it.scrollWidth - it.clientWidth), 0);
  await row.getByRole("button", { name: /Erase for good/ }).click();
  await page.waitForURL(/people\?q=person&sort=-number&after=3$/);
  await page.locator("[data-flash]:focus").waitFor();
  assert.ok(
    await page.evaluate(() => document.querySelector(".list-total").offsetTop < innerHeight),
    "the message and the list are seen together",
  );
  assert.deepEqual(await page.locator("tbody th").allInnerTexts(), ["Person 1"]);
  await visit(page, `${server.base}/admin/events/ball/people?sort=-number&after=3`);
  assert.deepEqual(await page.locator("tbody th").allInnerTexts(), ["erased", "Person 1"]);
  // A row appears by itself, in the order of the list.
  await visit(page, `${server.base}/admin/events/ball/people?sort=-number`);
  await server.register("ball", 53);
  await page.locator("tbody tr:first-child th", { hasText: "Person 53" }).waitFor();
  assert.match(await page.locator(".list-total").innerText(), /53/);
  await page.close();
});
