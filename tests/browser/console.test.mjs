// The console: two organisers at once, a double click, and moments with seconds.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORD, says, startBrowser, startServer, visit } from "./support.mjs";

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function desk(slug, tab = "", options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await visit(page, `${server.base}/admin/login`);
  await page.locator("input[type=password]").fill(PASSWORD);
  await page.locator("form button[type=submit]").first().click();
  await page.waitForURL(/\/admin$/);
  await visit(page, `${server.base}/admin/events/${slug}${tab}`);
  await says(page, "live");
  return page;
}

const details = async (slug) =>
  (await fetch(`${server.base}/api/v1/events/${slug}/details`)).json();
const actions = async (slug) =>
  (await server.organise("GET", `/events/${slug}/audit`)).entries.map(({ action }) => action);

test("two organisers see each other's changes, and a conflict shows both values", async () => {
  await server.organise("POST", "/events", { slug: "two", title: "Two", capacity: 5 });
  const [one, other] = [await desk("two", "/settings"), await desk("two", "/settings")];
  await other.locator("#edit-title").fill("Theirs");
  await one.locator("#edit-description").fill("From one");
  await one.locator("[data-edit-form] [type=submit]").click();
  await one.waitForURL(/done=edited/);
  // Untouched fields follow; typed text stays.
  await other.waitForFunction(
    () => document.querySelector("#edit-description").value === "From one",
  );
  assert.equal(await other.locator("#edit-title").inputValue(), "Theirs");
  await server.organise("PATCH", "/events/two", { title: "Ours" });
  await other.locator("[data-edit-form] [type=submit]").click();
  await other.waitForSelector("#edit-title-error:not(:empty)");
  assert.match(await other.locator("#edit-title-error").innerText(), /“Ours”/);
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
  await visit(page, `${server.base}/admin/events/twice/settings`);
  await page.locator("#reset-confirm").fill("twice");
  await page.locator('form[action$="/reset"] [type=submit]').dblclick();
  await page.waitForURL(/done=reset/);
  assert.deepEqual(await actions("twice"), ["reset", "edit", "announce", "create"]);
  // Opening is one button, which the page shows as soon as it is closed.
  await visit(page, `${server.base}/admin/events/twice`);
  await page.locator('form[action$="/open"] [type=submit]').click();
  await page.waitForURL(/done=opened/);
  assert.equal((await details("twice")).state, "open");
});

test("moments with seconds can be edited and lose nothing", async () => {
  const closes_at = "2999-01-01T10:00:05.120Z";
  await server.organise("POST", "/events", { slug: "seconds", title: "S", capacity: 5, closes_at });
  const page = await desk("seconds", "/settings");
  await page.locator("#edit-title").fill("Seconds");
  await page.locator("[data-edit-form] [type=submit]").click();
  await page.waitForURL(/done=edited/);
  assert.equal((await details("seconds")).closes_at, closes_at);
  await page.locator("#edit-closes").fill("2999-01-01T10:00:07");
  await page.locator("[data-edit-form] [type=submit]").click();
  await page.waitForFunction(async () => {
    const answer = await fetch("/api/v1/events/seconds/details");
    return (await answer.json()).closes_at === "2999-01-01T10:00:07.000Z";
  });
});

test("a refused form is shown where it is, with what was typed, and the first fault has the focus", async () => {
  await server.organise("POST", "/events", { slug: "refused", title: "Refused", capacity: 5 });
  const page = await desk("refused", "/settings");
  const refuse = async (form, fill) => {
    await form.evaluate((element) => {
      element.noValidate = true;
    });
    await fill();
    await form.locator("[type=submit]").first().click();
    await page.waitForSelector("[data-refused]");
  };
  // The summary has the focus first; a script of the page moves it to the field.
  const focused = async () => {
    await page.waitForFunction(() => document.activeElement.matches("[aria-invalid=true]"));
    return page.evaluate(() => {
      const { top, bottom } = document.activeElement.getBoundingClientRect();
      const inSight = top >= 0 && bottom <= document.querySelector(".foot").offsetTop;
      return { id: document.activeElement.id, inSight };
    });
  };
  await refuse(page.locator("[data-edit-form]"), async () => {
    await page.locator("#edit-title").fill("");
    await page.locator("#edit-description").fill("Typed with care");
  });
  assert.deepEqual(await focused(), { id: "edit-title", inSight: true });
  assert.equal(await page.locator("#edit-description").inputValue(), "Typed with care");
  await refuse(page.locator("[data-edit-form]"), async () => {
    await page.locator("#edit-title").fill("Refused");
    await page.locator("#edit-opens").fill("2031-01-02T10:00");
    await page.locator("#edit-closes").fill("2031-01-01T10:00");
  });
  assert.deepEqual(await focused(), { id: "edit-closes", inSight: true });
  assert.equal(await page.locator("#edit-opens").inputValue(), "2031-01-02T10:00");
  await visit(page, `${server.base}/admin/events/refused`);
  const announce = page.locator('form[action$="/announce"]');
  await refuse(announce, async () => {
    await page.locator("#announce-hours").selectOption("72");
    await page.locator("#announce-text").fill(" ");
  });
  assert.deepEqual(await focused(), { id: "announce-text", inSight: true });
  assert.equal(await page.locator("#announce-hours").inputValue(), "72");
  // The form for a new event stands below the list.
  await visit(page, `${server.base}/admin`);
  await page.locator("#create > summary").click();
  await refuse(page.locator('form[action="/admin/events"]'), async () => {
    await page.locator("#create-title").fill("Another");
    await page.locator("#create-slug").fill("refused");
  });
  assert.deepEqual(await focused(), { id: "create-slug", inSight: true });
  assert.equal(await page.locator("#create-title").inputValue(), "Another");
});

test("the outcome of an action is shown once, not again after a reload", async () => {
  await server.organise("POST", "/events", { slug: "once", title: "Once", capacity: 5 });
  const page = await desk("once");
  await page.locator('form[action$="/close"] [type=submit]').click();
  await page.waitForSelector("[data-flash]");
  await page.waitForFunction(() => !location.search.includes("done"));
  await page.reload();
  assert.equal(await page.locator("[data-flash]").count(), 0);
});

test("a reset can be undone from every organiser's open page, until somebody registers", async () => {
  await server.organise("POST", "/events", { slug: "undo", title: "Undo", capacity: 5 });
  await server.register("undo", 1);
  const [one, other] = [await desk("undo", "/settings"), await desk("undo", "/settings")];
  const undo = (page) => page.locator('form[action$="/undo"] [type=submit]');
  assert.equal(await undo(other).count(), 0);
  await one.locator("#reset-confirm").fill("undo");
  await one.locator('form[action$="/reset"] [type=submit]').click();
  await undo(other).waitFor();
  assert.match(await other.locator("#reset").innerText(), /Archives round 2/);
  await server.register("undo", 2);
  await undo(other).waitFor({ state: "detached" });
  await server.organise("POST", "/events/undo/reset", { confirm: "undo" });
  await undo(other).click();
  await other.waitForSelector('[data-flash][data-kind="done"]');
  assert.equal((await details("undo")).registered, 1);
});

test("the fields of a page are in the event's own zone, which is named, and are saved as they were meant", async () => {
  const closes_at = "2031-07-01T10:00:00Z";
  const time_zone = "Asia/Kolkata";
  await server.organise("POST", "/events", {
    slug: "zone",
    title: "Zone",
    capacity: 5,
    closes_at,
    time_zone,
  });
  const page = await desk("zone", "/settings", { timezoneId: "America/New_York" });
  assert.equal(await page.locator("#edit-closes").inputValue(), "2031-07-01T15:30");
  assert.match(await page.locator("#edit-closes-hint").innerText(), /Asia\/Kolkata/);
  await page.locator("#edit-title").fill("Zones");
  await page.locator("[data-edit-form] [type=submit]").click();
  await page.waitForSelector("[data-flash]");
  assert.equal((await details("zone")).closes_at, "2031-07-01T10:00:00.000Z");
  await page.locator("#edit-closes").fill("2031-07-01T16:00");
  const saved = page.waitForResponse((answer) => answer.request().method() === "POST");
  await page.locator("[data-edit-form] [type=submit]").click();
  await saved;
  assert.equal((await details("zone")).closes_at, "2031-07-01T10:30:00.000Z");
  // What somebody else saves arrives in the same zone.
  await server.organise("PATCH", "/events/zone", { closes_at: "2031-07-01T11:00:00Z" });
  await page.waitForFunction(() => document.querySelector("#edit-closes").value.endsWith("16:30"));
});

test("every other time of the console is in the event's zone too, with its name", async () => {
  const time_zone = "America/New_York";
  await server.organise("POST", "/events", { slug: "own", title: "Own", capacity: 5, time_zone });
  await server.register("own", 1);
  await server.organise("POST", "/events/own/announcements", { text: "Doors open" });
  const page = await desk("own", "", { timezoneId: "Asia/Kolkata" });
  await says(page, "live");
  const zoneless = () =>
    page.evaluate(() => {
      const shown = document.querySelector("main").innerText;
      // An address with its port is no time.
      return shown.match(/(?<![\d.])\d{1,2}:\d{2}(:\d{2})?(?![\d:]| E[SD]T).{0,9}/g) ?? [];
    });
  const announced = page.locator("[data-announced-text]");
  assert.match(await announced.innerText(), /\d E[SD]T: /);
  assert.deepEqual(await zoneless(), []);
  await server.organise("POST", "/events/own/announcements", { text: "Doors close" });
  await announced.filter({ hasText: /\d E[SD]T: “Doors close”/ }).waitFor();
  await page.locator("[data-notice]", { hasText: /Doors close.*\d E[SD]T/ }).waitFor();
  await visit(page, `${server.base}/admin/events/own/audit`);
  assert.match(await page.locator("td time").first().innerText(), / E[SD]T$/);
  assert.deepEqual(await zoneless(), []);
});

test("a new event has the organiser's zone, and a refused form moves to its first mistake", async () => {
  const page = await desk("own", "", { timezoneId: "Europe/Berlin" });
  await visit(page, `${server.base}/admin`);
  await page.locator("#create > summary").click();
  const zone = page.locator("#create-time-zone");
  await page.waitForFunction(
    () => document.querySelector("#create-time-zone").value === "Europe/Berlin",
  );
  await page.locator("#create-title").fill("Soon");
  await zone.fill("Mars");
  await page.locator("#create-starts").fill("2031-01-02T10:00");
  await page.locator("#create-ends").fill("2031-01-01T10:00");
  await page.locator("#create [type=submit]").click();
  await page.waitForSelector("[data-refused]");
  await page.waitForFunction(() => document.activeElement.id === "create-time-zone");
  assert.equal(await zone.inputValue(), "Mars", "what was typed stays");
  assert.match(await page.locator("#create-time-zone-error").innerText(), /unknown/);
  assert.match(await page.locator("#create-ends-error").innerText(), /must end after it starts/);
  await page.locator("[data-refused] a", { hasText: "must end after" }).click();
  assert.equal(await page.evaluate(() => document.activeElement.id), "create-ends");
});

test("the editor of questions follows another organiser, and warns before it overwrites", async () => {
  await server.organise("POST", "/events", { slug: "ask", title: "Ask", capacity: 5 });
  const ask = (label) =>
    server.organise("PATCH", "/events/ask", { questions: [{ key: "a", label, kind: "text" }] });
  const page = await desk("ask");
  await visit(page, `${server.base}/admin/events/ask/form`);
  await says(page, "live");
  await ask("Diet?");
  await page.waitForFunction(() => document.querySelector("#label-0")?.value === "Diet?");
  await page.locator("#label-0").fill("Allergies?");
  await ask("Size?");
  const news = page.locator("[data-editor-news]");
  await news.filter({ hasText: "Size?" }).waitFor();
  assert.equal(await page.locator("#label-0").inputValue(), "Allergies?");
  await page.locator(".button[name=do][value=save]").click();
  await page.waitForSelector("[data-refused]");
  assert.equal((await details("ask")).questions[0].label, "Size?", "nothing was overwritten");
  assert.equal(await page.locator("#label-0").inputValue(), "Allergies?");
});

test("a bookmark of a part of the old page opens its tab, and tabs fit a phone", async () => {
  await server.organise("POST", "/events", { slug: "tabs", title: "Tabs", capacity: 5 });
  const page = await desk("tabs", "", { viewport: { width: 320, height: 640 } });
  const base = `${server.base}/admin/events/tabs`;
  for (const [part, tab] of [
    ["#registrations", "people"],
    ["#edit", "settings"],
    ["#reset", "settings"],
    ["#share", "share"],
  ]) {
    await page.goto("about:blank");
    await page.goto(base + part);
    await page.waitForURL(`${base}/${tab}`);
    const current = page.locator(".tabs [aria-current=page]");
    assert.equal(await current.count(), 1);
    await page.waitForFunction(() => {
      const { left, right } = document
        .querySelector(".tabs [aria-current]")
        .getBoundingClientRect();
      return left >= 0 && right <= innerWidth;
    });
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
  }
});
