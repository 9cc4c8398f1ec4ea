// Webhooks: the console's pages, and the requests checked by Standard Webhooks' own Python library.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PASSWORD, complaints, startBrowser, startServer } from "./support.mjs";

const python =
  process.env.HEADCOUNT_PYTHON ??
  fileURLToPath(new URL("../../target/python/bin/python", import.meta.url));
const verify = `
import json, sys
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
sent = json.load(sys.stdin)
hook = Webhook(sent["secret"])
print(json.dumps(hook.verify(sent["body"], sent["headers"])))
try:
    hook.verify(sent["body"].replace("gala", "ball"), sent["headers"])
    sys.exit("a changed body is accepted")
except WebhookVerificationError:
    pass
`;

let browser;
let server;
let receiver;
const received = [];
before(async () => {
  receiver = createServer((request, answer) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      received.push({ headers: request.headers, body });
      answer.writeHead(200).end();
      receiver.emit("hook");
    });
  }).listen(0, "127.0.0.1");
  const flags = ["--webhook-allow", "127.0.0.0/8"];
  [browser, server] = await Promise.all([startBrowser(), startServer(flags)]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  receiver?.close();
});

test("an owner creates a webhook, sees what was sent, and sends it again", async () => {
  await server.organise("POST", "/events", { slug: "gala", title: "Gala", capacity: 9 });
  const page = await browser.newPage();
  const found = complaints(page);
  await page.goto(`${server.base}/admin/login`);
  await page.locator("[name=password]").fill(PASSWORD);
  await page.locator("main [type=submit]").click();
  await page.waitForURL(/\/admin$/);
  await page.goto(`${server.base}/admin/webhooks`);
  await page.locator("[name=url]").fill("http://10.0.0.1/hook");
  await page.getByRole("button", { name: "Create the webhook" }).click();
  await page.locator("#webhook-url-error", { hasText: "not public" }).waitFor();
  found.length = 0; // Chromium writes every refused form to the console
  await page.locator("[name=url]").fill(`http://127.0.0.1:${receiver.address().port}/hook`);
  for (const box of await page.locator("[name=events]").all())
    await box.setChecked((await box.getAttribute("value")) === "registration.created");
  await page.getByRole("button", { name: "Create the webhook" }).click();
  await page.waitForURL(/\/admin\/webhooks\/\d+/);
  const secret = await page.locator("[data-secret]").innerText();
  await page.getByRole("button", { name: "Copy" }).waitFor();

  const first = once(receiver, "hook");
  await server.register("gala", 1, "Ada Lovelace");
  await first;
  const { body, headers } = received[0];
  const input = JSON.stringify({ secret, body, headers });
  const checked = spawnSync(python, ["-c", verify], { input, encoding: "utf8" });
  assert.equal(checked.status, 0, checked.stderr);
  const event = JSON.parse(checked.stdout);
  assert.equal(event.type, "registration.created");
  assert.equal(event.data.registration.number, 1);
  assert.doesNotMatch(body, /Ada|example\.org/);

  const row = page.locator("tbody tr");
  const path = `/webhooks/${/\d+/.exec(new URL(page.url()).pathname)[0]}/deliveries`;
  while ((await server.organise("GET", path)).deliveries[0].status !== "sent")
    await new Promise((done) => setTimeout(done, 50));
  await page.goto(page.url().replace(/\?.*/, ""));
  assert.equal(await page.locator("[data-secret]").count(), 0, "the secret is shown once");
  assert.match(await row.first().innerText(), /Registration added[\s\S]*Sent/);
  const again = once(receiver, "hook");
  await row.first().getByRole("button", { name: "Send again" }).click();
  await page.locator("[data-flash]", { hasText: "sent again" }).waitFor();
  await again;
  assert.equal(received[1].headers["webhook-id"], headers["webhook-id"]);

  await page.getByRole("button", { name: "Deactivate" }).click();
  await page.locator("[data-flash]", { hasText: "not active any more" }).waitFor();
  await page.getByRole("button", { name: "Activate" }).waitFor();
  await page.locator("summary", { hasText: "Delete" }).click();
  await page.getByRole("button", { name: "Delete the webhook" }).click();
  await page.waitForURL(/\/admin\/webhooks\?done=webhook-deleted(&|$)/);
  await page.getByText("There are no webhooks yet.").waitFor();
  assert.deepEqual(found, []);
  await page.close();
});

test("a delivery that fails says why in the page's language, and names its figures on a phone", async () => {
  await server.organise("POST", "/events", { slug: "ball", title: "Ball", capacity: 9 });
  const { id } = await server.organise("POST", "/webhooks", {
    url: "http://127.0.0.1:1/hook",
    events: ["registration.created"],
    event: "ball",
  });
  await server.register("ball", 1);
  const tried = async () => (await server.organise("GET", `/webhooks/${id}/deliveries`)).deliveries;
  while (!(await tried())[0]?.error) await new Promise((done) => setTimeout(done, 50));
  const context = await browser.newContext({
    locale: "zh-CN",
    viewport: { width: 360, height: 740 },
  });
  const page = await context.newPage();
  await page.goto(`${server.base}/admin/login`);
  await page.locator("[name=password]").fill(PASSWORD);
  await page.locator("main [type=submit]").click();
  await page.waitForURL(/\/admin$/);
  await page.goto(`${server.base}/admin/webhooks/${id}`);
  const row = page.locator("tbody tr").first();
  assert.match(await row.innerText(), /接收方拒绝连接。/);
  assert.doesNotMatch(await row.innerText(), /refused|connect/);
  const label = (cell) => getComputedStyle(cell, "::before").content;
  assert.match(await row.locator("td[data-label=尝试次数]").evaluate(label), /尝试次数/);
  await context.close();
});
