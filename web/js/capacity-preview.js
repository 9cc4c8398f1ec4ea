// What a new capacity would do before it is done. Pure: the same rule as the server's.

/**
 * What setting the capacity to `next` does to the event as it is now: keys of the page's words, with their
 * values. Which of the `groups` that wait fit is only known to the server.
 */
export function previewCapacity(count, next, groups = false) {
  if (next === count.capacity) return [["preview-same"]];
  if (next === null)
    return [
      ["preview-unlimited"],
      ...(count.waiting ? [["preview-promotes", { n: count.waiting }]] : []),
    ];
  const over = Math.max(0, count.registered - next);
  const promotes = Math.min(count.waiting, Math.max(0, next - count.registered));
  const free = Math.max(0, next - count.registered - promotes);
  const change =
    count.capacity === null
      ? ["preview-limit", { to: next }]
      : next > count.capacity
        ? ["preview-raise", { by: next - count.capacity }]
        : ["preview-lower", { to: next }];
  const effects = [];
  if (promotes && groups) return [change, ["preview-promotes-most", { n: promotes }]];
  if (promotes) effects.push(["preview-promotes", { n: promotes }]);
  if (over) effects.push(["preview-over", { n: over }]);
  else effects.push(free ? ["preview-free", { n: free }] : ["preview-full"]);
  return [change, ...effects];
}
