// The compare page in a real browser: eight lines, one number.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { complaints, shows, startBrowser, startServer } from "./support.mjs";

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([
    startBrowser([], { quic: true }),
    startServer(["--webtransport-listen", "127.0.0.1:0"]),
  ]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Waits until all eight lanes are live and say `expected`. */
async function all(page, expected) {
  await page.waitForFunction(
    (wanted) => {
      const lanes = [...document.querySelectorAll("[data-lane]")];
      return (
        lanes.length === 8 &&
        lanes.every(
          (lane) =>
            lane.dataset.state === "live" &&
            lane.querySelector("[data-number]").textContent.replace(/\D/g, "") === wanted,
        )
      );
    },
    String(expected),
    { timeout: 30_000 },
  );
}

async function lab(options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const found = complaints(page);
  await page.goto(`${server.base}/e/welcome/compare`);
  await page.locator('form[action="/compare/lab"] button').click();
  await page.waitForURL(/\/e\/lab\/compare$/);
  return { context, page, found };
}

const count = async (slug) => (await fetch(`${server.base}/api/v1/events/${slug}`)).json();
const registered = async (slug) => (await count(slug)).registered;
const figure = (page, key, name) =>
  page.locator(`[data-lane="${key}"] [data-${name}]`).textContent();

test("all eight show the same number, a burst ends at the same number on all of them, and no real event is touched", async () => {
  const { context, page, found } = await lab();
  const { registered: at, revision: before } = await count("lab");
  await all(page, at);
  for (const n of [1, 2]) {
    await page.locator('[data-register="1"]').click();
    await all(page, at + n);
  }
  await page.locator('[data-register="50"]').click();
  await all(page, at + 52);
  await shows(page, at + 52);
  assert.equal(await registered("welcome"), 0);
  // Every change is accounted for on every line: shown, or skipped over. People who were committed
  // together are one change.
  const changes = (await count("lab")).revision - before;
  assert.ok(changes >= 3 && changes <= 52, `${changes} changes`);
  await page.waitForFunction(
    (wanted) =>
      [...document.querySelectorAll("[data-lane]")].every(
        (lane) =>
          Number(lane.querySelector("[data-seen]").textContent) +
            Number(lane.querySelector("[data-skipped]").textContent) ===
          wanted,
      ),
    changes,
    { timeout: 30_000 },
  );
  // The verdict and the order come from the figures: the interval poll is last.
  await page.waitForFunction(
    () =>
      document.querySelector("[data-lanes] > :last-child").dataset.lane === "poll" &&
      document.querySelector("[data-lanes] > :first-child [data-rank]").textContent === "1",
    undefined,
    { timeout: 30_000 },
  );
  assert.match(await page.locator("[data-verdict]").textContent(), /^Pick /);
  // The same order in one glance: every transport with its mean age, the longest bar last. Both are read at
  // once, because every change may order them anew.
  const { chart, lanes } = await page.evaluate(() => ({
    chart: [...document.querySelectorAll("[data-ranking] > li")].map((row) => ({
      key: row.dataset.ranked,
      age: row.querySelector("[data-mean]").textContent,
      length: Number(row.style.getPropertyValue("--length")),
    })),
    lanes: [...document.querySelectorAll("[data-lane]")].map((lane) => lane.dataset.lane),
  }));
  assert.deepEqual(
    chart.map(({ key }) => key),
    lanes,
  );
  assert.ok(
    chart.every(({ age, length }) => /\d/.test(age) && length <= 1),
    JSON.stringify(chart),
  );
  assert.ok(chart.at(-1).key === "poll" && chart.at(-1).length === 1, JSON.stringify(chart));
  assert.equal(await page.locator("[data-doctor] li").count(), 7);
  assert.equal(await figure(page, "sse", "requests"), "1");
  assert.deepEqual(found, [], "no error, nothing refused by the policy");
  await context.close();
});

test("a cut line resumes where it was", async () => {
  const { context, page, found } = await lab();
  const at = await registered("lab");
  await all(page, at);
  await page.locator("[data-cut]").click();
  await page.waitForFunction(() =>
    [...document.querySelectorAll("[data-lane]")].every((lane) => lane.dataset.state === "cut"),
  );
  await server.register("lab", `cut-${at}`);
  await all(page, at + 1);
  for (const key of [
    "sse",
    "ndjson",
    "websocket",
    "webtransport",
    "socketio",
    "long-poll",
    "frame",
    "poll",
  ]) {
    await page.waitForFunction(
      (lane) =>
        document.querySelector(`[data-lane="${lane}"] [data-reconnects]`).textContent === "1",
      key,
    );
  }
  assert.deepEqual(found, []);
  await context.close();
});

/** The figures of every transport, from its lane and from the ranking. */
const figures = (page) =>
  page.locator("[data-ranking] > li").evaluateAll((rows) =>
    rows.map((row) => {
      const lane = document.querySelector(`[data-lane="${row.dataset.ranked}"]`);
      return {
        key: row.dataset.ranked,
        place: row.querySelector("[data-place]").textContent,
        age: row.querySelector("[data-mean]").textContent,
        length: row.style.getPropertyValue("--length"),
        lanePlace: lane.querySelector("[data-rank]").textContent,
        laneAge: lane.querySelector("[data-age]").textContent,
      };
    }),
  );

test("ranks, bars and figures agree, in the ranking and in the lanes", async () => {
  const { context, page } = await lab();
  const at = await registered("lab");
  await all(page, at);
  for (let round = 0; round < 5; round += 1) {
    await page.locator('[data-register="1"]').click();
    await all(page, at + round + 1);
    if (round < 2) {
      // One or two changes say more about chance than about a transport.
      await page.locator("[data-why]", { hasText: `after ${2 - round} more change` }).waitFor();
      const means = await page.locator("[data-mean]").allTextContents();
      assert.ok(
        means.every((age) => age === "–"),
        means.join(),
      );
      continue;
    }
    await page.waitForFunction(() =>
      [...document.querySelectorAll("[data-mean]")].every(({ textContent }) =>
        /\d/.test(textContent),
      ),
    );
    const shown = await figures(page);
    for (const a of shown) {
      assert.equal(a.laneAge, a.age, a.key);
      assert.equal(a.lanePlace, a.place, a.key);
      for (const b of shown) {
        assert.equal(a.age === b.age, a.place === b.place, JSON.stringify([a, b]));
        assert.equal(a.age === b.age, a.length === b.length, JSON.stringify([a, b]));
        if (Number(a.place) < Number(b.place))
          assert.ok(Number(a.length) < Number(b.length), JSON.stringify([a, b]));
      }
    }
  }
  await context.close();
});

// The test driver switches the cache off by a flag of its own.
for (const [name, options] of [
  ["from the back/forward cache", { ignoreDefaultArgs: ["--disable-back-forward-cache"] }],
  ["loaded anew", {}],
])
  test(`Back starts the comparison again: ${name}`, async (t) => {
    const slug = `back-${name.length}`;
    await server.organise("POST", "/events", { slug, title: slug, capacity: 10 });
    const own = await startBrowser([], { quic: true, ...options });
    t.after(() => own.close());
    const page = await (await own.newContext()).newPage();
    await page.goto(`${server.base}/e/${slug}/compare`);
    await all(page, 0);
    for (let n = 1; n <= 2; n += 1) {
      await page.locator(".wordmark").click();
      await page.waitForURL(`${server.base}/`);
      await server.register(slug, n);
      // A page out of the cache fires no `load`.
      await page.goBack({ waitUntil: "commit" });
      await all(page, n);
    }
  });

test("a second page takes the lines over, and the first one says that it stopped and can continue", async () => {
  const context = await browser.newContext();
  const [first, second] = [await context.newPage(), await context.newPage()];
  await first.goto(`${server.base}/e/welcome/compare`);
  await all(first, await registered("welcome"));
  assert.equal(await first.locator("[data-stopped]").isVisible(), false);
  await second.goto(`${server.base}/e/welcome/compare`);
  await all(second, await registered("welcome"));
  await first.locator("[data-stopped]").waitFor({ state: "visible" });
  assert.ok(
    await first
      .locator("[data-lane]")
      .evaluateAll((lanes) => lanes.every((lane) => lane.dataset.state === "stopped")),
  );
  await first.locator("[data-start]").click();
  await all(first, await registered("welcome"));
  await second.locator("[data-stopped]").waitFor({ state: "visible" });
  await context.close();
});

test("in Chinese, narrow and dark, nothing runs out of the page", async () => {
  const { context, page, found } = await lab({
    locale: "zh-CN",
    colorScheme: "dark",
    viewport: { width: 360, height: 740 },
  });
  await all(page, await registered("lab"));
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 360));
  const { bottom } = await page
    .locator("[data-ranking]")
    .evaluate((chart) => chart.getBoundingClientRect());
  assert.ok(bottom <= 740, `verdict and ranking are seen without scrolling: ${bottom}`);
  assert.match(await page.locator("h1").textContent(), /实时/);
  assert.deepEqual(found, []);
  await context.close();
});

test("without JavaScript the page shows the number and explains, and its frame is live", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  // The frame never finishes loading, and so neither does the page.
  await page.goto(`${server.base}/e/welcome/compare`, { waitUntil: "commit" });
  await page.locator(".picks-list").waitFor();
  assert.equal(await page.locator("[data-count-registered]").textContent(), "0");
  assert.equal(await page.locator(".picks-list > div").count(), 8);
  assert.ok(
    !(await page.locator("[data-lanes]").isVisible()),
    "nothing that does not work is shown",
  );
  await server.register("welcome", "still");
  await page
    .frameLocator(".compare-still-frame")
    .locator("p:visible")
    .filter({ hasText: "1" })
    .waitFor({ timeout: 30_000 });
  await context.close();
});

test("where WebTransport cannot run the page says why, and ranks the other seven", async (t) => {
  const without = await startServer();
  t.after(() => without.stop());
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  const found = complaints(page);
  const state = (wanted) =>
    page.waitForFunction(
      (expected) => {
        const states = [...document.querySelectorAll("[data-lane]")].map(({ dataset }) => [
          dataset.lane,
          dataset.state,
        ]);
        return states.every(([key, is]) => is === (key === "webtransport" ? expected : "live"));
      },
      wanted,
      { timeout: 30_000 },
    );
  const said = () => figure(page, "webtransport", "shown-state");
  await page.goto(`${without.base}/e/welcome/compare`);
  await state("off");
  assert.equal(await said(), "Off at this server");
  assert.equal(await figure(page, "webtransport", "number"), "–", "it shows no number");
  await page.locator("[data-doctor] li", { hasText: "does not offer WebTransport" }).waitFor();
  // An older browser: older versions of Safari are without it.
  await page.addInitScript(() => delete globalThis.WebTransport);
  await page.goto(`${server.base}/e/welcome/compare`);
  await state("unsupported");
  assert.equal(await said(), "Not in this browser");
  // The lines that cannot run are not cut, and not tried again and again.
  await page.locator("[data-cut]").click();
  await state("unsupported");
  assert.equal(await figure(page, "webtransport", "reconnects"), "0");
  assert.deepEqual(
    found.filter((text) => !text.includes("404")),
    [],
  );
});
