// People who organise: accounts, tokens and sessions in the console, two organisers with different
// roles at once, and a session that ends while somebody types.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORD, complaints, lively, startBrowser, startServer } from "./support.mjs";

const ADDRESS = "ada.lovelace@example.org";
const SECRET = "correct horse battery";

let browser;
let server;
let owner;
let manager;
let viewer;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
  await server.organise("POST", "/events", { slug: "gala", title: "Spring gala", capacity: 10 });
  await server.organise("POST", "/events/gala/registrations/add", {
    name: "Ada Lovelace",
    email: ADDRESS,
  });
  owner = await newPage();
  await signIn(owner, "", PASSWORD);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function newPage(options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.complaints = complaints(page);
  return page;
}

const go = (page, path) => page.goto(server.base + path);

async function signIn(page, name, password, path = "/admin/login") {
  await go(page, path);
  await fillIn(page, name, password);
  await page.waitForURL((url) => !url.pathname.startsWith("/admin/login"));
}

async function fillIn(page, name, password) {
  await page.locator("#account-name").fill(name);
  await page.locator("#password").fill(password);
  await page.locator("main form button").click();
}

/** The owner makes an account in the console; its person sets a password by the link. */
async function join(name, role) {
  await go(owner, "/admin/accounts");
  await owner.locator("#new-name").fill(name);
  await owner.locator(`#new-role-${role}`).check();
  await owner.locator("form:has(#new-name) button").click();
  const link = await owner.locator("#secret").textContent();
  assert.match(link, /^http.*\/admin\/password\/[0-9a-f]{64}$/);
  await go(owner, "/admin/accounts");
  assert.equal(await owner.locator("#secret").count(), 0, "the link is shown once");
  const page = await newPage();
  await page.goto(link);
  await page.locator("#password").fill(SECRET);
  await page.locator("main form button").click();
  await page.waitForURL(/\/admin$/);
  return page;
}

test("an owner makes accounts whose people set their own passwords", async () => {
  manager = await join("mia", "manager");
  viewer = await join("vic", "viewer");
  await go(owner, "/admin/accounts");
  const rows = owner.locator("tbody tr");
  assert.deepEqual(await rows.locator("th").allTextContents(), ["owner", "mia", "vic"]);
  await go(manager, "/admin/account");
  assert.match(await manager.locator(".lead").textContent(), /mia.*Manager/s);
});

test("two organisers work at once, each with what their role may do", async () => {
  await go(viewer, "/admin/events/gala");
  await go(manager, "/admin/events/gala");
  assert.equal(
    await viewer.locator("main form[method=post]").count(),
    0,
    "nothing that a viewer may not do",
  );
  await manager.locator("#state form:not([hidden]) button").click();
  await manager.waitForURL(/done=closed/);
  await viewer.waitForFunction(() => document.body.textContent.includes("Closed"));
  for (const page of [manager, viewer]) {
    await go(page, "/admin/account");
    assert.equal(await page.locator(".tabs").count(), 0, "no tabs of an owner");
    for (const path of ["/admin/accounts", "/admin/tokens", "/admin/audit"]) {
      const answer = await go(page, path);
      assert.equal(answer.status(), 403, path);
      assert.match(await page.locator("h1").textContent(), /may not open this page/);
    }
  }
  await go(manager, "/admin/events/gala");
  await manager.locator("#state form:not([hidden]) button").click();
});

test("a viewer meets no email address anywhere", async () => {
  const read = async (path) => (await viewer.request.get(server.base + path)).text();
  const { registrations } = JSON.parse(await read("/api/v1/events/gala/registrations"));
  const { id } = registrations[0];
  const pages = ["", "/people", "/door", "/audit", "/share", "/live"];
  for (const path of [
    ...pages.map((tab) => `/admin/events/gala${tab}`),
    `/admin/events/gala/people?q=${ADDRESS}`,
    `/admin/events/gala/registrations/${id}`,
    "/api/v1/events/gala/registrations",
    `/api/v1/events/gala/registrations?q=${ADDRESS}`,
    "/api/v1/events/gala/registrations.csv",
    "/api/v1/events/gala/audit",
  ]) {
    const text = (await read(path)).replaceAll(`value="${ADDRESS}"`, "");
    assert.ok(!text.replaceAll(`q=${ADDRESS}`, "").includes("lovelace@"), path);
  }
  assert.match(await read("/admin/events/gala/people"), /Ada Lovelace/);
  assert.match(await read("/api/v1/events/gala/registrations.csv"), /Ada Lovelace/);
  const found = JSON.parse(await read(`/api/v1/events/gala/registrations?q=${ADDRESS}`));
  assert.equal(found.total, 0, "a search by the address finds nobody");
});

test("a token is shown once, and one that manages cannot make accounts", async () => {
  await go(owner, "/admin/tokens");
  await owner.locator("#new-name").fill("import");
  await owner.locator("form:has(#new-name) button").click();
  await owner.locator("[data-refused]").waitFor();
  assert.equal(await owner.locator("#new-name").inputValue(), "import", "nothing typed is lost");
  await owner.locator("#new-scope-manage").check();
  await owner.locator("form:has(#new-name) button").click();
  const token = await owner.locator("#secret").textContent();
  const call = (method, path, body) =>
    fetch(`${server.base}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body,
    });
  assert.equal((await call("PATCH", "/events/gala", '{"capacity":11}')).status, 200);
  const refused = await call("POST", "/accounts", '{"name":"eve","role":"owner"}');
  assert.deepEqual([refused.status, (await refused.json()).code], [403, "forbidden"]);
  await go(owner, "/admin/tokens");
  assert.ok(!(await owner.content()).includes(token), "the token is shown once");
  await owner.locator("tbody summary").click();
  await owner.locator("tbody details button").click();
  await owner.locator("tbody").waitFor({ state: "detached" });
  assert.equal((await call("GET", "/events/gala/registrations")).status, 401);
});

test("of two changes to one setting the second shows both values", async () => {
  await go(owner, "/admin/events/gala/settings");
  await go(manager, "/admin/events/gala/settings");
  const save = (page) => page.locator("form:has(#edit-location) button[type=submit]").click();
  await manager.locator("#edit-location").fill("Old barn");
  await manager.locator("#edit-contact").fill("desk@example.org");
  await owner.locator("#edit-location").fill("Great hall");
  await save(owner);
  await owner.locator("[data-flash]").waitFor();
  await save(manager);
  await manager.locator("[data-refused]").waitFor();
  assert.equal(await manager.locator("#edit-location").inputValue(), "Old barn");
  assert.equal(await manager.locator("#edit-contact").inputValue(), "desk@example.org");
  const field = manager.locator(".field:has(#edit-location)");
  assert.match(await field.textContent(), /Great hall/);
});

test("what was typed when a session ended elsewhere comes back after signing in", async () => {
  await go(manager, "/admin/events/gala/settings");
  await manager.locator("#edit-location").fill("Roof garden");
  await manager.locator("#edit-waitlist").check();

  const other = await newPage();
  await signIn(other, "mia", SECRET);
  await go(other, "/admin/account");
  assert.equal(await other.locator("#sessions tbody tr").count(), 2);
  await other.locator(".access-others button").click();
  await other.locator("[data-flash]").waitFor();
  assert.equal(await other.locator("#sessions tbody tr").count(), 1);

  await manager.locator("form:has(#edit-location) button[type=submit]").click();
  await manager.waitForURL(/\/admin\/login/);
  await fillIn(manager, "mia", SECRET);
  await manager.waitForURL(/\/admin\/events\/gala\/settings/);
  await manager.locator("[data-typed-again]").waitFor();
  assert.equal(await manager.locator("#edit-location").inputValue(), "Roof garden");
  assert.ok(await manager.locator("#edit-waitlist").isChecked());
  await manager.locator("form:has(#edit-location) button[type=submit]").click();
  await manager.locator("[data-flash]").waitFor();
  const details = await server.organise("GET", "/events/gala/details");
  assert.deepEqual([details.location, details.waitlist], ["Roof garden", true]);
});

test("what one account typed is not shown to another that signs in", async () => {
  const page = await newPage();
  await signIn(page, "mia", SECRET);
  await go(page, "/admin/events/gala/settings");
  await page.locator("#edit-location").fill("Secret garden");
  await page.context().clearCookies({ name: "headcount_session" });
  await page.locator("form:has(#edit-location) button[type=submit]").click();
  await page.waitForURL(/\/admin\/login/);
  const kept = () =>
    page.evaluate(() => Object.keys(sessionStorage).filter((key) => key.startsWith("typed:")));
  assert.equal((await kept()).length, 1);
  await fillIn(page, "", PASSWORD); // the owner, in the same tab
  await page.waitForURL(/\/admin\/events\/gala\/settings/);
  await lively(page);
  assert.notEqual(await page.locator("#edit-location").inputValue(), "Secret garden");
  assert.equal(await page.locator("[data-typed-again]").count(), 0);
  assert.deepEqual(await kept(), []);
});

test("questions that were added when a session ended are there after signing in", async () => {
  await go(manager, "/admin/events/gala/form");
  await manager.locator("button[value=add]").click();
  await manager.locator("[name='label.0']").fill("What do you eat?");
  await manager.context().clearCookies({ name: "headcount_session" });
  await manager.locator("button.button-main[value=save]").click();
  await manager.waitForURL(/\/admin\/login/);
  await fillIn(manager, "mia", SECRET);
  await manager.locator("[name='label.0']").waitFor();
  assert.equal(await manager.locator("[name='label.0']").inputValue(), "What do you eat?");
  await manager.locator("button.button-main[value=save]").click();
  await manager.locator("[data-flash]").waitFor();
  const { questions } = await server.organise("GET", "/events/gala/details");
  assert.deepEqual(
    questions.map(({ label }) => label),
    ["What do you eat?"],
  );
});

test("signing in leads where one was going, and nowhere else", async () => {
  const page = await newPage();
  await go(page, "/admin/events/gala/people?sort=name");
  await page.locator(".masthead-tools a[hreflang]").click();
  await page.waitForFunction(() => document.documentElement.lang === "zh-CN");
  await fillIn(page, "", "wrong password");
  await page.locator("[role=alert]").waitFor();
  await fillIn(page, "", PASSWORD);
  await page.waitForURL(`${server.base}/admin/events/gala/people?sort=name`);
  for (const next of ["https://example.org/", "//example.org", "/admin\\@example.org"]) {
    const away = await page.request.get(
      `${server.base}/admin/login?next=${encodeURIComponent(next)}`,
      { maxRedirects: 0 },
    );
    assert.equal(away.headers().location, "/admin", next);
  }
});

test("accounts, passwords and sessions need no script", async () => {
  const page = await newPage({ javaScriptEnabled: false });
  await signIn(page, "", PASSWORD);
  await page.locator(".nav a[href='/admin/account']").click();
  await page.locator(".tabs a[href='/admin/accounts']").click();
  await page.locator("#new-name").fill("zoe");
  await page.locator("form:has(#new-name) button").click();
  const link = await page.locator("#secret").textContent();
  const zoe = await newPage({ javaScriptEnabled: false });
  await zoe.goto(link);
  await zoe.locator("#password").fill(SECRET);
  await zoe.locator("main form button").click();
  await go(zoe, "/admin/account");
  await zoe.locator("#current").fill("not that one");
  await zoe.locator("#password").fill("another good password");
  await zoe.locator("#password-panel button").click();
  assert.match(await zoe.locator("#current-error").textContent(), /not your present password/);
  await zoe.locator("#current").fill(SECRET);
  await zoe.locator("#password").fill("another good password");
  await zoe.locator("#password-panel button").click();
  assert.match(await zoe.locator("[data-flash]").textContent(), /password is changed/);
  await signIn(await newPage({ javaScriptEnabled: false }), "zoe", "another good password");

  await go(page, "/admin/accounts");
  const row = page.locator("tr", { hasText: "zoe" });
  await row.locator("summary", { hasText: "Delete" }).click();
  await row.locator("button", { hasText: "Delete zoe" }).click();
  assert.equal(await page.locator("tr", { hasText: "zoe" }).count(), 0);
  const gone = await zoe.goto(`${server.base}/admin/account`);
  assert.match(gone.url(), /\/admin\/login\?next=%2Fadmin%2Faccount$/);
  await go(page, "/admin/audit");
  const log = await page.locator("table").textContent();
  for (const expected of ["create an account", "delete an account", "zoe", "create a token"])
    assert.ok(log.includes(expected), expected);
  assert.ok(!log.includes("hc_") && !/[0-9a-f]{64}/.test(log), "no secret");
});

test("no page complained", () => {
  const expected = /status of (401|403|412|422)/;
  for (const page of [owner, manager, viewer])
    assert.deepEqual(
      page.complaints.filter((text) => !expected.test(text)),
      [],
    );
});
