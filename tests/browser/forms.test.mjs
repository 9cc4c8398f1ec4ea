// Forms that do not get through, and lists that follow what others do.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORD, startBrowser, startServer, visit } from "./support.mjs";

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function signIn(options = {}) {
  const page = await (await browser.newContext(options)).newPage();
  await page.goto(`${server.base}/admin/login`);
  await page.locator("input[type=password]").fill(PASSWORD);
  await page.locator("form button[type=submit]").first().click();
  await page.waitForURL(/\/admin$/);
  return page;
}

/** Everything is refused: by the network, or by a proxy that answers for a server that is away. */
const AWAY = {
  "no server": (route) => route.abort("connectionrefused"),
  "a proxy without a server": (route) => route.fulfill({ status: 502, body: "Bad Gateway" }),
};

for (const [name, answer] of Object.entries(AWAY)) {
  test(`a form that is not sent says so in place and keeps what was typed: ${name}`, async () => {
    const slug = `away-${Object.keys(AWAY).indexOf(name)}`;
    await server.organise("POST", "/events", { slug, title: "Away", capacity: 5 });
    const { token } = await server.register(slug, 1);
    const page = await signIn();
    // Every form that changes something, with whatever is filled in.
    const pages = [
      ["/admin", 1],
      [`/admin/events/${slug}`, 4],
      [`/admin/events/${slug}/people`, 3],
      [`/admin/events/${slug}/form`, 1],
      [`/admin/events/${slug}/settings`, 3],
      [`/admin/events/${slug}/audit`, 1],
      [`/r/${token}`, 1],
      [`/e/${slug}/compare`, 1],
    ];
    for (const [path, least] of pages) {
      await page.goto(server.base + path);
      await page.waitForLoadState("networkidle", { timeout: 1_000 }).catch(() => {});
      const away = (route) =>
        route.request().method() === "POST" || route.request().isNavigationRequest()
          ? answer(route)
          : route.continue();
      await page.route("**", away);
      const forms = await page.locator("form[method=post], form[role=search]").all();
      assert.ok(forms.length >= least, `${path} has ${forms.length} forms`);
      for (const form of forms) {
        const action = await form.getAttribute("action");
        const isSearch = (await form.getAttribute("role")) === "search";
        if (isSearch) await page.route("**", answer);
        const typed = form.locator("input[type=text], textarea");
        for (const field of await typed.all())
          await field.evaluate((input) => {
            input.value = "kept";
          });
        await form.evaluate((element) => {
          element.hidden = false;
          for (let at = element; at; at = at.parentElement) if ("open" in at) at.open = true;
          element.noValidate = true;
          element.requestSubmit();
        });
        const note = form.locator("[data-not-sent]");
        await note.waitFor();
        assert.match(await note.innerText(), /cannot be reached/, `${path} ${action}`);
        assert.equal(new URL(page.url()).pathname, path, action);
        for (const field of await typed.all()) assert.equal(await field.inputValue(), "kept");
        if (isSearch) await page.unroute("**", answer);
      }
      await page.unroute("**", away);
    }
    await page.context().close();
  });
}

test("a form that was not sent can be sent again, and acts once", async () => {
  await server.organise("POST", "/events", { slug: "again", title: "Again", capacity: 5 });
  const { token } = await server.register("again", 1);
  const page = await browser.newPage();
  await page.goto(`${server.base}/r/${token}`);
  const away = (route) => route.abort("connectionrefused");
  await page.route("**/cancel", away);
  await page.locator("[data-cancel] > summary").click();
  const cancel = page.locator("[data-cancel] button[type=submit]");
  await cancel.click();
  await page.waitForSelector("[data-not-sent]");
  await page.unroute("**/cancel", away);
  await cancel.click();
  await page.waitForSelector("[data-registration][data-status=cancelled]");
  assert.equal(await page.locator("[data-not-sent]").count(), 0);
  await page.close();
});

test("a registration that a server leaves unanswered says so, and registers once", async () => {
  await server.organise("POST", "/events", { slug: "slow", title: "Slow", capacity: 5 });
  const page = await browser.newPage();
  await page.addInitScript(() => {
    const { timeout } = AbortSignal;
    AbortSignal.timeout = (ms) => timeout.call(AbortSignal, ms / 20);
  });
  await visit(page, `${server.base}/e/slow`);
  const keys = [];
  const hang = (route) => keys.push(route.request().headers()["idempotency-key"]);
  await page.route("**/registrations", hang);
  await page.getByLabel("Name").fill("Ada");
  await page.getByLabel(/mail/i).fill("ada@example.org");
  await page.locator("[data-register-button]").click();
  await page.getByText("The server cannot be reached").waitFor({ timeout: 10_000 });
  assert.equal(await page.locator("[data-form-progress]").textContent(), "");
  await page.unroute("**/registrations", hang);
  page.on("request", (request) => {
    if (request.method() === "POST") keys.push(request.headers()["idempotency-key"]);
  });
  await page.locator("[data-register-button]").click();
  await page.waitForURL(/\/r\//);
  assert.equal(keys.length, 2);
  assert.equal(keys[0], keys[1]);
  await page.close();
});

test("signing in while the server is away says so; a wrong password is counted once", async () => {
  const page = await browser.newPage();
  await page.goto(`${server.base}/admin/login`);
  const away = (route) => route.abort("connectionrefused");
  await page.route("**/admin/login", away);
  await page.locator("input[type=password]").fill("wrong");
  await page.locator("form button[type=submit]").click();
  await page.waitForSelector("[data-not-sent]");
  assert.equal(await page.locator("input[type=password]").inputValue(), "wrong");
  await page.unroute("**/admin/login", away);
  const sent = [];
  page.on("request", (request) => {
    if (request.method() === "POST") sent.push(request.url());
  });
  await page.locator("form button[type=submit]").click();
  await page.waitForSelector(".form-summary:not([data-not-sent])");
  assert.equal(sent.length, 1);
  await page.close();
});

test("a moment that an event no longer waits for is not announced", async () => {
  const opens_at = "2035-01-01T10:00:00Z";
  await server.organise("POST", "/events", { slug: "soon", title: "Soon", capacity: 5, opens_at });
  const page = await browser.newPage();
  await visit(page, `${server.base}/e/soon`);
  const opens = page.locator("[data-detail=opens_at]");
  assert.match(await opens.innerText(), /^Opens /);
  await server.organise("PATCH", "/events/soon", { closed: true });
  await opens.waitFor({ state: "hidden" });
  const later = await browser.newPage();
  await visit(later, `${server.base}/e/soon`);
  assert.equal(await later.locator(".schedule").innerText(), "");
  await server.organise("PATCH", "/events/soon", { closed: false });
  await opens.waitFor({ state: "visible" });
  await later.locator("[data-detail=opens_at]").waitFor({ state: "visible" });
  await Promise.all([page.close(), later.close()]);
});

test("the link to the form for a new event opens it", async () => {
  await server.organise("POST", "/events", { slug: "first", title: "First", capacity: 5 });
  const page = await signIn();
  await visit(page, `${server.base}/admin`);
  await page.locator("a[data-opens]").click();
  const title = page.locator("#create input:not([type=hidden])").first();
  await title.waitFor({ state: "visible" });
  assert.equal(await title.evaluate((input) => input === document.activeElement), true);
  await page.close();
});

test("the console's list follows the count, with its filter, and keeps what is open", async () => {
  await server.organise("POST", "/events", { slug: "rows", title: "Rows", capacity: 9 });
  const page = await signIn();
  await page.goto(`${server.base}/admin/events/rows/people`);
  const filtered = await page.context().newPage();
  await filtered.goto(`${server.base}/admin/events/rows/people?q=person+2`);
  const rows = (of) => of.locator("#registrations tbody tr");
  assert.match(await page.locator("#registrations").innerText(), /Nobody has registered/);
  await server.register("rows", 1);
  await rows(page).first().waitFor();
  assert.doesNotMatch(await page.locator("#registrations").innerText(), /Nobody/);
  await rows(page).locator("summary").first().click();
  await server.register("rows", 2);
  await rows(page).nth(1).waitFor();
  assert.equal(await rows(page).locator("details[open]").count(), 1, "what was open stays open");
  await filtered.getByRole("rowheader", { name: "Person 2" }).waitFor();
  assert.equal(await rows(filtered).count(), 1);
  // What a row does still works after it was drawn again.
  await rows(page).locator("details[open] button").click();
  await page.waitForSelector('[data-flash][data-kind="done"]');
  await filtered.close();
  await page.context().close();
});

test("a new event appears on both lists, however many there were, and can be followed", async () => {
  const own = await startServer();
  const desk = await (await browser.newContext()).newPage();
  await desk.goto(`${own.base}/admin/login`);
  await desk.locator("input[type=password]").fill(PASSWORD);
  await desk.locator("form button[type=submit]").first().click();
  await desk.waitForURL(/\/admin$/);
  const list = await browser.newPage();
  await own.organise("DELETE", "/events/welcome?confirm=welcome");
  await list.goto(`${own.base}/`);
  await desk.goto(`${own.base}/admin`);
  assert.equal(await list.locator("[data-events-none]").isVisible(), true);
  for (const slug of ["one", "two", "three", "four"]) {
    await own.organise("POST", "/events", { slug, title: `Event ${slug}`, capacity: 5 });
    await Promise.all([list, desk].map((page) => page.waitForSelector(`[data-details=${slug}]`)));
    if (slug === "one") {
      // Now the lists begin with one event, whose stream they follow.
      assert.equal(await list.locator("[data-events-none]").isVisible(), false);
      await list.reload();
      await desk.reload();
    }
  }
  const order = (page) =>
    page.locator("[data-details]").evaluateAll((rows) => rows.map((row) => row.dataset.details));
  assert.deepEqual(await order(list), ["one", "two", "three", "four"]);
  await own.register("four", 1);
  for (const page of [list, desk]) {
    await page.waitForFunction(
      () => document.querySelector("[data-count=four] [data-count-registered]").textContent === "1",
    );
  }
  await own.organise("DELETE", "/events/three?confirm=three");
  for (const page of [list, desk])
    await page.waitForSelector("[data-count=three][data-state=gone]");
  await list.close();
  await desk.context().close();
  await own.stop();
});

test("a time that has passed is not announced as one to come", async () => {
  await server.organise("POST", "/events", {
    slug: "over",
    title: "Over",
    capacity: 5,
    opens_at: "2026-01-01T10:00:00Z",
    closes_at: new Date(Date.now() + 2_500).toISOString(),
  });
  for (const [options, before, now] of [
    [{ locale: "en-GB" }, /Open since .*Closes /s, /Closed since /],
    [{ locale: "zh-CN", javaScriptEnabled: false }, null, /已于 \S.*）截止/],
    [{ locale: "en-GB", javaScriptEnabled: false }, null, /Closed since /],
  ]) {
    const page = await (await browser.newContext(options)).newPage();
    await page.goto(`${server.base}/e/over`);
    const schedule = page.locator(".schedule");
    if (before) assert.match(await schedule.innerText(), before);
    if (before) await schedule.getByText("Closed since").waitFor();
    assert.match(await schedule.innerText(), now);
    await page.context().close();
  }
});
