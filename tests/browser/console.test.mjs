// The console: two organisers at once, a double click, and moments with seconds.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORD, says, startBrowser, startServer } from "./support.mjs";

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function desk(slug) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${server.base}/admin/login`);
  await page.locator("input[type=password]").fill(PASSWORD);
  await page.locator("form button[type=submit]").first().click();
  await page.waitForURL(/\/admin$/);
  await page.goto(`${server.base}/admin/events/${slug}`);
  await says(page, "live");
  return page;
}

const details = async (slug) =>
  (await fetch(`${server.base}/api/v1/events/${slug}/details`)).json();
const actions = async (slug) =>
  (await server.organise("GET", `/events/${slug}/audit`)).entries.map(({ action }) => action);

test("two organisers see each other's changes, and a conflict shows both values", async () => {
  await server.organise("POST", "/events", { slug: "two", title: "Two", capacity: 5 });
  const [one, other] = [await desk("two"), await desk("two")];
  await other.locator("#edit-title").fill("Theirs");
  await one.locator("#edit-description").fill("From one");
  await one.locator("[data-edit-form] [type=submit]").click();
  await one.waitForURL(/done=edited/);
  // What nobody touches follows; what is typed stays.
  await other.waitForFunction(
    () => document.querySelector("#edit-description").value === "From one",
  );
  assert.equal(await other.locator("#edit-title").inputValue(), "Theirs");
  await server.organise("PATCH", "/events/two", { title: "Ours" });
  await other.locator("[data-edit-form] [type=submit]").click();
  await other.waitForSelector("#title-clash:not(:empty)");
  assert.match(await other.locator("#title-clash").innerText(), /“Ours”/);
  assert.equal(await other.locator("#edit-title").inputValue(), "Theirs");
  assert.equal((await details("two")).title, "Ours");
  await other.locator("[data-edit-form] [type=submit]").click();
  await other.waitForURL(/done=edited/);
  const { title, description } = await details("two");
  assert.deepEqual({ title, description }, { title: "Theirs", description: "From one" });
});

test("a double click on announce, reset or close acts once", async () => {
  await server.organise("POST", "/events", { slug: "twice", title: "Twice", capacity: 5 });
  const page = await desk("twice");
  await page.locator("#announce-text").fill("Doors open");
  await page.locator('form[action$="/announce"] [type=submit]').dblclick();
  await page.waitForURL(/done=announced/);
  await page.locator('form[action$="/close"] [type=submit]').dblclick();
  await page.waitForURL(/done=closed/);
  await page.locator("#reset-confirm").fill("twice");
  await page.locator('form[action$="/reset"] [type=submit]').dblclick();
  await page.waitForURL(/done=reset/);
  assert.deepEqual(await actions("twice"), ["reset", "edit", "announce", "create"]);
  // Opening is one button, which the page shows as soon as it is closed.
  await page.locator('form[action$="/open"] [type=submit]').click();
  await page.waitForURL(/done=opened/);
  assert.equal((await details("twice")).state, "open");
});

test("moments with seconds can be edited and lose nothing", async () => {
  const closes_at = "2999-01-01T10:00:05.120Z";
  await server.organise("POST", "/events", { slug: "seconds", title: "S", capacity: 5, closes_at });
  const page = await desk("seconds");
  await page.locator("#edit-title").fill("Seconds");
  await page.locator("[data-edit-form] [type=submit]").click();
  await page.waitForURL(/done=edited/);
  assert.equal((await details("seconds")).closes_at, closes_at);
  await page.locator("#edit-closes").fill("2999-01-01T10:00:07");
  await page.locator("[data-edit-form] [type=submit]").click();
  await page.waitForFunction(() => document.querySelector("#edit-closes").value.includes("00:07"));
  assert.equal((await details("seconds")).closes_at, "2999-01-01T10:00:07.000Z");
});
