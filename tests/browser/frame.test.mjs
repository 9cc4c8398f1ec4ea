// iframe streaming in a real browser: with and without JavaScript, across origins; and that nothing
// else is framed.
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { after, before, test } from "node:test";
import { startCable } from "./cable.mjs";
import { startBrowser, startServer } from "./support.mjs";

let browser;
let server;
let host;
let foreign;
const pages = new Map();
before(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
  // Another site: another port is another origin.
  host = http
    .createServer((request, response) => {
      const page = pages.get(request.url);
      response
        .writeHead(page ? 200 : 404, { "content-type": "text/html; charset=utf-8" })
        .end(page);
    })
    .listen(0, "127.0.0.1");
  await once(host, "listening");
  foreign = `http://127.0.0.1:${host.address().port}`;
});
after(async () => {
  await browser?.close();
  host?.closeAllConnections();
  host?.close();
  await server?.stop();
});

async function open(t, url, options = {}) {
  const context = await browser.newContext(options);
  t.after(() => context.close());
  const page = await context.newPage();
  // An endless document never finishes loading.
  await page.goto(url, { waitUntil: "commit" });
  return page;
}

const event = (slug, capacity = 100) =>
  server.organise("POST", "/events", { slug, title: slug, capacity });
const frameUrl = (slug) => `${server.base}/api/v1/events/${slug}/frame`;

/** Only one paragraph is visible, and it is the newest. */
async function showsOnly(page, text) {
  // Locators are asked from outside, so that it works where the page may run no script.
  await page
    .locator("p", { hasText: new RegExp(`^${text}$`) })
    .last()
    .waitFor({ state: "visible", timeout: 30_000 });
  const visible = [];
  for (const paragraph of await page.locator("p").all())
    if (await paragraph.isVisible()) visible.push(await paragraph.textContent());
  assert.deepEqual(visible, [text]);
}

for (const javaScriptEnabled of [true, false]) {
  test(`the newest number, and no other, ${javaScriptEnabled ? "with" : "without"} JavaScript`, async (t) => {
    const slug = `newest-${javaScriptEnabled}`;
    await event(slug);
    const page = await open(t, frameUrl(slug), { javaScriptEnabled });
    await showsOnly(page, "0 / 100");
    for (let n = 1; n <= 3; n += 1) {
      await server.register(slug, n);
      await showsOnly(page, `${n} / 100`);
    }
    assert.equal(
      await page.locator("p").count(),
      javaScriptEnabled ? 1 : 4,
      "a script removes what is old; without one it is hidden",
    );
  });
}

test("a page of another origin frames it, and hears every count", async (t) => {
  await event("posted");
  pages.set(
    "/posted",
    `<!doctype html><title>x</title><script>
      received = [];
      addEventListener('message', ({ data, origin }) => received.push({ data, origin }));
    </script>
    <iframe src="${frameUrl("posted")}"></iframe>`,
  );
  const page = await open(t, `${foreign}/posted`);
  await page.waitForFunction(() => globalThis.received?.length > 0);
  await server.register("posted", 1);
  await page.waitForFunction(() => globalThis.received.at(-1).data.data.registered === 1);
  const [{ data, origin }] = await page.evaluate(() => globalThis.received.slice(-1));
  assert.equal(origin, server.base);
  assert.equal(data.type, "count");
  assert.deepEqual(
    data.data,
    await (await fetch(`${server.base}/api/v1/events/posted`)).json(),
    "the same object as everywhere",
  );
});

test("embed.js puts the live number on a page of another origin", async (t) => {
  await event("embedded");
  pages.set(
    "/embedded",
    `<!doctype html><title>x</title><main><script>
      received = [];
      addEventListener('headcount', ({ detail }) => received.push(detail.registered));
    </script>
    <script src="${server.base}/embed.js" data-event="embedded" data-width="300" async></script></main>`,
  );
  const page = await open(t, `${foreign}/embedded`);
  const frame = page.frameLocator("main > iframe");
  await frame.getByText("0 / 100").waitFor();
  assert.equal(await page.locator("iframe").getAttribute("width"), "300");
  assert.ok(await page.locator("iframe").getAttribute("title"), "a screen reader can name it");
  await server.register("embedded", 1);
  await frame.getByText("1 / 100").waitFor();
  await page.waitForFunction(() => globalThis.received.at(-1) === 1);
});

test("embed.js without an event adds no frame", async (t) => {
  pages.set(
    "/nothing",
    `<!doctype html><title>x</title>
    <script src="${server.base}/embed.js" onload="loaded = true" data-event="../admin"></script>`,
  );
  const page = await open(t, `${foreign}/nothing`);
  await page.waitForFunction(() => globalThis.loaded);
  assert.equal(await page.locator("iframe").count(), 0);
});

test("nothing else of the site may be framed", async (t) => {
  const paths = [
    "/",
    "/e/welcome",
    "/e/welcome/wall",
    "/admin/login",
    "/problems",
    "/api/v1/events/welcome",
    "/api/v1/events/welcome/stream",
    "/r/nobody",
  ];
  for (const path of paths) {
    const answer = await fetch(server.base + path);
    assert.match(
      answer.headers.get("content-security-policy") ?? "",
      /frame-ancestors 'none'/,
      path,
    );
    await answer.body.cancel();
  }
  // The browser must obey it, too.
  pages.set(
    "/framing",
    `<!doctype html><title>x</title><iframe src="${server.base}/e/welcome"></iframe>`,
  );
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  const refused = page.waitForEvent("console", {
    predicate: (message) => /frame-ancestors/.test(message.text()),
    timeout: 30_000,
  });
  await page.goto(`${foreign}/framing`);
  await refused;
  // Playwright would not find anything in a frame that was refused.
  assert.equal(await page.frames()[1].locator("[data-count-registered]").count(), 0);
});

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "with" : "without";
  test(`a frame loads itself again after a drain, ${how} JavaScript`, async (t) => {
    const own = await startServer();
    const page = await open(t, `${own.base}/api/v1/events/welcome/frame`, { javaScriptEnabled });
    await showsOnly(page, "0 / 100");
    await own.stop(true);
    // It waits for four seconds at least: a restart is shorter.
    const again = await startServer([], own.folder, `127.0.0.1:${own.port}`);
    t.after(() => again.stop());
    await again.register("welcome", 1);
    await showsOnly(page, "1 / 100");
  });
}

/** What the style writes below the number: nothing while the frame is live. */
const caption = (page) =>
  page.evaluate(() => {
    const shown = [...document.querySelectorAll("p, i")].filter((element) => {
      const { content, fontSize } = getComputedStyle(element, "::after");
      const hidden = getComputedStyle(element).display === "none";
      return !hidden && content !== "none" && parseFloat(fontSize) > 0;
    });
    return shown.map((element) => getComputedStyle(element, "::after").content).join();
  });

test("after an unclean end and a long absence a frame is stale, and comes back by itself", async (t) => {
  const own = await startServer(["--heartbeat", "1s"]);
  const page = await open(t, `${own.base}/api/v1/events/welcome/frame`);
  await showsOnly(page, "0 / 100");
  assert.equal(await caption(page), "");
  await own.kill();
  await page.waitForFunction(() => document.documentElement.className === "stale", null, {
    timeout: 30_000,
  });
  assert.match(await caption(page), /Not live/);
  // Longer than any refresh: nothing may have navigated to an error page meanwhile.
  await new Promise((done) => setTimeout(done, 10_000));
  await showsOnly(page, "0 / 100");
  const again = await startServer([], own.folder, `127.0.0.1:${own.port}`);
  t.after(() => again.stop());
  await again.register("welcome", 1);
  await showsOnly(page, "1 / 100");
  assert.equal(await caption(page), "");
});

test("a restart that takes longer than the refresh does not kill a frame", async (t) => {
  const own = await startServer();
  const page = await open(t, `${own.base}/api/v1/events/welcome/frame`);
  await showsOnly(page, "0 / 100");
  await own.stop(true);
  await page.waitForFunction(() => document.documentElement.className === "stale", null, {
    timeout: 30_000,
  });
  const again = await startServer([], own.folder, `127.0.0.1:${own.port}`);
  t.after(() => again.stop());
  await again.register("welcome", 1);
  await showsOnly(page, "1 / 100");
});

test("a line that goes silent is noticed by a frame, and replaced", async (t) => {
  const own = await startServer(["--heartbeat", "1s"]);
  t.after(() => own.stop());
  const cable = await startCable(own.port);
  t.after(() => cable.close());
  const page = await open(t, `${cable.base}/api/v1/events/welcome/frame`);
  await showsOnly(page, "0 / 100");
  cable.silence();
  await page.waitForFunction(() => document.documentElement.className === "stale", null, {
    timeout: 30_000,
  });
  await own.register("welcome", 1);
  cable.mend();
  await showsOnly(page, "1 / 100");
});

test("without JavaScript a frame that was cut says so", async (t) => {
  const own = await startServer(["--heartbeat", "1s"]);
  const page = await open(t, `${own.base}/api/v1/events/welcome/frame`, {
    javaScriptEnabled: false,
  });
  await showsOnly(page, "0 / 100");
  const number = page.locator("p");
  const height = async () => (await page.locator("p, i").last().boundingBox()).height;
  // Some heartbeats, so that the sentence stands beside the newest of them.
  await page.locator("i").nth(2).waitFor({ state: "attached" });
  assert.ok((await height()) < 1, "a heartbeat takes no room");
  await own.kill();
  const deadline = performance.now() + 30_000;
  while ((await height()) < 8) assert.ok(performance.now() < deadline, "the sentence appears");
  assert.equal(await number.textContent(), "0 / 100");
});

test("a frame brings its own background, so that it can be read on any page", async (t) => {
  await event("readable");
  for (const colorScheme of ["light", "dark"])
    for (const theme of ["light", "dark", "auto"]) {
      const page = await open(t, `${frameUrl("readable")}?theme=${theme}`, { colorScheme });
      await showsOnly(page, "0 / 100");
      const [ink, paper] = await page.evaluate(() =>
        ["color", "backgroundColor"].map((of) => getComputedStyle(document.documentElement)[of]),
      );
      const bright = (color) => Number(/\d+/.exec(color)[0]) > 127;
      assert.doesNotMatch(paper, /, 0\)$/, "not transparent");
      assert.notEqual(bright(ink), bright(paper), `${ink} on ${paper}`);
      assert.equal(bright(ink), (theme === "auto" ? colorScheme : theme) === "dark");
    }
});

test("embed.js does not hold up the page's load, and passes its theme on", async (t) => {
  await event("loads");
  for (const how of ["", "async", "defer"]) {
    pages.set(
      "/loads",
      `<!doctype html><title>x</title><main>
      <script>addEventListener('load', () => { loaded = true; });</script>
      <script src="${server.base}/embed.js" data-event="loads" data-theme="dark" ${how}></script></main>`,
    );
    const page = await open(t, `${foreign}/loads`);
    await page.waitForFunction(() => globalThis.loaded);
    await page.frameLocator("iframe").getByText("0 / 100").waitFor();
    assert.match(await page.locator("iframe").getAttribute("src"), /\?theme=dark$/);
  }
});

test("embed.js does not wait for the load of a page that has a frame without end", async (t) => {
  await event("beside");
  for (const how of ["", "async", "defer"]) {
    pages.set(
      "/beside",
      `<!doctype html><title>x</title><iframe id="plain" src="${frameUrl("beside")}"></iframe><main>
      <script src="${server.base}/embed.js" data-event="beside" ${how}></script></main>`,
    );
    const context = await browser.newContext();
    t.after(() => context.close());
    const page = await context.newPage();
    await page.goto(`${foreign}/beside`, { waitUntil: "commit" });
    await page.frameLocator("main > iframe").getByText("0 / 100").waitFor({ timeout: 4_000 });
    assert.notEqual(await page.evaluate(() => document.readyState), "complete");
  }
});

for (const [locale, words] of [
  ["en-GB", "This event has been deleted"],
  ["zh-CN", "该活动已被删除"],
]) {
  test(`a frame says that its event was deleted, and keeps saying so: ${locale}`, async (t) => {
    const slug = `gone-${locale.toLowerCase()}`;
    await event(slug);
    const page = await open(t, frameUrl(slug), { locale });
    await showsOnly(page, "0 / 100");
    // Within the same document; then once more, when that has loaded itself again.
    const reloaded = page.waitForResponse(
      (answer) => answer.url().startsWith(frameUrl(slug)) && answer.status() === 404,
    );
    await server.organise("DELETE", `/events/${slug}`);
    await showsOnly(page, words);
    await reloaded;
    await showsOnly(page, words);
    assert.equal(
      await page.locator("meta[http-equiv=refresh]").count(),
      0,
      "it is not loaded for ever",
    );
  });
}
