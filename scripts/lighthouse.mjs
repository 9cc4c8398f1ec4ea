// Runs Lighthouse on the pages of a server of its own. `scripts/lighthouse` starts it.
import { createRequire } from "node:module";
import { addresses } from "../tests/browser/pages.mjs";
import { PASSWORD, startBrowser, startServer } from "../tests/browser/support.mjs";

const LEAST = { accessibility: 100, performance: 95 };
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
const signedIn = await fetch(`${server.base}/admin/login`, {
  method: "POST",
  redirect: "manual",
  headers: { origin: server.base },
  body: new URLSearchParams({ password: PASSWORD }),
});
const cookie = signedIn.headers.get("set-cookie").split(";")[0];

let failed = false;
for (const path of addresses({ slug: "gala", token: ada.token, "registrations/id": ada.id })) {
  const isPublic = !path.startsWith("/admin");
  for (const [form, config] of [
    ["phone", undefined],
    ["desktop", desktopConfig],
  ]) {
    for (const language of ["en", "zh-CN"]) {
      const { lhr } = await lighthouse(
        server.base + path,
        {
          port,
          logLevel: "silent",
          onlyCategories: isPublic ? ["accessibility", "performance"] : ["accessibility"],
          extraHeaders: { cookie, "accept-language": language },
        },
        config,
      );
      const score = (name) => Math.round((lhr.categories[name]?.score ?? Number.NaN) * 100);
      const [accessibility, performance] = [score("accessibility"), score("performance")];
      const isSlow = form === "phone" && isPublic && performance < LEAST.performance;
      const isBad = accessibility < LEAST.accessibility || isSlow;
      failed ||= isBad;
      console.log(isBad ? "BAD" : "ok ", path, form, language, accessibility, performance);
    }
  }
}
await browser.close();
await server.stop();
process.exit(failed ? 1 : 0);
