// The rail's ticks as SVG path data; the server draws the first one by the same rule.
// Fewer than 10 places are segments, up to 100 places are ticks, more share 100 ticks. Never full before it is full, never empty once somebody is in.
const FEW = 10; // so few ticks would stand alone in the dark

export function railPaths(capacity, registered) {
  const places = capacity === null ? 0 : Math.max(capacity, registered);
  const ticks = Math.min(places, 100);
  const share = (n) => (n === 0 ? 0 : Math.max(1, Math.floor((n * ticks) / places)));
  const filled = places && share(registered);
  const limit = places && share(capacity);
  const few = ticks < FEW;
  const path = (from, to) => {
    let d = "";
    for (let i = from; i < to; i += 1)
      d += few
        ? `M${i}.04 14H${i}.96`
        : `M${i}.5 ${(i + 1) % 10 === 0 ? 2 : (i + 1) % 5 === 0 ? 5 : 8}V20`;
    return d;
  };
  return {
    ticks,
    few,
    free: path(filled, ticks),
    taken: path(0, Math.min(filled, limit)),
    over: path(Math.min(limit, filled), filled),
    needle: filled === 0 ? "" : few ? `M${filled - 1}.96 2V24` : `M${filled - 1}.5 0V24`,
  };
}
