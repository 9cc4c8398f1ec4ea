// Forms that are refused: by the page itself, beside the field and in its language, and by the server,
// whose one answer is shown in place.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORD, barriers, startBrowser, startServer, visit } from "./support.mjs";

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
  await server.organise("POST", "/events", { slug: "gala", title: "Gala", capacity: 5 });
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function signIn(options = {}) {
  const page = await (await browser.newContext(options)).newPage();
  await visit(page, `${server.base}/admin/login`);
  await page.locator("input[type=password]").fill(PASSWORD);
  await page.locator("form button[type=submit]").first().click();
  await page.waitForURL(/\/admin$/);
  return page;
}

/** Every request that changes something, from now on. */
function posts(page) {
  const sent = [];
  page.on("request", (request) => {
    if (request.method() === "POST") sent.push(new URL(request.url()).pathname);
  });
  return sent;
}

const submit = (form) => form.locator("button[type=submit]").first().click();

test("a refused form is sent once, and its answer is shown in place", async () => {
  const page = await signIn();
  await visit(page, `${server.base}/admin/events/gala/settings`);
  const form = page.locator("#edit form").first();
  await form.locator("[name=time_zone]").fill("Nowhere/Land");
  await form.locator("[name=title]").fill("Spring gala");
  const sent = posts(page);
  await submit(form);
  await page.locator("[data-refused]").waitFor();
  assert.deepEqual(sent, ["/admin/events/gala/edit"]);
  assert.equal(new URL(page.url()).pathname, "/admin/events/gala/settings");
  const zone = page.locator("[name=time_zone]");
  assert.equal(await zone.inputValue(), "Nowhere/Land");
  assert.equal(await page.locator("#edit [name=title]").inputValue(), "Spring gala");
  assert.equal(await zone.evaluate((input) => input === document.activeElement), true);
  assert.deepEqual(await barriers(page), []);
  // What is shown now works like the page that was opened.
  await zone.fill("Europe/Berlin");
  await submit(page.locator("#edit form").first());
  await page.locator('[data-flash][data-kind="done"]').waitFor();
  assert.equal(await page.locator("h1").innerText(), "Spring gala");
  await page.context().close();
});

test("a page that was drawn anew after a refusal goes on following the count", async () => {
  await server.organise("POST", "/events", { slug: "live", title: "Live", capacity: 5 });
  const page = await signIn();
  await visit(page, `${server.base}/admin/events/live`);
  const form = page.locator("form[data-capacity-form]");
  await form.evaluate((element) => {
    element.elements.capacity.type = "text"; // past the browser's own check
    element.elements.capacity.value = "lots";
  });
  await submit(form);
  await page.locator("[data-refused]").waitFor();
  await server.register("live", 1);
  await page.waitForFunction(
    () => document.querySelector("main [data-count-registered]").textContent === "1",
  );
  await page.context().close();
});

test("however often a form is refused, its page asks once for each change", async () => {
  await server.organise("POST", "/events", {
    slug: "queue",
    title: "Queue",
    capacity: 1,
    waitlist: true,
  });
  await server.register("queue", 1);
  const { token } = await server.register("queue", 2);
  const page = await (await browser.newContext()).newPage();
  await visit(page, `${server.base}/r/${token}`);
  for (let n = 1; n <= 4; n += 1) {
    await page.locator("[data-change]").evaluate((details, nth) => {
      details.querySelector("[data-refused]")?.removeAttribute("data-refused");
      const form = details.querySelector("form");
      details.open = form.noValidate = true; // past the browser's own check
      form.elements.name.value = "x".repeat(200 + nth);
      form.requestSubmit();
    }, n);
    await page.locator("[data-refused]").waitFor();
  }
  const asked = [];
  page.on("request", (request) => {
    if (request.method() === "GET") asked.push(new URL(request.url()).pathname);
  });
  const own = `/api/v1/registrations/${token}`;
  await server.register("queue", 3);
  await page.waitForResponse((answer) => new URL(answer.url()).pathname === own);
  await page.waitForTimeout(2_500); // every other one would have asked by then
  assert.equal(asked.filter((path) => path === own).length, 1, asked.join());
  await page.context().close();
});

test("an answer is shown although its style sheet does not come", async () => {
  const page = await signIn();
  await visit(page, `${server.base}/admin/events/gala/settings`);
  const sheet = await page.evaluate(() => {
    const link = [...document.querySelectorAll("link[rel=stylesheet]")].at(-1);
    link.remove();
    return link.href;
  });
  const held = [];
  await page.route(sheet, (route) => held.push(route)); // never answered
  await page.locator("#edit [name=time_zone]").fill("Nowhere/Land");
  await submit(page.locator("#edit form").first());
  await page.locator("[data-refused]").waitFor({ timeout: 10_000 });
  assert.equal(held.length, 1);
  await page.context().close();
});

test("a refusal that concerns the whole form stands in it, and what was typed stays", async () => {
  await server.organise("POST", "/events", { slug: "brief", title: "Brief", capacity: 5 });
  const page = await signIn();
  await visit(page, `${server.base}/admin/events/brief`);
  await page.locator("[name=text]").fill("Doors open at 18:00");
  await server.organise("DELETE", "/events/brief?confirm=brief");
  const sent = posts(page);
  await submit(page.locator("form:has([name=text])"));
  const note = page.locator("form:has([name=text]) [data-not-sent]");
  await note.waitFor();
  assert.match(await note.innerText(), /There is no such event|event/i);
  assert.equal(await page.locator("[name=text]").inputValue(), "Doors open at 18:00");
  assert.equal(sent.length, 1, sent.join());
  await page.context().close();
});

test("every form says what is missing beside the field, in the language of the page", async () => {
  const { token } = await server.register("gala", 1);
  const { registrations } = await server.organise("GET", "/events/gala/registrations");
  const pages = [
    "/admin/login",
    `/r/${token}`,
    "/admin",
    "/admin/accounts",
    "/admin/tokens",
    "/admin/webhooks",
    "/admin/events/gala",
    "/admin/events/gala/add",
    "/admin/events/gala/duplicate",
    "/admin/events/gala/import",
    "/admin/events/gala/mail",
    "/admin/events/gala/settings",
    `/admin/events/gala/registrations/${registrations[0].id}`,
  ];
  const page = await signIn({ locale: "zh-CN" });
  const stranger = await (await browser.newContext({ locale: "zh-CN" })).newPage();
  let seen = 0;
  for (const path of pages) {
    const tab = path === "/admin/login" ? stranger : page;
    await visit(tab, server.base + path);
    const sent = posts(tab);
    for (const form of await tab.locator("main form:has([required])").all()) {
      await form.evaluate((element) => {
        for (let at = element.closest("details"); at; at = at.parentElement.closest("details"))
          at.open = true;
        for (const input of element.querySelectorAll("[required]"))
          if (input.type === "checkbox" || input.type === "radio") input.checked = false;
          else input.value = "";
        element.requestSubmit();
      });
      const wrong = form.locator("[aria-invalid=true]");
      const where = `${path} ${await form.getAttribute("action")}`;
      assert.ok((await wrong.count()) > 0, where);
      assert.equal(
        await wrong.first().evaluate((input) => input === document.activeElement),
        true,
        `${where}: the first wrong field has the focus`,
      );
      for (const field of await wrong.all()) {
        const words = await field.evaluate((input) =>
          (input.closest("fieldset")?.getAttribute("aria-describedby") ?? "")
            .concat(" ", input.getAttribute("aria-describedby") ?? "")
            .split(/\s+/)
            .map((id) => id && document.getElementById(id)?.textContent)
            .join(" "),
        );
        assert.match(words, /请/u, where);
        seen += 1;
      }
    }
    assert.deepEqual(sent, [], `${path}: nothing is sent`);
  }
  assert.ok(seen >= 12, `${seen} fields`);
  await Promise.all([page, stranger].map((tab) => tab.context().close()));
});

test("what is wrong is said by its kind, and goes when it is right", async () => {
  const page = await signIn();
  await visit(page, `${server.base}/admin/webhooks`);
  const url = page.locator("[name=url]");
  await url.fill("nothing");
  await submit(page.locator("main form").last());
  const error = page.locator("#webhook-url-error");
  assert.match(await error.innerText(), /https:\/\/ or http:\/\//);
  await url.fill("https://hooks.example.org/");
  assert.equal(await error.innerText(), "");
  assert.equal(await url.getAttribute("aria-invalid"), null);
  await visit(page, `${server.base}/admin/events/gala/settings`);
  const party = page.locator("[name=max_party_size]");
  await party.fill("99");
  await submit(page.locator("#edit form").first());
  assert.match(await page.locator("#edit-party-error").innerText(), /from 1 to 20/);
  await page.context().close();
});
