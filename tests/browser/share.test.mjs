// What an organiser gives away: the address, its QR code, the poster, snippets for other sites.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORD, startBrowser, startServer, visit } from "./support.mjs";

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
  await server.organise("POST", "/events", { slug: "fair", title: "Book <fair>", capacity: 20 });
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test("the console offers the address, its code, the poster and snippets that work", async () => {
  const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  await visit(page, `${server.base}/admin/login`);
  await page.locator("input[type=password]").fill(PASSWORD);
  await page.locator("form button[type=submit]").first().click();
  await page.waitForURL(/\/admin$/);
  await visit(page, `${server.base}/admin/events/fair/share`);
  const share = page.locator("#share");
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  assert.match(await share.locator(".share-warning").innerText(), /--public-url/);
  await share.locator("[data-copy=share-address]").click();
  await share.getByText("Copied").waitFor();
  assert.equal(await copied(), `${server.base}/e/fair`);
  const drawn = await share
    .locator("img.code")
    .evaluate((image) => image.decode().then(() => true));
  assert.equal(drawn, true);
  await share.locator(".share-snippets summary").click();
  for (const [key, address] of [
    ["embed", "/embed.js"],
    ["frame", "/api/v1/events/fair/frame"],
    ["badge", "/e/fair/badge.svg"],
  ]) {
    await share.locator(`[data-copy=snippet-${key}]`).click();
    await page.waitForFunction(
      async (wanted) => (await navigator.clipboard.readText()).includes(wanted),
      server.base + address,
    );
    const [, source] = /src="([^"]+)"/.exec(await copied());
    const answer = await fetch(source, { method: "HEAD" });
    assert.equal(answer.status, 200, source);
  }
  // The files, and the poster.
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    share.locator("a[href$='qr.png']").click(),
  ]);
  assert.equal(file.suggestedFilename(), "fair.png");
  await share.locator("a[href$='/poster']").click();
  await page.waitForURL(/\/e\/fair\/poster$/);
  await context.close();
});

test("the code of an event is an image that other sites may show, and is revalidated", async () => {
  for (const [name, type] of [
    ["qr.svg", "image/svg+xml"],
    ["qr.png", "image/png"],
  ]) {
    const url = `${server.base}/e/fair/${name}`;
    const answer = await fetch(url);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("content-type"), type);
    assert.equal(answer.headers.get("access-control-allow-origin"), "*");
    const headers = { "if-none-match": answer.headers.get("etag") };
    assert.equal((await fetch(url, { headers })).status, 304);
    assert.equal((await fetch(`${server.base}/e/nobody/${name}`)).status, 404);
    const page = await browser.newPage();
    await visit(page, `${server.base}/e/fair`);
    const side = await page.evaluate(async (src) => {
      const image = Object.assign(new Image(), { src });
      await image.decode();
      return [image.naturalWidth, image.naturalHeight];
    }, url);
    assert.equal(side[0], side[1]);
    assert.ok(side[0] >= (name === "qr.png" ? 500 : 29), `${name} is ${side} wide`);
    await page.close();
  }
});

test("the poster fits on one sheet, with the code, the title and the address", async () => {
  for (const locale of ["en-GB", "zh-CN"]) {
    const context = await browser.newContext({ locale, viewport: { width: 360, height: 740 } });
    const page = await context.newPage();
    await page.goto(`${server.base}/e/fair/poster`);
    const poster = page.locator(".poster");
    assert.equal(await page.locator(".statusbar").count(), 0);
    assert.match(await poster.innerText(), /Book <fair>/);
    assert.ok((await poster.innerText()).includes(`${server.base}/e/fair`));
    assert.equal(await poster.locator("svg").isVisible(), true);
    assert.equal(
      await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
      true,
    );
    await server.organise("PATCH", "/events/fair", { title: `Book <fair> ${locale}` });
    await poster.getByRole("heading", { name: locale }).waitFor();
    await page.emulateMedia({ media: "print" });
    for (const left of [".masthead", ".foot", ".poster-tools"])
      assert.equal(await page.locator(left).isVisible(), false, left);
    const pdf = (await page.pdf({ format: "A4" })).toString("latin1");
    assert.equal(pdf.match(/\/Type \/Page\b/g).length, 1, "one sheet");
    await server.organise("PATCH", "/events/fair", { title: "Book <fair>" });
    await context.close();
  }
});
