// The compare page: eight lines to one event, measured against one log by one clock.
import { formatNumber, say } from "./format.js";
import { MANY, keepClock, serverNow } from "../clock.js";
import { ChangeLog } from "./change-log.js";
import { Meter } from "./meter.js";
import { Lane, arrange, canCompare } from "./lane.js";
import { openers } from "./openers.js";
import { rank } from "./rank.js";
import { verdict } from "./verdict.js";
import { bindRanking } from "./ranking.js";
import { bindDoctor } from "./doctor.js";
import { bindPeople } from "./people.js";
import { bindSession } from "./session.js";
import { followEvent } from "./event.js";

const CUT_MS = 3_000;
const MEASURE_MS = 500;
const DRAW_MS = 100;
const DRAW_CALM_MS = 2_000; // for people who ask for less motion
const VERDICT_MS = 3_000; // nobody can read, or listen to, a sentence that changes faster
const LEAST_SCALE_MS = 500;
const DEAD_MS = 20_000; // a line that is outdated for so long is dead: twice the longest poll interval

export function start(root) {
  const find = (selector) => root.querySelector(selector);
  const initial = JSON.parse(document.querySelector("[data-initial-count]").textContent);
  const slug = initial.event;
  const log = new ChangeLog(slug, initial.position);
  const truths = document.querySelectorAll("[data-count-registered], [data-truth]");
  const interval = () => Number(find("[name=interval]:checked").value);
  const lanes = Object.entries(openers(find("[data-frame]"), interval)).map(
    ([key, open]) => new Lane(find(`[data-lane="${key}"]`), new Meter(key, slug, open)),
  );
  const meters = lanes.map(({ meter }) => meter);
  const lane = (key) => lanes.find(({ meter }) => meter.key === key);
  const doctor = bindDoctor(find("[data-doctor]"));
  const chart = bindRanking(find("[data-ranking]"));
  const announce = (text) => write(find("[data-status]"), text);
  const readEvent = followEvent(slug, meters, announce);
  let newest = -1;
  let order = rank(lanes, ({ age }) => age);
  let began_ms = 0;

  for (const meter of meters) {
    meter.addEventListener("count", () => {
      const { position, count } = meter.screen;
      log.reach(position);
      if (count.revision <= newest) return;
      newest = count.revision;
      for (const truth of truths) truth.textContent = formatNumber(count.registered);
    });
  }

  const measure = () => {
    if (log.isFull) startAfresh();
    const now = serverNow();
    for (const each of lanes) {
      each.measure(log.commits, now);
      if (each.outdatedFor(log.commits, now) > DEAD_MS) each.meter.renew();
    }
    doctor(lanes, order, performance.now() - began_ms);
    showWhetherLive();
  };
  // Without a live line the number may be old, so it must not look live.
  const showWhetherLive = () => {
    const isLost = newest >= 0 && !meters.some(({ state }) => state === "live");
    document.body.toggleAttribute("data-no-line", isLost);
    find("[data-no-line-text]").hidden = !isLost;
  };
  const judge = () => {
    const isReady = canCompare(lanes);
    order = rank(lanes, ({ age }) => (isReady ? age : null));
    order.forEach((entry) => entry.item.rank(entry));
    chart(order);
    arrange(
      order.map(({ item }) => item.root),
      lane("frame").root,
    );
    const [text, why] = verdict(order);
    write(find("[data-verdict]"), text);
    write(find("[data-why]"), why);
  };
  const draw = () => {
    const scale_ms = Math.max(LEAST_SCALE_MS, ...lanes.map((each) => each.peak(log.commits)));
    lanes.forEach((each) => each.draw(log.commits, scale_ms));
  };
  const startAfresh = () => {
    log.reset();
    meters.forEach((meter) => meter.reset());
  };

  // Only the interval poll notices silence by itself. When it fails, the others are tested.
  const renewAll = () => meters.forEach((meter) => meter.renew());
  lane("poll").meter.addEventListener("state", () => {
    if (lane("poll").meter.state === "down") renewAll();
  });
  addEventListener("offline", renewAll);

  let timers = [];
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const begin = bindSession({
    run() {
      find("[data-stopped]").hidden = true;
      if (began_ms) {
        // What happened while nothing was measured does not count.
        startAfresh();
        log.skip();
        meters.forEach(({ screen }) => screen.forget());
      }
      began_ms = performance.now();
      meters.forEach((meter) => meter.start());
      readEvent();
      timers = [
        setInterval(measure, MEASURE_MS),
        setInterval(judge, VERDICT_MS),
        setInterval(draw, calm ? DRAW_CALM_MS : DRAW_MS),
      ];
    },
    rest(taken) {
      find("[data-stopped]").hidden = !taken;
      timers.forEach(clearInterval);
      meters.forEach((meter) => meter.stop());
    },
  });
  find("[data-start]").addEventListener("click", begin);
  root.addEventListener("change", ({ target }) => {
    if (target.name !== "interval") return;
    startAfresh(); // figures of two intervals would be an average of neither
    lane("poll").meter.start();
  });
  find("[data-cut]").addEventListener("click", () => {
    meters.forEach((meter) => meter.cut(CUT_MS));
    announce(say("compare-cutting"));
    setTimeout(() => announce(say("compare-resumed")), CUT_MS + 1_000);
  });
  bindPeople(slug, root.querySelectorAll("[data-register]"), announce);
  keepClock(MANY);
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
