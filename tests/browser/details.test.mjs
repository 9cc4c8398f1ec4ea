// What an event is about, and what its organisers announce: on every open page, without loading it again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORD, complaints, says, startBrowser, startServer } from "./support.mjs";

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const create = (slug) =>
  server.organise("POST", "/events", { slug, title: `Title of ${slug}`, capacity: 5 });
const announce = (slug, text, more = {}) =>
  server.organise("POST", `/events/${slug}/announcements`, { text, ...more });
const seen = (page, text) =>
  page.getByText(text, { exact: false }).first().waitFor({ state: "visible", timeout: 20_000 });

async function open(path, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const found = complaints(page);
  await page.goto(server.base + path);
  return { page, context, found };
}

async function signedIn() {
  const opened = await open("/admin/login");
  await opened.page.locator("input[type=password]").fill(PASSWORD);
  await opened.page.locator("form button[type=submit]").first().click();
  await opened.page.waitForURL(/\/admin$/);
  return opened;
}

test("a new title, description and times are on every open page, and so is an announcement", async () => {
  await create("open");
  const { token } = await server.register("open", 1);
  const console_ = await signedIn();
  const desk = await console_.context.newPage();
  await desk.goto(`${server.base}/admin/events/open`);
  const opened = await Promise.all(
    ["/e/open", "/", `/r/${token}`, "/e/open/wall"].map((p) => open(p)),
  );
  const compared = await open("/e/open/compare");
  await compared.page.waitForSelector("[data-lane=sse][data-state=live]");
  opened.push(compared);
  const pages = [...opened.map(({ page }) => page), console_.page, desk];
  for (const page of pages) if (page !== compared.page) await says(page, "live", "polling");
  await server.organise("PATCH", "/events/open", {
    title: "Another title",
    description: "Bring a torch",
    closes_at: "2999-01-01T10:00:05Z",
  });
  for (const page of pages) await seen(page, "Another title");
  const [event, list, own] = pages;
  await seen(event, "Bring a torch");
  await seen(list, "Bring a torch");
  await seen(event, "1 Jan 2999");
  assert.match(await event.title(), /^Another title/);
  assert.match(await own.title(), /Another title/);
  assert.match(await compared.page.title(), /Another title/);
  await announce("open", "Doors open at eight");
  for (const page of pages) await seen(page, "Doors open at eight");
  await server.organise("DELETE", "/events/open/announcements");
  for (const page of pages)
    await page.waitForFunction(() => !document.querySelector("[data-notice=open]"));
  for (const { context, found } of [...opened, console_]) {
    assert.deepEqual(found, []);
    await context.close();
  }
});

test("an announcement is visible at every scroll position, and moves nothing", async () => {
  await create("sight");
  const lines = Array.from({ length: 120 }, (_, n) => `Line ${n}`).join("\n");
  await server.organise("PATCH", "/events/sight", { description: lines });
  const { page, context } = await open("/e/sight", { viewport: { width: 400, height: 640 } });
  await says(page, "live");
  const top = () =>
    page.locator(".event-description").evaluate((e) => e.getBoundingClientRect().top);
  for (const [share, text] of [
    [0, "First"],
    [0.5, "Second"],
    [1, "Third"],
  ]) {
    await page.evaluate((share) => {
      const room = document.documentElement.scrollHeight - innerHeight;
      scrollTo({ top: room * share, behavior: "instant" });
    }, share);
    const before = await top();
    await announce("sight", text);
    await seen(page, text);
    const box = await page.locator(".notice").boundingBox();
    assert.ok(box.y >= 0 && box.y + box.height <= 640, `${text}: ${JSON.stringify(box)}`);
    assert.equal(await top(), before, `${text} moves the page`);
  }
  await context.close();
});

test("a later visitor sees an announcement until its end", async () => {
  await create("later");
  await announce("later", "Doors open at eight");
  for (const javaScriptEnabled of [true, false]) {
    const { page, context } = await open("/e/later", { javaScriptEnabled });
    await seen(page, "Doors open at eight");
    if (javaScriptEnabled) {
      await page.locator(".notice button").click();
      const focused = await page.evaluate(() => document.activeElement.localName);
      assert.equal(focused, "main", "the focus is not lost with the button");
      await page.reload();
      await says(page, "live");
      assert.equal(await page.locator(".notice").count(), 0, "dismissed once is dismissed");
    }
    await context.close();
  }
  const soon = new Date(Date.now() + 4_000).toISOString();
  await announce("later", "Soon over", { ends_at: soon });
  const { page, context } = await open("/e/later");
  await seen(page, "Soon over");
  await page.getByText("Soon over").waitFor({ state: "detached", timeout: 20_000 });
  await context.close();
});

test("on the wall an announcement covers nothing", async () => {
  await create("wall");
  await server.register("wall", 1);
  for (const viewport of [
    { width: 1920, height: 1080 },
    { width: 1280, height: 720 },
    { width: 768, height: 1024 },
  ]) {
    const { page, context } = await open("/e/wall/wall", { viewport });
    for (const text of ["Doors open", "Doors open at eight. ".repeat(23)]) {
      await announce("wall", text);
      await seen(page, text.slice(0, 20));
      await page.waitForFunction(
        (start) => document.querySelector(".notice")?.textContent.includes(start),
        text.trim().slice(-60),
      );
      const boxes = await page.evaluate(() =>
        [".notice", ".figure-number", ".rail", ".facts", ".wall-title", ".wall-qr", ".statusbar"]
          .map((name) => [name, document.querySelector(name)?.getBoundingClientRect().toJSON()])
          .filter(([, box]) => box),
      );
      const [[, notice], ...others] = boxes;
      assert.ok(notice.bottom <= viewport.height + 1 && notice.top >= 0);
      for (const [name, box] of others) {
        const apart = box.bottom <= notice.top + 1 || box.top >= notice.bottom - 1;
        assert.ok(apart, `${viewport.width}: the announcement covers ${name}`);
        assert.ok(box.top >= -1, `${viewport.width}: ${name} leaves the screen`);
      }
    }
    await context.close();
  }
});

/** Where the foot of the page begins, and what a click near the window's lower edge would reach above it. */
const foot = (page) =>
  page.evaluate(() => {
    const { top } = document.querySelector(".foot").getBoundingClientRect();
    return { top, above: document.elementFromPoint(innerWidth / 2, top - 2)?.className };
  });

test("an announcement takes no room from what is read and clicked: it comes in the line kept for it", async () => {
  await create("room");
  await server.organise("PATCH", "/events/room", { title: "A title of several words ".repeat(4) });
  const { token } = await server.register("room", 1);
  const text = "Please wait in the foyer. ".repeat(19).trim();
  for (const viewport of [
    { width: 360, height: 640 },
    { width: 1280, height: 720 },
  ])
    for (const path of ["/e/room", `/r/${token}`, "/e/room/compare", "/", "/admin/events/room"]) {
      const { page, context } = path.startsWith("/admin") ? await signedIn() : await open("/");
      await page.setViewportSize(viewport);
      await page.goto(server.base + path);
      await page.waitForSelector(
        "[data-live]:is([data-mode=live], [data-mode=polling]), [data-lane=sse][data-state=live]",
      );
      const before = await foot(page);
      await announce("room", text);
      await page.waitForSelector("[data-notice=room]");
      assert.deepEqual(await foot(page), before, `${path} at ${viewport.width}`);
      // Opening it shows the whole text.
      const line = page.locator("[data-notice=room] summary");
      const closed = await line.evaluate(
        ({ scrollWidth, clientWidth }) => scrollWidth - clientWidth,
      );
      assert.ok(closed > 0, "a long one does not fit into its line");
      await line.click();
      const opened = await line.evaluate((e) => [e.scrollWidth - e.clientWidth, e.clientHeight]);
      assert.ok(opened[0] <= 0 && opened[1] > 40, `${path}: ${opened}`);
      await server.organise("DELETE", "/events/room/announcements");
      await page.waitForFunction(() => !document.querySelector("[data-notice=room]"));
      await context.close();
    }
});

test("every open page of a deleted event says that it was deleted, and offers nothing any more", async () => {
  await create("doomed");
  await create("spared");
  const { context, page: event } = await open("/e/doomed");
  const [wall, list, compare] = [
    await context.newPage(),
    await context.newPage(),
    await context.newPage(),
  ];
  await wall.goto(`${server.base}/e/doomed/wall`);
  await list.goto(server.base);
  await compare.goto(`${server.base}/e/doomed/compare`);
  await compare.waitForSelector("[data-lane=sse][data-state=live]");
  await event.getByLabel("Name").fill("Ada");
  for (const page of [event, wall, list]) await says(page, "live", "polling");
  await server.organise("DELETE", "/events/doomed?confirm=doomed");
  for (const page of [event, wall, list]) {
    const reading = page.locator("[data-count=doomed]");
    await page.waitForSelector("[data-count=doomed][data-state=gone]");
    assert.match(await reading.innerText(), /Deleted/);
    assert.doesNotMatch(await reading.innerText(), /Open|left/);
  }
  assert.equal(await event.locator("#register").isVisible(), false);
  assert.match(await event.locator("main").innerText(), /has been deleted/);
  assert.equal(await wall.locator(".wall-qr").isVisible(), false);
  assert.doesNotMatch(await wall.locator(".wall-invite").innerText(), /Register at|http/);
  assert.match(await list.locator("[data-count=spared]").innerText(), /Open/);
  await seen(compare, "has been deleted");
  await context.close();
});
