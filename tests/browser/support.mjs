// A server process, a browser, and what every test needs of them.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const TOKEN = "a-token-for-tests";
export const PASSWORD = "a password for tests";
const root = fileURLToPath(new URL("../..", import.meta.url));
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
export const binary = process.env.HEADCOUNT_BINARY ?? join(target, "debug", "headcount");

/** Starts the real binary on a free port and a new database; `stop()` ends it and removes both. */
export async function startServer(
  flags = [],
  folder = mkdtempSync(join(tmpdir(), "headcount-")),
  listen = "127.0.0.1:0",
) {
  const child = spawn(
    binary,
    [
      "--listen",
      listen,
      "--database-url",
      `sqlite://${join(folder, "headcount.db")}`,
      "--admin-token",
      TOKEN,
      "--admin-password",
      PASSWORD,
      "--drain",
      "2s",
      ...flags,
    ],
    { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, HEADCOUNT_LOG: "error" } },
  );
  // A test file that dies leaves no server behind.
  const kill = () => child.kill("SIGKILL");
  process.on("exit", kill);
  const ended = new Promise((resolve, reject) => child.once("exit", resolve).once("error", reject));
  ended.then(
    () => process.off("exit", kill),
    () => {},
  );
  const base = await new Promise((resolve, reject) => {
    createInterface(child.stdout).on("line", (line) => {
      const found = /https?:\/\/\S+?(?=\/$)/.exec(line);
      if (line.startsWith("Headcount") && found) resolve(found[0]);
    });
    ended.then(
      (code) => reject(new Error(`the server ended with ${code} before it listened`)),
      reject,
    );
  });
  const organise = async (method, path, body) => {
    const answer = await fetch(`${base}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? undefined : answer.json();
  };
  return {
    base,
    folder,
    port: Number(new URL(base).port),
    organise,
    register: async (slug, n, name = `Person ${n}`) => {
      const answer = await fetch(`${base}/api/v1/events/${slug}/registrations`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ name, email: `person-${n}@example.org` }),
      });
      if (!answer.ok) throw new Error(`registering: ${answer.status} ${await answer.text()}`);
      return answer.json();
    },
    kill: async () => {
      kill();
      await ended;
    },
    stop: async (keep = false) => {
      child.kill("SIGTERM");
      const code = await ended;
      if (!keep) rmSync(folder, { recursive: true, force: true });
      return code;
    },
  };
}

/** As scripts/setup installs it: Chromium without windows of its own where there is a package of it. */
const browser =
  process.env.CHROMIUM ??
  ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"].find((path) => existsSync(path));

/** The browser that people use, without its own traffic; `quic`: with WebTransport. */
export function startBrowser(flags = [], { quic = false, ...options } = {}) {
  return chromium.launch({
    ...options,
    executablePath: browser,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      ...(quic ? [] : ["--disable-quic"]),
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...flags,
    ],
  });
}

/** Waits until every script of the page has started: before that a click may find none. */
export async function lively(page) {
  await page.locator("html[data-lively]").waitFor({ state: "attached", timeout: 30_000 });
}

/** Opens a page and waits until its scripts have started. */
export async function visit(page, url) {
  const answer = await page.goto(url);
  await lively(page);
  return answer;
}

/** Waits until the page shows `expected` as its headcount. */
export async function shows(page, expected) {
  await page.waitForFunction(
    (wanted) =>
      document.querySelector("[data-count-registered]")?.textContent.replace(/\D/g, "") === wanted,
    String(expected),
    { timeout: 30_000 },
  );
}

/** Waits until the page says that it is `mode`: live, polling, reconnecting, stale, gone. */
export async function says(page, ...modes) {
  await page.waitForFunction(
    (wanted) => wanted.includes(document.querySelector("[data-live]").dataset.mode),
    modes,
    { timeout: 30_000 },
  );
}

/** Everything the page complained about: errors, refused scripts and styles. */
export function complaints(page) {
  const found = [];
  page.on("pageerror", (error) => found.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") found.push(message.text());
  });
  return found;
}

const axe = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

/** What axe-core finds on the page (WCAG 2.2), as `rule: element`. */
export async function barriers(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`);
}
