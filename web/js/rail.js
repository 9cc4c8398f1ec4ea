// The rail as SVG path data; the server draws the first one by the same rule
// (src/http/pages/rail.rs). Fewer than 10 places are segments, up to 100 places are ticks, more
// share 100 ticks. Never full before it is full, never empty once somebody is in.
const TICKS = 100; // more cannot be distinguished
const FEW = 10; // so few ticks would stand alone in the dark

export function railPaths(capacity, registered) {
  const places = capacity === null ? 0 : Math.max(capacity, registered);
  const ticks = Math.min(places, TICKS);
  const share = (n) => (n === 0 ? 0 : Math.max(1, Math.floor((n * ticks) / places)));
  const filled = places && share(registered);
  const limit = places && share(capacity);
  const few = ticks < FEW;
  const mark = few ? (i) => `M${left(ticks, i)} 14H${right(ticks, i)}` : tick;
  const path = (from, to) => {
    let d = "";
    for (let i = from; i < to; i += 1) d += mark(i);
    return d;
  };
  const newest = few ? `M${right(ticks, filled - 1)} 2V24` : `M${filled - 1}.5 0V24`;
  return {
    ticks,
    few,
    free: path(filled, ticks),
    taken: path(0, Math.min(filled, limit)),
    over: path(Math.min(limit, filled), filled),
    needle: filled === 0 ? "" : newest,
  };
}

/** Every fifth and tenth tick is longer, as on a ruler. */
const tick = (i) => `M${i}.5 ${(i + 1) % 10 === 0 ? 2 : (i + 1) % 5 === 0 ? 5 : 8}V20`;

// Segments have a gap of one hundredth of the rail to their neighbours, and none at the rail's edges.
const thousandths = (n) => String(n).padStart(3, "0");
const left = (ticks, i) => (i === 0 ? "0" : `${i}.${thousandths(5 * ticks)}`);
const right = (ticks, i) => (i + 1 === ticks ? ticks : `${i}.${thousandths(1_000 - 5 * ticks)}`);
