// How late and how old, from two lists in order of revision: what was committed and what a screen has shown. Pure; times are
// milliseconds of the server's clock. The same definitions as `headcount compare`.

const AFTERWARDS_MS = 10_000; // nobody's screen gets better or worse while nothing happens: that time is not counted

/** The stretches in which the screen was outdated: from `begin` to `end`, since `missing`. */
export function* outdated(commits, sights, from, to) {
  let next = 0;
  for (let i = 0; i < sights.length; i += 1) {
    const begin = Math.max(sights[i].at, from);
    const end = Math.min(sights[i + 1]?.at ?? to, to);
    if (end <= begin) continue;
    while (next < commits.length && commits[next].revision <= sights[i].revision) next += 1;
    const missing = commits[next];
    if (missing && missing.at < end)
      yield { begin: Math.max(begin, missing.at), end, missing: missing.at };
  }
}

/** The age is 0 until the next change is committed, and then grows by a second a second. */
export function meanAge(commits, sights, now) {
  if (!commits.length || !sights.length) return null;
  let area = 0;
  for (const { begin, end, missing } of outdated(commits, sights, -Infinity, now))
    area += ((end - missing) ** 2 - (begin - missing) ** 2) / 2;
  let time = 0;
  commits.forEach(({ at }, i) => {
    time += Math.max(0, Math.min((commits[i + 1]?.at ?? now) - at, AFTERWARDS_MS));
  });
  return time > 0 ? area / time : null;
}

/** Of each change, up to the first moment at which it or a later one is shown; sorted. */
export function delays(commits, sights) {
  const found = [];
  let i = 0;
  for (const { revision, at } of commits) {
    while (i < sights.length && sights[i].revision < revision) i += 1;
    if (i === sights.length) break;
    found.push(Math.max(0, sights[i].at - at)); // two clocks agree only so far: never less than nothing
  }
  return found.sort((a, b) => a - b);
}

export const median = (sorted) => sorted[Math.floor(sorted.length / 2)];
