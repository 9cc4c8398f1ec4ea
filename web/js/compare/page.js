// The compare page: six lines to one event, measured against one log by one clock.
import { formatNumber, say } from "./format.js";
import { keepClock, serverNow } from "./server-clock.js";
import { ChangeLog } from "./change-log.js";
import { Meter } from "./meter.js";
import { Lane, arrange } from "./lane.js";
import { openFrame, openPolls, openSse, openWebSocket } from "./lines.js";
import { openSocketIo } from "./socketio.js";
import { ranked, verdict } from "./verdict.js";
import { bindRanking } from "./ranking.js";
import { bindDoctor } from "./doctor.js";
import { bindPeople } from "./people.js";

const CUT_MS = 3_000;
const MEASURE_MS = 500;
const DRAW_MS = matchMedia("(prefers-reduced-motion: reduce)").matches ? 2_000 : 100;
const VERDICT_MS = 3_000; // a sentence that changes faster cannot be read, nor listened to

const initial = JSON.parse(document.querySelector("[data-initial-count]").textContent);
const slug = initial.event;
const root = document.querySelector("[data-compare]");
const find = (selector) => root.querySelector(selector);
const log = new ChangeLog(slug, initial.position);
const tell = (text) => {
  find("[data-told]").textContent = text;
};
let every_ms = Number(find("[name=interval]:checked").value);

const openers = {
  sse: openSse,
  websocket: openWebSocket,
  socketio: openSocketIo,
  "long-poll": openPolls(null),
  frame: openFrame(find("[data-frame]")),
  poll: openPolls(() => every_ms),
};
const lanes = Object.entries(openers).map(
  ([key, open]) => new Lane(find(`[data-lane="${key}"]`), new Meter(key, slug, open)),
);
const meters = lanes.map(({ meter }) => meter);
const frame = lanes.find(({ meter }) => meter.key === "frame");
const truth = document.querySelector("[data-count-registered]");
const doctor = bindDoctor(find("[data-doctor]"));
const chart = bindRanking(find("[data-ranking]"));
let newest = -1;
let order = ranked(lanes);

for (const meter of meters) {
  meter.addEventListener("count", () => {
    log.reach(meter.position);
    if (meter.count.revision > newest) {
      newest = meter.count.revision;
      truth.textContent = formatNumber(meter.count.registered);
    }
  });
}

function measure() {
  const now = serverNow();
  if (log.isFull) startAfresh();
  lanes.forEach((lane) => lane.measure(log.commits, now));
  doctor(lanes, order);
}

function judge() {
  order = ranked(lanes);
  order.forEach(({ lane, place }) => lane.rank(place));
  chart(order);
  arrange(
    order.map(({ lane }) => lane.root),
    frame.root,
  );
  const [text, why] = verdict(order);
  for (const [part, sentence] of [
    ["[data-verdict]", text],
    ["[data-why]", why],
  ]) {
    if (find(part).textContent !== sentence) find(part).textContent = sentence;
  }
}

function draw() {
  if (document.visibilityState !== "visible") return;
  const scale_ms = Math.max(500, ...lanes.map((lane) => lane.peak(log.commits)));
  lanes.forEach((lane) => lane.draw(log.commits, scale_ms));
}

function startAfresh() {
  log.reset();
  meters.forEach((meter) => meter.reset());
}

root.addEventListener("change", ({ target }) => {
  if (target.name !== "interval") return;
  every_ms = Number(target.value);
  startAfresh(); // figures of two intervals would be an average of neither
  meters.find(({ key }) => key === "poll").start();
});
find("[data-cut]").addEventListener("click", () => {
  meters.forEach((meter) => meter.cut(CUT_MS));
  tell(say("compare-cutting"));
  setTimeout(() => tell(say("compare-resumed")), CUT_MS + 1_000);
});
bindPeople(slug, root.querySelectorAll("[data-register]"), tell);
// Six open lines would keep the page out of the back/forward cache.
addEventListener("pagehide", () => meters.forEach((meter) => meter.stop()));
addEventListener("pageshow", (event) => {
  if (event.persisted) meters.forEach((meter) => meter.start());
});

keepClock();
// Not before the page is loaded: a frame that never ends would keep it loading for ever.
const start = () => meters.forEach((meter) => meter.start());
if (document.readyState === "complete") start();
else addEventListener("load", start, { once: true });
setInterval(measure, MEASURE_MS);
setInterval(judge, VERDICT_MS);
setInterval(draw, DRAW_MS);
