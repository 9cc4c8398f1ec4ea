// Who wins, from the figures, in a sentence.
import { formatTime, list, say } from "./format.js";

const EQUAL_MS = 25; // two ages that differ by less are one to any eye, and would change places all the time

/** The lanes from best to worst; equals stay in the order in which they are given. */
export function ranked(lanes) {
  const step = (lane) => (lane.age === null ? Infinity : Math.floor(lane.age / EQUAL_MS));
  const order = [...lanes].sort((a, b) => (step(a) === step(b) ? 0 : step(a) - step(b)));
  const place = (lane) =>
    lane.age === null ? 0 : 1 + order.filter((other) => step(other) < step(lane)).length;
  return order.map((lane) => ({ lane, place: place(lane) }));
}

/** What works best: whoever is level with the freshest, and of those the one that asks least of its users. */
export function best(order) {
  const level = order
    .filter(({ lane, place }) => place === 1 && lane.meter.state !== "down")
    .map(({ lane }) => lane);
  return { level, winner: level[0] ?? order.find(({ lane }) => lane.age !== null)?.lane ?? null };
}

export function verdict(order) {
  const { level, winner } = best(order);
  const space = document.documentElement.lang.startsWith("zh") ? "" : " ";
  // Before anything has been measured: what holds as a rule. The first row is what is recommended.
  if (!winner)
    return [
      say("compare-rule", { name: order[0].lane.name }),
      [order[0].lane.root.dataset.mind, say("compare-waiting")].join(space),
    ];
  const last = order.filter(({ lane }) => lane.age !== null).at(-1).lane;
  const slowest = Math.max(...level.map((lane) => lane.middle));
  const freshest =
    level.length > 1
      ? say("compare-level", {
          names: list(level.map(({ name }) => name)),
          time: formatTime(slowest),
        })
      : say("compare-alone", { name: winner.name, time: formatTime(winner.middle) });
  const behind =
    level.includes(last) || last === winner
      ? ""
      : say("compare-behind", { name: last.name, time: formatTime(last.age) });
  return [
    say("compare-choose", { name: winner.name }),
    [winner.root.dataset.mind, freshest, behind].filter(Boolean).join(space),
  ];
}
