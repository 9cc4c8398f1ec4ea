// When and where: the organiser moves an event across a change of the clocks, and every open page
// follows; another library reads the calendar files as the same instants.
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { newFolder, run } from "./processes.mjs";
import { PASSWORD, complaints, says, startBrowser, startServer } from "./support.mjs";

// scripts/test creates it.
const python =
  process.env.HEADCOUNT_PYTHON ??
  fileURLToPath(new URL("../../target/python/bin/python", import.meta.url));
/** What the library makes of a file: `[uid, start, end]` for each event, in UTC. */
const READ = `
import datetime, json, sys
from icalendar import Calendar
calendar = Calendar.from_ical(open(sys.argv[1], "rb").read())
utc = lambda at: at.dt.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%MZ")
print(json.dumps([[str(event["UID"]), utc(event["DTSTART"]), utc(event["DTEND"])] for event in calendar.walk("VEVENT")]))
`;

const folder = newFolder();
let server;
let browser;
before(async () => {
  assert.ok(existsSync(python), `${python} is missing: scripts/test creates it`);
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  folder.remove();
});

async function read(path) {
  const answer = await fetch(server.base + path);
  assert.equal(answer.status, 200, path);
  const file = join(folder.path, "event.ics");
  writeFileSync(file, Buffer.from(await answer.arrayBuffer()));
  const found = await run(python, ["-c", READ, file]);
  assert.equal(found.code, 0, found.err);
  return JSON.parse(found.out);
}

const seen = (page, text) =>
  page.waitForFunction(
    (wanted) => document.querySelector("main").innerText.includes(wanted),
    text,
    { timeout: 30_000 },
  );

test("an event that moves across a change of the clocks moves on every open page", async () => {
  await server.organise("POST", "/events", {
    slug: "dinner",
    title: "Dinner </script><script>",
    capacity: 5,
    starts_at: "2027-03-27T18:00:00Z",
    ends_at: "2027-03-27T21:00:00Z",
    time_zone: "Europe/Berlin",
    location: "Town hall",
    online_url: "https://meet.example.org/room",
  });
  const { token } = await server.register("dinner", 1);
  const context = await browser.newContext({ timezoneId: "America/New_York", locale: "en-GB" });
  const pages = [];
  for (const path of ["/", "/e/dinner", `/r/${token}`, "/e/dinner/wall"]) {
    const page = await context.newPage();
    const found = complaints(page);
    await page.goto(server.base + path);
    await says(page, "live", "polling");
    await seen(page, "Sat 27 Mar 2027, 19:00–\u206022:00 CET");
    // The visitor's own clocks, which went forward already; a wall screen has no visitor of its own.
    const isOwn = !path.endsWith("/wall");
    if (isOwn) await seen(page, "14:00");
    pages.push({ page, found, isOwn });
  }
  const own = pages[2].page;
  assert.equal(await own.locator(".when-online a").innerText(), "https://meet.example.org/room");

  const console_ = await browser.newContext({ timezoneId: "Asia/Tokyo" });
  const desk = await console_.newPage();
  await desk.goto(`${server.base}/admin/login`);
  await desk.locator("[name=password]").fill(PASSWORD);
  await desk.locator("main form [type=submit]").click();
  await desk.waitForURL(/admin$/);
  await desk.goto(`${server.base}/admin/events/dinner/settings`);
  assert.equal(await desk.locator("#edit-starts").inputValue(), "2027-03-27T19:00");
  await desk.locator("#edit-starts").fill("2027-03-28T02:30");
  await desk.locator("#edit-ends").fill("2027-03-28T22:00");
  await desk.locator("#edit-location").fill("Library");
  await desk.locator("[data-edit-form] [type=submit]").click();
  await desk.waitForURL(/done=edited-moved/);
  await seen(desk, "clocks go forward");
  assert.equal(await desk.locator("#edit-starts").inputValue(), "2027-03-28T03:30");
  for (const { page, found, isOwn } of pages) {
    await seen(page, "Sun 28 Mar 2027, 03:30–\u206022:00 CEST");
    await seen(page, "Library");
    if (isOwn) await seen(page, "21:30");
    assert.deepEqual(found, []);
  }
  const expected = ["2027-03-28T01:30Z", "2027-03-28T20:00Z"];
  for (const path of ["/e/dinner/event.ics", `/r/${token}/event.ics`, "/events.ics"])
    assert.deepEqual(
      (await read(path)).map(([, ...times]) => times),
      [expected],
      path,
    );
  await server.organise("PATCH", "/events/dinner", { online_url: "https://meet.example.org/hall" });
  await own.waitForFunction(() => document.querySelector(".when-online a").href.endsWith("/hall"));
  await Promise.all([context.close(), console_.close()]);
});

test("another library reads every zone's files as the same instants", async () => {
  const times = [
    ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"], // both are half past two in Berlin
    ["2027-03-14T06:30:00Z", "2027-03-14T07:30:00Z"], // the gap of New York
    ["2027-04-03T14:45:00Z", "2027-04-03T15:15:00Z"], // both are a quarter to two on Lord Howe Island
    ["2026-07-01T10:00:00Z", "2026-12-01T10:00:00Z"],
  ];
  const zones = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Shanghai",
    "UTC",
  ];
  const expected = new Map();
  for (const [z, time_zone] of zones.entries())
    for (const [t, [starts_at, ends_at]] of times.entries()) {
      const slug = `at-${z}-${t}`;
      const event = { slug, title: slug, capacity: 1, starts_at, ends_at, time_zone };
      await server.organise("POST", "/events", event);
      expected.set(
        slug,
        [starts_at, ends_at].map((at) => at.replace(":00Z", "Z")),
      );
    }
  const found = await read("/events.ics");
  for (const [slug, instants] of expected) {
    const [, ...read] = found.find(([uid]) => uid.startsWith(`${slug}-`));
    assert.deepEqual(read, instants, slug);
  }
});
