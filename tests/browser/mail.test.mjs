// Mail in a real browser: the link that a mail brings, a lost link, and how a mail looks.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { PASSWORD, complaints, startBrowser, startServer } from "./support.mjs";

const ARRIVAL_MS = 20_000;

// A mail server that keeps what it gets (RFC 5321, as far as a client needs it).
async function openMailbox() {
  const mails = [];
  const waiting = [];
  const server = createServer((socket) => {
    let content = null;
    socket.on("error", () => {});
    socket.write("220 mailbox ESMTP\r\n");
    createInterface(socket).on("line", (line) => {
      if (content === null) {
        const verb = line.slice(0, 4).toUpperCase();
        if (verb === "DATA") content = [];
        const replies = { EHLO: "250-mailbox\r\n250 8BITMIME", DATA: "354 go on", QUIT: "221 bye" };
        socket.write(`${replies[verb] ?? "250 fine"}\r\n`);
      } else if (line === ".") {
        mails.push(content.join("\r\n"));
        content = null;
        socket.write("250 kept\r\n");
        for (const look of waiting) look();
      } else {
        content.push(line.replace(/^\./, ""));
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const wait = (count) =>
    new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`${mails.length} of ${count} mails`)),
        ARRIVAL_MS,
      );
      const look = () => {
        if (mails.length < count) return;
        clearTimeout(late);
        resolve(mails[count - 1]);
      };
      waiting.push(look);
      look();
    });
  return { port: server.address().port, wait, close: () => server.close() };
}

// The decoded content of the first part of a type (RFC 2045, section 6).
function part(mail, type) {
  const start = mail.indexOf(`Content-Type: ${type}`);
  assert.notEqual(start, -1, `${type} in ${mail}`);
  const [head, ...rest] = mail.slice(start).split("\r\n\r\n");
  const body = rest.join("\r\n\r\n").split("\r\n--")[0];
  const encoding = /Content-Transfer-Encoding: (\S+)/i.exec(head)?.[1].toLowerCase();
  if (encoding === "base64") return Buffer.from(body, "base64").toString();
  if (encoding !== "quoted-printable") return body;
  const bytes = body
    .replace(/=\r\n/g, "")
    .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString();
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

let browser;
let mailbox;
let server;
before(async () => {
  mailbox = await openMailbox();
  const listen = `127.0.0.1:${await freePort()}`;
  const smtp = `smtp://127.0.0.1:${mailbox.port}?tls=none`;
  const flags = ["--public-url", `http://${listen}`, "--smtp-url", smtp];
  [browser, server] = await Promise.all([startBrowser(), startServer(flags, undefined, listen)]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  mailbox?.close();
});

const link = (mail) => /http:\/\/\S+\/r\/[\w-]+/.exec(part(mail, "text/plain"))[0];
async function proven() {
  const list = await server.organise("GET", "/events/gala/registrations");
  return list.registrations[0].email_proven;
}

test("a person registers, opens the mailed link, loses it and asks for it", async () => {
  await server.organise("POST", "/events", { slug: "gala", title: "Gala", capacity: 5 });
  const page = await browser.newPage();
  const found = complaints(page);
  await page.goto(`${server.base}/e/gala`);
  await page.getByLabel("Name").fill("Ada Lovelace");
  await page.locator("#register [name=email]").fill("ada@example.org");
  await page.locator('form[action$="/register"] button[type=submit]').click();
  await page.waitForURL(/\/r\//);
  const shown = page.url();
  const mail = await mailbox.wait(1);
  assert.equal(await proven(), false, "the page after registering proves nothing");
  assert.ok(!mail.includes("Lovelace"), "nobody has proven this address yet");
  assert.notEqual(link(mail), shown);
  await page.goto(link(mail));
  await page.getByText("You have a place").first().waitFor();
  assert.equal(await proven(), true);

  await page.goto(`${server.base}/e/gala`);
  await page.locator('a[href="/e/gala/link"]').click();
  await page.getByLabel(/mail/i).fill("ada@example.org");
  await page.locator("form[action$='/link'] button").click();
  await page.locator("[role=status].lead").waitFor();
  assert.equal(link(await mailbox.wait(2)), link(mail));

  await page.goto(`${server.base}/admin/login`);
  await page.locator("input[type=password]").fill(PASSWORD);
  await page.locator("form button[type=submit]").first().click();
  await page.waitForURL(/\/admin$/);
  await page.goto(`${server.base}/admin/events/gala/mail`);
  await page.locator("#test-to").fill("organiser@example.org");
  await page.locator("#test button").click();
  await page.waitForURL(/done=mail-test/);
  assert.match(await mailbox.wait(3), /^To: organiser@example\.org/m);
  assert.equal(await page.locator("[data-mail-state=sent]").count(), 2);
  assert.deepEqual(found, [], "no error, no refused script or style");
  await page.close();
});

test("a mail is readable in light and dark, on a narrow screen too", async () => {
  const html = part(await mailbox.wait(1), "text/html");
  for (const colorScheme of ["light", "dark"]) {
    const context = await browser.newContext({
      colorScheme,
      javaScriptEnabled: true,
      viewport: { width: 320, height: 640 },
    });
    const page = await context.newPage();
    await page.setContent(html);
    const seen = await page.evaluate(() => {
      const channels = (text) =>
        text
          .match(/[\d.]+/g)
          .slice(0, 3)
          .map(Number);
      const light = (text) => {
        const [r, g, b] = channels(text).map((c) => {
          const part = c / 255;
          return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const contrast = (one, two) => {
        const [low, high] = [light(one), light(two)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
      };
      const card = getComputedStyle(document.querySelector(".card")).backgroundColor;
      const texts = [...document.querySelectorAll(".ink, .soft")];
      const button = getComputedStyle(document.querySelector(".button"));
      return {
        card: light(card),
        least: Math.min(...texts.map((one) => contrast(getComputedStyle(one).color, card))),
        button: contrast(button.color, button.backgroundColor),
        fits: document.documentElement.scrollWidth <= window.innerWidth,
      };
    });
    // WCAG 2.2, 1.4.3.
    assert.ok(seen.least >= 4.5 && seen.button >= 4.5, `${colorScheme}: ${JSON.stringify(seen)}`);
    assert.equal(seen.card > 0.5, colorScheme === "light", `${colorScheme}: ${seen.card}`);
    assert.ok(seen.fits, `${colorScheme}: nothing is cut off`);
    await context.close();
  }
});
