// Who wins, from the figures, in a sentence.
import { language } from "../words.js";
import { list, say } from "./format.js";
import { LEAST_CHANGES } from "./lane.js";
import { ageText } from "./rank.js";

/**
 * What works best: level with the freshest, and of those the one that asks least of its users.
 * Takes an order from `rank`.
 */
export function best(order) {
  const level = order.filter(({ item, place }) => place === 1 && item.meter.state !== "down");
  const winner = level[0] ?? order.find(({ shown_ms }) => shown_ms !== null) ?? null;
  return { level: level.map(({ item }) => item), winner: winner?.item ?? null };
}

/** The verdict and its reason. */
export function verdict(order) {
  const { level, winner } = best(order);
  const space = language().startsWith("zh") ? "" : " ";
  // Before enough has been measured: what holds as a rule. The first row is what is recommended.
  if (!winner) {
    const changes = Math.max(...order.map(({ item }) => item.changes));
    const missing = LEAST_CHANGES - changes;
    const pending =
      changes === 0
        ? say("compare-waiting")
        : missing > 0
          ? say("compare-few", { n: missing })
          : say("compare-slow");
    return [
      say("compare-rule", { name: order[0].item.name }),
      [order[0].item.root.dataset.mind, pending].join(space),
    ];
  }
  const measured = order.filter(({ shown_ms }) => shown_ms !== null);
  const time = ageText(measured.find(({ item }) => item === winner).shown_ms);
  const last = measured.at(-1);
  const freshest =
    level.length > 1
      ? say("compare-level", { names: list(level.map(({ name }) => name)), time })
      : say("compare-alone", { name: winner.name, time });
  const behind =
    level.includes(last.item) || last.item === winner
      ? ""
      : say("compare-behind", { name: last.item.name, time: ageText(last.shown_ms) });
  return [
    say("compare-choose", { name: winner.name }),
    [winner.root.dataset.mind, freshest, behind].filter(Boolean).join(space),
  ];
}
