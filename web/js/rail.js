// The rail's ticks as SVG path data; the server draws the first one by the same rule.
// One tick a place up to 100 places, else 100 ticks. Never full before it is full, never empty once somebody is in.
export function railPaths(capacity, registered) {
  const places = capacity === null ? 0 : Math.max(capacity, registered);
  const ticks = Math.min(places, 100);
  const share = (n) => (n === 0 ? 0 : Math.max(1, Math.floor((n * ticks) / places)));
  const filled = places && share(registered);
  const limit = places && share(capacity);
  const path = (from, to) => {
    let d = "";
    for (let i = from; i < to; i += 1)
      d += `M${i}.5 ${(i + 1) % 10 === 0 ? 2 : (i + 1) % 5 === 0 ? 5 : 8}V20`;
    return d;
  };
  return {
    ticks,
    free: path(filled, ticks),
    taken: path(0, Math.min(filled, limit)),
    over: path(Math.min(limit, filled), filled),
    needle: filled === 0 ? "" : `M${filled - 1}.5 0V24`,
  };
}
