// A dinner with questions: the organiser writes them, a visitor answers them, and nothing typed is lost.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORD, complaints, says, startBrowser, startServer } from "./support.mjs";

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Presses one of the editor's buttons and waits for the editor after it. */
async function step(page, value) {
  const editor = page.locator("[data-question-editor]");
  await editor.evaluate((form) => form.setAttribute("data-before", ""));
  await page.locator(`.button[name=do][value="${value}"]`).click();
  await page.waitForSelector("[data-question-editor]:not([data-before])");
}
const focused = (page) =>
  page.evaluate(() => document.activeElement.id || document.activeElement.value);

test("the organiser adds, orders and removes questions, with the keyboard and without scripts", async () => {
  await server.organise("POST", "/events", { slug: "dinner", title: "Dinner", capacity: 9 });
  for (const javaScriptEnabled of [true, false]) {
    const context = await browser.newContext({
      javaScriptEnabled,
      viewport: { width: 360, height: 740 },
    });
    const page = await context.newPage();
    const found = complaints(page);
    await page.goto(`${server.base}/admin/login`);
    await page.locator("input[type=password]").fill(PASSWORD);
    await page.locator("form button[type=submit]").first().click();
    await page.waitForURL(/\/admin$/);
    await page.goto(`${server.base}/admin/events/dinner`);
    await page.getByRole("link", { name: "Form", exact: true }).click();
    await step(page, "add");
    await page.waitForSelector("#label-0:focus");
    await page.locator("#label-0").fill("What do you eat?");
    assert.equal(await page.locator("#options-0").isVisible(), false, "a text has no options");
    await page.locator("#kind-0").selectOption("choices");
    await page.locator("#options-0").fill("Fish\nLeek");
    await page.locator("#required-0").check();
    await step(page, "add");
    await page.locator("#label-1").fill("Obsolete");
    await step(page, "add");
    await page.locator("#kind-2").selectOption("number");
    // Enter saves; the empty question is refused at its field, and nothing is lost.
    await page.locator("#help-2").fill("In years");
    await page.locator("#help-2").press("Enter");
    await page.waitForSelector("#label-2-error:not(:empty)");
    assert.equal(await page.locator("#options-0").inputValue(), "Fish\nLeek");
    assert.equal(await page.locator("#help-2").inputValue(), "In years");
    await page.locator("#label-2").fill("Age");
    await step(page, "up.2");
    await step(page, "up.1");
    assert.equal(await page.locator("#label-0").inputValue(), "Age");
    await step(page, "remove.2");
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 360, `nothing is wider than a phone: ${wide}`);
    await step(page, "save");
    await page.waitForSelector('[data-flash][data-kind="done"]');
    const { questions } = await (await fetch(`${server.base}/api/v1/events/dinner/details`)).json();
    assert.deepEqual(
      questions.map(({ key, kind, required }) => [key, kind, required]),
      [
        ["age", "number", false],
        ["what_do_you_eat", "choices", true],
      ],
    );
    assert.deepEqual(
      found.filter((text) => !text.includes("422")),
      [],
    );
    await context.close();
    if (javaScriptEnabled) await server.organise("PATCH", "/events/dinner", { questions: [] });
  }
});

test("a visitor answers, and an open page follows the organiser without losing anything", async () => {
  const diet = {
    key: "diet",
    label: "Diet",
    kind: "choices",
    options: ["Fish", "Leek"],
    required: true,
  };
  const size = { key: "size", label: "Size", kind: "choice", options: ["S", "L"] };
  const ask = (questions) => server.organise("PATCH", "/events/party", { questions });
  await server.organise("POST", "/events", {
    slug: "party",
    title: "Party",
    capacity: 9,
    questions: [diet],
  });
  const page = await browser.newPage();
  await page.goto(`${server.base}/e/party`);
  await says(page, "live");
  await page.getByLabel("Name").fill("Ada");
  await page.getByLabel(/^Email/).fill("ada@example.org");
  await page.getByLabel("Leek").check();
  await ask([size, diet, { key: "age", label: "Age", kind: "number" }]);
  await page.waitForSelector("#answer-age", { timeout: 20_000 });
  assert.equal(await page.getByLabel("Leek").isChecked(), true);
  assert.match(await page.locator("[data-form-progress]").innerText(), /changed the questions/);
  await page.getByLabel("Leek").uncheck();
  await page.getByLabel("L", { exact: true }).check();
  await page.locator("#answer-age").fill("7.5");
  await page.reload(); // what was typed survives it
  await says(page, "live");
  await page.locator("[data-register-button]").click();
  await page.waitForSelector("#answer-diet-error:not(:empty)");
  const mistake = page.locator("[data-form-summary] a");
  assert.match(await mistake.innerText(), /^Diet: /);
  await mistake.click();
  assert.equal(await focused(page), "answer-diet");
  await page.keyboard.press("Space");
  await page.locator("[data-register-button]").click();
  await page.waitForURL(/\/r\//);
  const { registrations } = await server.organise("GET", "/events/party/registrations");
  assert.deepEqual(registrations[0].answers, { age: 7.5, diet: ["Fish"], size: "L" });
  assert.match(await page.locator("main").innerText(), /Diet\s+Fish/);
  await page.close();
});

test("the ticket takes other answers, says that they are saved, and follows another device", async () => {
  const questions = [
    { key: "diet", label: "Diet", kind: "choices", options: ["Fish", "Leek"] },
    { key: "note", label: "Note", kind: "text" },
    { key: "late", label: "I come late", kind: "checkbox" },
  ];
  await server.organise("POST", "/events", { slug: "meal", title: "Meal", capacity: 9, questions });
  const { token } = await server.register("meal", 1);
  const api = `${server.base}/api/v1/registrations/${token}`;
  const read = async () => (await (await fetch(api)).json()).answers;
  const page = await browser.newPage();
  const found = complaints(page);
  await page.goto(`${server.base}/r/${token}`);
  await says(page, "live");
  await page.locator("[data-change] > summary").click();
  // Another device answers: nobody has touched the fields here.
  const patched = await fetch(api, {
    method: "PATCH",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ answers: { diet: ["Leek"], late: true } }),
  });
  assert.equal(patched.status, 200);
  await server.register("meal", 2); // what moves no number is seen with the next change
  await page.waitForFunction(() => document.querySelector("#answer-late")?.checked, null, {
    timeout: 20_000,
  });
  await page.locator(".answer", { hasText: "Leek" }).waitFor();
  await page.getByLabel("Note").fill("A chair");
  await page.getByLabel("I come late").uncheck();
  // What was typed stays when the organiser asks for more.
  const more = [...questions, { key: "age", label: "Age", kind: "number" }];
  await server.organise("PATCH", "/events/meal", { questions: more });
  await page.waitForSelector("#answer-age", { timeout: 20_000 });
  assert.equal(await page.getByLabel("Note").inputValue(), "A chair");
  assert.equal(await page.getByLabel("Leek").isChecked(), true);
  await page.locator("[data-change] [type=submit]").click();
  const saved = page.locator("[data-flash][role=status]");
  await saved.waitFor();
  assert.equal((await saved.innerText()).trim(), "Saved.");
  await page.waitForFunction(() => document.activeElement.matches("[data-flash]"));
  await page.waitForFunction(() => location.search === "", null, { timeout: 5_000 });
  assert.deepEqual(await read(), { diet: ["Leek"], note: "A chair" });
  await page.goto(`${server.base}/r/${token}/change`);
  assert.equal(new URL(page.url()).pathname, `/r/${token}`);
  assert.deepEqual(found, []);
  await page.close();
});
