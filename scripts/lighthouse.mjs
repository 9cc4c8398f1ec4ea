// Runs Lighthouse on the pages of a server of its own. `scripts/lighthouse` starts it; arguments choose pages by a part
// of their address.
import { createRequire } from "node:module";
import { addresses } from "../tests/browser/pages.mjs";
import { PASSWORD, startBrowser, startServer } from "../tests/browser/support.mjs";

const LEAST = { accessibility: 100, performance: 95 };
// A page that is live never falls silent; what accessibility asks of it is there at once.
const QUICK = {
  throttlingMethod: "provided",
  maxWaitForLoad: 4_000,
  networkQuietThresholdMs: 300,
  cpuQuietThresholdMs: 300,
  pauseAfterFcpMs: 300,
  pauseAfterLoadMs: 300,
};
const require = createRequire(new URL("../target/lighthouse/", import.meta.url));
const { default: lighthouse, desktopConfig } = await import(require.resolve("lighthouse"));

const port = 9222 + (process.pid % 1_000);
const [browser, server] = await Promise.all([
  startBrowser([`--remote-debugging-port=${port}`]),
  startServer(),
]);
await server.organise("POST", "/events", {
  slug: "gala",
  title: "Winter gala",
  capacity: 20,
  waitlist: true,
  public_chart: true,
  starts_at: "2031-12-12T18:00:00Z",
});
const ada = await server.register("gala", 1);
const { link } = await server.organise("POST", "/accounts", { name: "mia", role: "viewer" });
const webhook = await server.organise("POST", "/webhooks", {
  url: "https://1.1.1.1/",
  event: "gala",
  active: false,
});
const signedIn = await fetch(`${server.base}/admin/login`, {
  method: "POST",
  redirect: "manual",
  headers: { origin: server.base },
  body: new URLSearchParams({ password: PASSWORD }),
});
const cookie = signedIn.headers.get("set-cookie").split(";")[0];

let failed = false;
async function run(path, category, [form, config], language) {
  const isOut = path === "/admin/login"; // it leads on where somebody is signed in
  const extraHeaders = { "accept-language": language, ...(isOut ? {} : { cookie }) };
  const quick = category === "accessibility" ? QUICK : {};
  const flags = { port, logLevel: "silent", onlyCategories: [category], extraHeaders, ...quick };
  const { lhr } = await lighthouse(server.base + path, flags, config);
  const { score, auditRefs } = lhr.categories[category];
  const percent = Math.round((score ?? 0) * 100);
  const isBad = percent < LEAST[category];
  failed ||= isBad;
  console.log(isBad ? "BAD" : "ok ", category, percent, path, form, language);
  if (!isBad) return;
  for (const { id, weight } of auditRefs) {
    const { score, displayValue = "", details } = lhr.audits[id];
    if (weight === 0 || score === null || score >= 0.9) continue;
    const found = details?.items?.map(({ node }) => node?.snippet).filter(Boolean) ?? [];
    console.log("     ", id, displayValue, ...found.slice(0, 5));
  }
}

const PHONE = ["phone", undefined];
const DESKTOP = ["desktop", desktopConfig];
const all = addresses({
  slug: "gala",
  token: ada.token,
  secret: new URL(link, server.base).pathname.split("/").at(-1),
  "registrations/id": ada.id,
  "webhooks/id": webhook.id,
});
const chosen = process.argv.slice(2);
for (const path of all) {
  if (chosen.length > 0 && !chosen.some((part) => path.includes(part))) continue;
  const { status } = await fetch(server.base + path, { headers: { cookie, accept: "text/html" } });
  if (status === 404) {
    console.log("--  a page that only mail leads to:", path);
    continue;
  }
  for (const form of [PHONE, DESKTOP])
    for (const language of ["en", "zh-CN"]) await run(path, "accessibility", form, language);
  if (!path.startsWith("/admin")) await run(path, "performance", PHONE, "en");
}
await browser.close();
await server.stop();
process.exit(failed ? 1 : 0);
