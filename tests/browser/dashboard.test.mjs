// The dashboard in a browser: it grows by itself, becomes a picture, and fits its screen.
// `SHOTS` names a folder for screenshots.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { PASSWORD, barriers, complaints, shows, startBrowser, startServer } from "./support.mjs";

const people = (from, to) => Array.from({ length: to - from }, (_, n) => from + n);

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
  for (const [slug, count] of [
    ["none", 0],
    ["dozen", 12],
    ["hall", 1_200],
  ]) {
    const event = { slug, title: `The ${slug}`, capacity: count ? count + 88 : 100 };
    await server.organise("POST", "/events", { ...event, public_chart: true });
    if (!count) continue;
    const rows = people(0, count).map((n) => `Person ${n},p${n}@example.org`);
    const answer = await fetch(
      `${server.base}/api/v1/events/${slug}/registrations/import?dry_run=false`,
      {
        method: "POST",
        headers: { authorization: "Bearer a-token-for-tests", "content-type": "text/csv" },
        body: ["name,email", ...rows].join("\n"),
      },
    );
    assert.equal(answer.status, 200, await answer.clone().text());
  }
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function signedIn(options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto(`${server.base}/admin/login`);
  await page.locator("input[type=password]").fill(PASSWORD);
  await page.locator("form button[type=submit]").first().click();
  await page.waitForURL(/\/admin$/);
  return { context, page };
}

test("the chart, its table and the facts grow by themselves, on the dashboard and the monitor", async () => {
  const { context, page } = await signedIn();
  const errors = complaints(page);
  const monitor = await context.newPage();
  await page.goto(`${server.base}/admin/events/none?span=hour`);
  await monitor.goto(`${server.base}/admin/events/none/live`);
  await page.locator(".dash-table summary").first().click();
  await server.register("none", 1);
  for (const shown of [page, monitor]) {
    await shown.bringToFront();
    await shows(shown, 1);
    await shown.locator(".chart-name-registered b", { hasText: /^1$/ }).waitFor();
  }
  await page.bringToFront();
  const table = page.locator(".dash-table");
  assert.equal(await table.first().getAttribute("open"), "", "what is open stays open");
  assert.match(await table.locator("tbody tr").first().innerText(), /\b1\b/);
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.locator("[data-chart-png]").click(),
  ]);
  assert.equal(file.suggestedFilename(), "chart-none.png");
  const bytes = readFileSync(await file.path());
  assert.deepEqual(
    [...bytes.subarray(1, 4)],
    [..."PNG"].map((c) => c.charCodeAt(0)),
  );
  assert.ok(bytes.length > 5_000, `${bytes.length} bytes`);
  assert.deepEqual(errors, []);
  await context.close();
});

test("the picture has every event that is compared, and names only what is drawn", async () => {
  const { context, page } = await signedIn();
  await page.addInitScript(() => {
    window.written = [];
    const { fillText } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
      window.written.push(text);
      return fillText.call(this, text, ...rest);
    };
  });
  await page.goto(`${server.base}/admin/events/dozen?beside=hall`);
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.locator("[data-chart-png]").click(),
  ]);
  assert.equal(file.suggestedFilename(), "chart-dozen-hall.png");
  const bytes = readFileSync(await file.path());
  assert.deepEqual([bytes.readUInt32BE(16), bytes.readUInt32BE(20)], [2400, 2520], "one below one");
  const written = await page.evaluate(() => window.written);
  for (const words of ["The dozen", "The hall", "Registered 12", "Registered 1,200"])
    assert.ok(written.includes(words), `${words} is not among ${written.join(", ")}`);
  assert.ok(!written.some((text) => /watch/i.test(text)), written.join(", "));
  await context.close();
});

test("nothing scrolls sideways, and axe finds nothing, at 0, 12 and 1,200 people", async () => {
  const looks = [
    ["en", "light", 1280],
    ["zh-CN", "dark", 360],
    ["en", "dark", 1280],
    ["zh-CN", "light", 360],
  ];
  for (const [locale, colorScheme, width] of looks) {
    const { context, page } = await signedIn({
      locale,
      colorScheme,
      viewport: { width, height: 800 },
      reducedMotion: "reduce",
    });
    for (const path of [
      "/admin/events/none",
      "/admin/events/dozen?beside=hall",
      "/admin/events/hall?span=day",
      "/admin/events/hall/live",
      "/e/hall/chart",
    ]) {
      await page.goto(server.base + path);
      await page.locator(".chart-lines").first().waitFor();
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `${path} is ${wide} wide at ${width}`);
      // Every picture has a name, and every field a label.
      assert.equal(await page.locator("svg[role=img]:not([aria-label])").count(), 0);
      assert.deepEqual(await barriers(page), [], `${path} ${locale} ${colorScheme}`);
      if (process.env.SHOTS) {
        const name = path.replaceAll(/\W+/g, "-");
        const file = `${process.env.SHOTS}/${name}-${locale}-${colorScheme}-${width}.png`;
        await page.screenshot({ path: file, fullPage: true });
      }
    }
    await context.close();
  }
});
