// Every page without a mistake that axe-core finds (WCAG 2.2), on a phone and a desktop, in both languages.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { addresses, patterns } from "./pages.mjs";
import { PASSWORD, barriers, startBrowser, startServer } from "./support.mjs";

// Nobody listens there. The mails wait, and the pages about mail are there.
const MAIL = ["--smtp-url", "smtp://127.0.0.1:9?tls=none", "--mail-from", "desk@example.org"];

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

let browser;
let server;
let paths;
before(async () => {
  const here = `127.0.0.1:${await freePort()}`;
  const flags = [...MAIL, "--public-url", `http://${here}`];
  [browser, server] = await Promise.all([startBrowser(), startServer(flags, undefined, here)]);
  await server.organise("POST", "/events", {
    slug: "gala",
    title: "Winter gala",
    description: "Bring a coat.",
    capacity: 2,
    waitlist: true,
    max_party_size: 3,
    public_chart: true,
    starts_at: "2031-12-12T18:00:00Z",
    location: "Town hall",
    contact: "desk@example.org",
    questions: [
      { key: "diet", label: "Diet", kind: "choice", options: ["Any", "None"], required: false },
    ],
  });
  await server.organise("POST", "/events", {
    slug: "draft",
    title: "A draft",
    capacity: null,
    visibility: "draft",
  });
  const people = [];
  for (let n = 0; n < 4; n += 1) people.push(await server.register("gala", n));
  await server.organise("DELETE", `/events/gala/registrations/${people[3].id}`);
  paths = addresses({
    slug: "gala",
    token: people[0].token,
    "registrations/id": people[0].id,
  });
  paths.push(`/r/${people[2].token}`, "/e/draft", "/admin/events/draft/settings", "/nothing-here");
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const LOOKS = [
  { locale: "en-GB", colorScheme: "light", viewport: { width: 360, height: 800 } },
  { locale: "zh-CN", colorScheme: "dark", viewport: { width: 1280, height: 800 } },
  { locale: "zh-CN", colorScheme: "light", viewport: { width: 360, height: 800 } },
  { locale: "en-GB", colorScheme: "dark", viewport: { width: 1280, height: 800 } },
];

/** What axe finds on a page, as `path: rule: element`. */
async function mistakes(page, path) {
  const answer = await page.goto(server.base + path);
  assert.ok(answer.status() < 500, `${path}: ${answer.status()}`);
  // What is folded is looked at too.
  await page.evaluate(() => {
    for (const fold of document.querySelectorAll("details")) fold.open = true;
  });
  return (await barriers(page)).map((found) => `${path}: ${found}`);
}

test("the table of addresses has the pages that everybody knows", () => {
  for (const known of ["/", "/e/{slug}", "/r/{token}", "/admin", "/admin/events/{slug}/people"])
    assert.ok(patterns.includes(known), `${known} in ${patterns}`);
});

for (const look of LOOKS) {
  const { locale, colorScheme, viewport } = look;
  test(`axe finds nothing: ${locale}, ${colorScheme}, ${viewport.width}`, async () => {
    const context = await browser.newContext({ ...look, reducedMotion: "reduce" });
    const signIn = await context.newPage();
    const found = await mistakes(signIn, "/admin/login");
    await signIn.locator("input[type=password]").fill(PASSWORD);
    await signIn.locator("form button[type=submit]").first().click();
    await signIn.waitForURL(/\/admin$/);
    await signIn.close();
    const rest = [...paths];
    const worker = async () => {
      const page = await context.newPage();
      for (let path = rest.shift(); path; path = rest.shift())
        found.push(...(await mistakes(page, path)));
    };
    await Promise.all([worker(), worker(), worker()]);
    assert.deepEqual(found, []);
    await context.close();
  });
}
