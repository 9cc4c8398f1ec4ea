// The organiser adds a person and imports a file, with and without scripts.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORD, complaints, startBrowser, startServer } from "./support.mjs";

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const csv = (text) => ({ name: "people.csv", mimeType: "text/csv", buffer: Buffer.from(text) });

for (const javaScriptEnabled of [true, false]) {
  const title = `add, correct, restore and import ${javaScriptEnabled ? "with" : "without"} scripts`;
  test(title, async () => {
    const slug = javaScriptEnabled ? "scripted" : "plain";
    await server.organise("POST", "/events", {
      slug,
      title: "Dinner",
      capacity: 3,
      max_party_size: 4,
    });
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
    await page.goto(`${server.base}/admin/events/${slug}/people`);
    await page.getByRole("link", { name: "Add a person" }).click();
    await page.locator("#name").fill("Ada");
    await page.locator("#party_size").fill("2");
    await page.getByRole("button", { name: "Add" }).click();
    await page.waitForURL(/done=added/);
    await page.locator("#name").fill("Bob");
    await page.locator("#party_size").fill("2");
    await page.getByRole("button", { name: "Add" }).click();
    await page.getByText("There are not enough free places").waitFor();
    assert.equal(await page.locator("#name").inputValue(), "Bob", "nothing typed is lost");
    await page.locator("#over_capacity").check();
    await page.getByRole("button", { name: "Add" }).click();
    await page.waitForURL(/done=added/);
    const narrow = async () => page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok((await narrow()) <= 360, "nothing is wider than a phone");

    await page.goto(`${server.base}/admin/events/${slug}/people`);
    await page.getByRole("link", { name: "Correct Bob" }).click();
    await page.locator("#party_size").fill("1");
    await page.getByRole("button", { name: "Save" }).click();
    await page.waitForURL(/done=corrected/);

    await page.getByRole("link", { name: "Import" }).click();
    await page.locator("#file").setInputFiles(csv("name,email\nCy,nobody\n"));
    await page.getByRole("button", { name: "Check the file" }).click();
    await page.getByText("Enter an email address like").waitFor();
    await page.locator("[data-import-result]:focus").waitFor();
    assert.ok((await narrow()) <= 360, "nothing is wider than a phone");
    await server.organise("PATCH", `/events/${slug}`, { capacity: 9 });
    const right = 'name;email;party_size\r\n"Cy; <b>";cy@example.org;2\r\nДана;;\r\n';
    await page.locator("#file").setInputFiles(csv(`\uFEFF${right}`));
    await page.getByRole("button", { name: "Check the file" }).click();
    await page.getByRole("button", { name: "Add 2 registrations" }).click();
    await page.waitForURL(/done=imported/);
    const list = await server.organise("GET", `/events/${slug}/registrations`);
    assert.deepEqual(
      list.registrations.map(({ name, party_size, status }) => [name, party_size, status]),
      [
        ["Ada", 2, "confirmed"],
        ["Bob", 1, "confirmed"],
        ["Cy; <b>", 2, "confirmed"],
        ["Дана", 1, "confirmed"],
      ],
    );
    await server.organise("DELETE", `/events/${slug}/registrations/${list.registrations[0].id}`);
    await page.goto(`${server.base}/admin/events/${slug}/people`);
    await page.getByRole("button", { name: "Restore Ada" }).click();
    await page.waitForURL(/done=restored/);
    assert.deepEqual(
      found.filter((text) => !text.includes("409")),
      [],
    );
    await context.close();
  });
}
