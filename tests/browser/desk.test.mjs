// The desk is live: what others do appears in lists, states and buttons without a reload. And what
// cannot be taken back waits until it can no longer be stopped.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORD, complaints, lively, startBrowser, startServer, visit } from "./support.mjs";

let browser;
let server;
let page;
let found;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
  for (const [slug, title, visibility] of [
    ["gala", "Spring gala", "public"],
    ["ball", "Winter ball", "draft"],
  ])
    await server.organise("POST", "/events", { slug, title, visibility, capacity: 10 });
  const context = await browser.newContext();
  page = await context.newPage();
  found = complaints(page);
  await visit(page, `${server.base}/admin/login`);
  await page.locator("input[type=password]").fill(PASSWORD);
  await page.locator("main form button").click();
  await page.waitForURL(/\/admin$/);
  await lively(page);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const open = (path) => visit(page, `${server.base}${path}`);

test("the overview draws its pictures again, and a draft says that it is one", async () => {
  await open("/admin");
  const row = (slug) => page.locator(`[data-details=${slug}]`);
  const state = (slug) => row(slug).locator("[data-count-state]");
  assert.equal(await state("ball").textContent(), "Draft");
  assert.equal(await state("gala").textContent(), "Open");
  const line = await row("gala").locator(".spark path").getAttribute("d");
  await server.register("gala", 1);
  await row("gala").getByText("1 new in 7 days").waitFor();
  assert.notEqual(await row("gala").locator(".spark path").getAttribute("d"), line);

  await server.organise("POST", "/events/ball/registrations/add", { name: "Bo", email: null });
  await row("ball").locator("[data-count-registered]", { hasText: "1" }).waitFor();
  assert.equal(await state("ball").textContent(), "Draft", "a count does not publish it");
  await server.organise("PATCH", "/events/ball", { visibility: "unlisted" });
  await page.locator("[data-events=current] [data-details=ball]").waitFor();
  await state("ball").getByText("Open").waitFor();
  await row("ball").locator(".kind", { hasText: "Unlisted" }).waitFor();
});

test("tabs show what others do: kinds, buttons, lists and the log", async () => {
  await open("/admin/events/ball/settings");
  await page.locator(".desk-kind", { hasText: "Unlisted" }).waitFor();
  await server.organise("PATCH", "/events/ball", { erase_after_days: null, archived: true });
  await page.locator(".desk-kind", { hasText: "Archived" }).waitFor();
  await page.locator("#archive form[action$='/unarchive']").waitFor();
  await server.organise("PATCH", "/events/ball", { archived: false, visibility: "public" });
  await page.locator("#archive form[action$='/archive']").waitFor();

  await open("/admin/events/gala/people");
  await page.getByRole("rowheader", { name: "Person 1" }).waitFor();
  await server.register("gala", 2);
  await page.locator("#registrations tbody tr").nth(1).waitFor();

  await open("/admin/events/gala/audit");
  await server.organise("PATCH", "/events/gala", { location: "Great hall" });
  await page.locator("[data-part=audit]", { hasText: "Great hall" }).waitFor();

  await open("/admin/accounts");
  await page.locator("#new-name").fill("half typed");
  const mia = await server.organise("POST", "/accounts", { name: "mia", role: "viewer" });
  const row = page.locator("[data-part=accounts] tr", { hasText: "mia" });
  await row.waitFor();
  assert.equal(await page.locator("#new-name").inputValue(), "half typed");
  await row.locator("summary", { hasText: "Delete" }).click();
  await server.organise("POST", "/accounts", { name: "noa", role: "viewer" });
  await page.locator("[data-part=accounts] tr", { hasText: "noa" }).waitFor();
  assert.ok(await row.locator("details[open] button").isVisible(), "what is open stays open");
  await server.organise("DELETE", `/accounts/${mia.id}`);
  await row.waitFor({ state: "detached" });
  assert.deepEqual(found, []);
});

test("a deletion waits ten seconds and can be stopped", async () => {
  await open("/admin/events/ball/settings");
  await page.locator("details.remove summary").click();
  const form = page.locator("details.remove form");
  await form.locator("[name=confirm]").fill("ball");
  await form.locator("button[type=submit]").click();
  const note = form.locator("[data-grace]");
  await note.waitFor();
  assert.equal(await note.locator("[data-grace-left]").textContent(), "10");
  await note.locator("[data-grace-left]", { hasText: "8" }).waitFor();
  const stop = note.locator("[data-grace-stop]");
  assert.ok(await stop.evaluate((button) => button === document.activeElement));
  await page.keyboard.press("Enter");
  await note.waitFor({ state: "hidden" });

  const began = performance.now();
  await form.locator("button[type=submit]").click();
  await note.waitFor();
  assert.equal((await fetch(`${server.base}/api/v1/events/ball`)).status, 200, "not yet");
  await page.waitForURL(/\/admin(\?|$)/);
  await page.locator("[data-flash]").waitFor();
  const waited_ms = performance.now() - began;
  assert.ok(waited_ms > 9_000 && waited_ms < 25_000, `${waited_ms}`);
  assert.equal((await fetch(`${server.base}/api/v1/events/ball`)).status, 404);
  assert.equal(await page.locator("[data-details=ball]").count(), 0);
  // The page of the event that is gone may have asked for it once more.
  assert.deepEqual(
    found.filter((complaint) => !complaint.includes("404")),
    [],
  );
});
