// No page scrolls sideways, whatever an organiser or a visitor has typed, at any width, in either
// language, at 200 % text, and whichever fonts a machine has.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORD, shows, startBrowser, startServer } from "./support.mjs";

const SLUG = "s".repeat(64);
const LONG = "W".repeat(200);
const WIDTHS = [...Array.from({ length: 16 }, (_, n) => 320 + 64 * n), 360, 600, 1920];
// Letters of another machine's fonts may be wider.
const FONTS = {
  "its own fonts": "",
  "wide fonts": "html{font-size:112%}*{letter-spacing:.08em!important}",
};

let browser;
let server;
let visitor;
let webhook;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
  await server.organise("POST", "/events", {
    slug: SLUG,
    title: LONG,
    description: `${"ß".repeat(300)}\n${"长".repeat(300)}\n${"https://example.org/".repeat(20)}`,
    capacity: 1,
    waitlist: true,
    opens_at: "2026-01-01T00:00:00Z",
    closes_at: "2099-12-31T23:59:59Z",
  });
  for (const slug of ["two-places", "three-places", "seven-places", "a-million"]) {
    const capacity = { "two-places": 2, "three-places": 3, "seven-places": 7 }[slug] ?? 1_000_000;
    await server.organise("POST", "/events", { slug, title: slug, capacity });
  }
  webhook = await server.organise("POST", "/webhooks", {
    url: `https://1.1.1.1/${"w".repeat(500)}`,
    event: SLUG,
    active: false,
  });
  const register = async (name, email) => {
    const answer = await fetch(`${server.base}/api/v1/events/${SLUG}/registrations`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name, email }),
    });
    assert.equal(answer.status, 201, await answer.clone().text());
    return answer.json();
  };
  visitor = await register(LONG, `${"m".repeat(64)}@${"d".repeat(60)}.${"d".repeat(60)}.example`);
  await register("Second", "second@example.org");
  const name = "W".repeat(64);
  await server.organise("POST", "/accounts", { name, role: "viewer" });
  await server.organise("POST", "/tokens", { name, scopes: ["read", "manage"], event: SLUG });
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const paths = () => [
  "/",
  `/e/${SLUG}`,
  `/e/${SLUG}/wall`,
  `/e/${SLUG}/compare`,
  `/r/${visitor.token}`,
  `/e/${SLUG}/poster`,
  "/e/seven-places",
  "/e/a-million",
  "/problems",
  "/nothing-here",
  "/admin",
  "/admin/webhooks",
  `/admin/webhooks/${webhook.id}`,
  ...["account", "accounts", "tokens", "audit"].map((page) => `/admin/${page}`),
  ...["", "/people", "/form", "/share", "/settings", "/audit", "/add", "/import", "/door"].map(
    (tab) => `/admin/events/${SLUG}${tab}`,
  ),
];

async function open(options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto(`${server.base}/admin/login`);
  await page.locator("input[type=password]").fill(PASSWORD);
  await page.locator("form button[type=submit]").first().click();
  await page.waitForURL(/\/admin$/);
  return { context, page };
}

/**
 * What is wider than the window: all that makes the page scroll sideways, and what is cut off at the
 * right edge. What scrolls in a frame of its own is neither.
 */
const sideways = (page, style = "") =>
  page.evaluate((style) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    document.adoptedStyleSheets = [sheet];
    const { scrollWidth, clientWidth } = document.documentElement;
    const scrolls = Math.max(scrollWidth, document.body.scrollWidth) > clientWidth;
    const isFramed = (element) => {
      for (let at = element; at && at !== document.body; at = at.parentElement) {
        const { overflowX, clipPath } = getComputedStyle(at);
        if (overflowX !== "visible" || clipPath !== "none") return true;
      }
      return false;
    };
    const over = [...document.querySelectorAll("body *")].filter(
      (element) =>
        element.getBoundingClientRect().right > clientWidth + 1 && (scrolls || !isFramed(element)),
    );
    const found = over.slice(0, 5).map((element) => `${element.tagName}.${element.className}`);
    return scrolls ? [`the page is ${scrollWidth} wide`, ...found] : found;
  }, style);

for (const locale of ["en-GB", "zh-CN"]) {
  test(`no page scrolls sideways: ${locale}`, async () => {
    const { context, page } = await open({ locale, viewport: { width: 320, height: 800 } });
    for (const path of paths()) {
      await page.goto(server.base + path);
      for (const details of await page.locator("details").all())
        await details.evaluate((element) => element.setAttribute("open", ""));
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 800 });
        for (const [name, style] of Object.entries(FONTS))
          assert.deepEqual(await sideways(page, style), [], `${path} at ${width} in ${name}`);
      }
    }
    await context.close();
  });
}

test("a table scrolls in a frame that the keyboard reaches and that has a name", async () => {
  const { context, page } = await open({ viewport: { width: 700, height: 800 } });
  for (const path of [`/admin/events/${SLUG}/people`, `/admin/events/${SLUG}/audit`]) {
    await page.goto(server.base + path);
    const tables = await page.locator("table").evaluateAll((all) =>
      all.map((table) => {
        const frame = table.parentElement;
        const { overflowX, position } = getComputedStyle(frame);
        const name = document.getElementById(frame.getAttribute("aria-labelledby"))?.textContent;
        return { overflowX, position, tabIndex: frame.tabIndex, role: frame.role, name };
      }),
    );
    assert.ok(tables.length > 0, path);
    for (const { name, ...frame } of tables) {
      assert.match(name, /\w/);
      // Positioned, so that hidden labels in a cell are placed in it and not beside the window.
      const expected = { overflowX: "auto", position: "relative", tabIndex: 0, role: "region" };
      assert.deepEqual(frame, expected, path);
    }
  }
  await context.close();
});

test("text at 200 % on a phone fits", async () => {
  const { context, page } = await open({ viewport: { width: 360, height: 740 } });
  for (const path of paths()) {
    await page.goto(server.base + path);
    await page.evaluate(() => document.documentElement.style.setProperty("font-size", "200%"));
    assert.deepEqual(await sideways(page), [], path);
  }
  await context.close();
});

test("no sentence about the number is cut, and no word of it broken, on a phone and at 200 %", async () => {
  const { context, page } = await open({ viewport: { width: 360, height: 740 } });
  const cut = () =>
    page.evaluate(() =>
      [...document.querySelectorAll(".statusbar[data-live] .statusbar-text, .statusbar-side")]
        .filter((element) => element.getClientRects().length)
        .filter((element) => {
          const range = document.createRange();
          const words = [...element.childNodes].flatMap((node) =>
            [...node.textContent.matchAll(/[^\s,:]+/g)].map(({ 0: word, index }) => ({
              node,
              word,
              index,
            })),
          );
          const broken = words.some(({ node, word, index }) => {
            const text = node.nodeType === Node.TEXT_NODE ? node : node.firstChild;
            range.setStart(text, index);
            range.setEnd(text, index + word.length);
            return word.length < 20 && range.getClientRects().length > 1;
          });
          return broken || element.scrollWidth > element.clientWidth + 1;
        })
        .map((element) => element.textContent.trim()),
    );
  for (const size of ["100%", "200%"]) {
    for (const path of [
      "/",
      "/admin",
      "/e/welcome",
      "/e/a-million/compare",
      `/r/${visitor.token}`,
    ]) {
      await page.goto(server.base + path);
      await page.evaluate(
        (font) => document.documentElement.style.setProperty("font-size", font),
        size,
      );
      if (!path.endsWith("compare"))
        await page.waitForSelector("[data-live]:not([data-mode=connecting], [data-mode=still])");
      assert.deepEqual(await cut(), [], `${path} at ${size}`);
    }
  }
  await context.close();
});

test("a number's comma covers no text, and a title that is cut shows no part of another line", async () => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await server.organise("POST", "/events", {
    slug: "no-limit",
    title: "没".repeat(150),
    capacity: null,
  });
  for (const path of [
    "/",
    "/e/no-limit",
    "/e/no-limit/wall",
    "/e/a-million",
    "/e/a-million/wall",
  ]) {
    await page.goto(server.base + path);
    const found = await page.evaluate(() => {
      const found = [];
      for (const root of document.querySelectorAll("[data-count]")) {
        const number = root.querySelector(".figure-number");
        number.textContent = "1,234";
        if (Number(root.dataset.digits) < 4) root.dataset.digits = 4;
        const mark = number.appendChild(document.createElement("i"));
        Object.assign(mark.style, { display: "inline-block", inlineSize: 0 });
        const baseline = mark.getBoundingClientRect().bottom;
        const pen = document.createElement("canvas").getContext("2d");
        pen.font = getComputedStyle(number).font;
        const tail = baseline + pen.measureText(",").actualBoundingBoxDescent;
        for (const below of root.querySelectorAll(".figure-capacity, .facts, .rail")) {
          const { top, bottom, left } = below.getBoundingClientRect();
          const isBeside = left >= number.getBoundingClientRect().right;
          if (!isBeside && bottom > baseline + 5 && top < tail)
            found.push(`${root.dataset.count}: ${below.className}`);
        }
      }
      const title = document.querySelector(".wall-title");
      if (title) {
        const { lineHeight, webkitLineClamp } = getComputedStyle(title);
        const lines = parseFloat(lineHeight) * Number(webkitLineClamp);
        if (title.getBoundingClientRect().height > lines + 1)
          found.push("the title is higher than its lines");
      }
      return found;
    });
    assert.deepEqual(found, [], path);
  }
  await server.organise("DELETE", "/events/no-limit?confirm=no-limit");
  await context.close();
});

/** The boxes of these elements, and which of them overlap or leave the screen. */
const collisions = (page, selectors) =>
  page.evaluate((wanted) => {
    const boxes = wanted.flatMap((selector) =>
      [...document.querySelectorAll(selector)]
        .filter((element) => element.getClientRects().length && element.textContent.trim())
        .map((element) => ({ selector, box: element.getBoundingClientRect() })),
    );
    const found = [];
    for (const [n, { selector, box }] of boxes.entries()) {
      const out =
        box.left < -1 || box.top < -1 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1;
      if (out) found.push(`${selector} is out of the screen: ${JSON.stringify(box)}`);
      for (const other of boxes.slice(n + 1)) {
        const apart =
          box.right <= other.box.left + 1 ||
          other.box.right <= box.left + 1 ||
          box.bottom <= other.box.top + 1 ||
          other.box.bottom <= box.top + 1;
        if (!apart) found.push(`${selector} overlaps ${other.selector}`);
      }
    }
    return found;
  }, selectors);

test("on the wall long facts take no room from the number", async () => {
  const settings = { title: "Held", capacity: 5, waitlist: true, max_party_size: 4 };
  const starts_at = "2026-12-12T18:00:00Z";
  const short = { starts_at, location: "Hall", contact: "Ada" };
  await server.organise("POST", "/events", { slug: "held", ...settings, ...short });
  for (const [name, party_size] of [
    ["ada", 3],
    ["bob", 4],
  ])
    await fetch(`${server.base}/api/v1/events/held/registrations`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name, email: `${name}@example.org`, party_size }),
    });
  const context = await browser.newContext();
  const page = await context.newPage();
  const sizes = async () => {
    const found = [];
    for (const [width, height] of [
      [1024, 768],
      [1920, 1080],
      [800, 1280],
    ]) {
      await page.setViewportSize({ width, height });
      found.push(
        await page.evaluate(() => {
          const number = document.querySelector(".figure-number");
          const { top, bottom } = number.getBoundingClientRect();
          const isWhole =
            top >= document.querySelector(".wall-head").offsetTop && bottom < innerHeight;
          return [getComputedStyle(number).fontSize, isWhole];
        }),
      );
    }
    return found;
  };
  await page.goto(`${server.base}/e/held/wall`);
  const before = await sizes();
  assert.ok(before.every(([, isWhole]) => isWhole));
  const words = "A hall with a name that does not end ".repeat(9).slice(0, 200);
  await server.organise("PATCH", "/events/held", { location: words, contact: words });
  await page.reload();
  assert.match(await page.locator(".when-place").innerText(), /^A hall/);
  assert.deepEqual(await sizes(), before);
  await server.organise("DELETE", "/events/held?confirm=held");
  await context.close();
});

test("on the wall nothing overlaps and nothing leaves the screen", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const parts = [
    ".wall-title",
    ".figure-number",
    ".figure-capacity",
    ".facts",
    ".wall-qr",
    ".wall-invite-text",
    ".notice",
    ".statusbar",
  ];
  for (const slug of [SLUG, "seven-places", "a-million", "welcome"]) {
    await page.goto(`${server.base}/e/${slug}/wall`);
    for (const announced of [false, true]) {
      if (announced) {
        await page.waitForSelector("[data-live][data-mode=live]");
        const text = `Doors open at 18:00. ${"Please wait in the foyer. ".repeat(10)}`;
        await server.organise("POST", `/events/${slug}/announcements`, { text });
        await page.waitForSelector(".notice");
      }
      for (const [width, height] of [
        [1024, 768],
        [1280, 720],
        [1920, 1080],
        [3840, 2160],
        [1080, 1920],
        [800, 1280],
      ]) {
        await page.setViewportSize({ width, height });
        assert.deepEqual(
          await collisions(page, parts),
          [],
          `${slug} at ${width}×${height}${announced ? " with an announcement" : ""}`,
        );
      }
    }
  }
  await context.close();
});

test("on the spare monitor nothing overlaps, also under a long title", async () => {
  const { context, page } = await open();
  const parts = [
    ".monitor-title",
    ".figure-number",
    ".figure-capacity",
    ".facts",
    ".chart",
    ".dash-facts",
    ".notice",
    ".statusbar",
  ];
  for (const slug of [SLUG, "a-million", "seven-places"]) {
    await page.goto(`${server.base}/admin/events/${slug}/live`);
    await page.waitForSelector("[data-live][data-mode=live]");
    for (const [width, height] of [
      [1024, 768],
      [1280, 720],
      [1920, 1080],
      [3840, 2160],
    ]) {
      await page.setViewportSize({ width, height });
      assert.deepEqual(await collisions(page, parts), [], `${slug} at ${width}×${height}`);
    }
  }
  await context.close();
});

test("the rail has one mark for each of a few places, from edge to edge, before and after a change", async () => {
  const context = await browser.newContext({
    viewport: { width: 800, height: 700 },
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  const rail = () =>
    page.locator("[data-count-rail]").evaluate((svg) => {
      // Geometry, without the strokes: their box is wrong where a drawing is stretched.
      const { width } = svg.getBoundingClientRect();
      const scale = width / svg.viewBox.baseVal.width;
      const marks = (name) => svg.querySelector(`.rail-${name}`).getAttribute("d");
      const part = (name) => {
        const { x, width: across } = svg.querySelector(`.rail-${name}`).getBBox();
        return { left: x * scale, right: (x + across) * scale };
      };
      const drawn = ["free", "taken"].filter((name) => marks(name)).map(part);
      return {
        counts: ["free", "taken"].map((name) => marks(name).split("M").length - 1),
        left: Math.min(...drawn.map(({ left }) => left)),
        right: width - Math.max(...drawn.map(({ right }) => right)),
        // As it is set: the drawn one moves there.
        needle: Number(/^M([\d.]+)/.exec(marks("needle"))?.[1]) * scale,
        width,
      };
    });
  for (const [slug, places] of [
    ["two-places", 2],
    ["three-places", 3],
    ["seven-places", 7],
  ]) {
    await page.goto(`${server.base}/e/${slug}`);
    for (let taken = 0; taken <= places; taken += 1) {
      if (taken > 0) await server.register(slug, taken);
      await shows(page, taken);
      const { counts, left, right, needle, width } = await rail();
      assert.deepEqual(counts, [places - taken, taken], slug);
      const margin = width / places / 4;
      assert.ok(left < margin && right < margin, `${slug}: ${left} and ${right} of ${width}`);
      if (taken > 0)
        assert.ok(
          Math.abs(needle - (taken / places) * width) < margin,
          `${slug}: the needle stands at the last place taken: ${needle} of ${width}`,
        );
    }
  }
  await context.close();
});
