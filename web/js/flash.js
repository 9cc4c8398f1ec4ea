// The outcome of an action is in the address only until it has been shown: a reload must not say it again.
const NAMES = ["done", "error", "undo", "was", "set", "added", "shown", "sig"];

export function start() {
  const url = new URL(location.href);
  for (const name of NAMES) url.searchParams.delete(name);
  history.replaceState(history.state, "", url);
}
