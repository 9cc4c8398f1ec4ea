// How late and how old, from two lists in order of revision: what was committed and what a screen
// has shown. Pure; times are milliseconds of the server's clock. The same definitions as `headcount
// compare`.

// Time in which nothing changes is not counted: no screen gets better or worse.
const AFTERWARDS_MS = 10_000;

/**
 * What was on screen, sight by sight: right from `begin` to `turn`, outdated from `turn` to `end`.
 * `newest` is when the newest change that it contains was committed, `missing` when the oldest was
 * that it lacks.
 */
function* stretches(commits, sights, from, to) {
  let next = 0;
  for (let i = 0; i < sights.length; i += 1) {
    const begin = Math.max(sights[i].at, from);
    const end = Math.min(sights[i + 1]?.at ?? to, to);
    if (end <= begin) continue;
    while (next < commits.length && commits[next].revision <= sights[i].revision) next += 1;
    const [newest, missing] = [commits[next - 1]?.at, commits[next]?.at];
    const turn = missing < end ? Math.max(begin, missing) : end;
    yield { begin, turn, end, newest, missing };
  }
}

/** The stretches in which the screen was outdated: from `begin` to `end`, since `missing`. */
export function* outdated(commits, sights, from, to) {
  for (const { turn, end, missing } of stretches(commits, sights, from, to))
    if (turn < end) yield { begin: turn, end, missing };
}

/**
 * The age is 0 until the next change is committed, and then grows by a second a second. Its mean is
 * over the moments that count: those in which the screen is outdated, and the ten seconds after
 * each change. tests/cases/ages.json has examples.
 */
export function meanAge(commits, sights, now, from = -Infinity) {
  let area = 0;
  let time = 0;
  for (const { begin, turn, end, newest, missing } of stretches(commits, sights, from, now)) {
    if (newest !== undefined)
      time += Math.max(0, Math.min(turn, newest + AFTERWARDS_MS) - Math.max(begin, newest));
    if (turn === end) continue;
    time += end - turn;
    area += ((end - missing) ** 2 - (turn - missing) ** 2) / 2;
  }
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
