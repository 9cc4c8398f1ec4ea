// The outcome of an action is in the address only until it has been shown: a reload must not say it again.
const NAMES = ["done", "error"];

export function start(flash) {
  const url = new URL(location.href);
  for (const name of NAMES) url.searchParams.delete(name);
  // `fetch` loses a redirect's fragment, and a fragment in the address keeps `autofocus` from working.
  const list = flash.closest("#registrations");
  if (list) url.hash = list.id;
  history.replaceState(history.state, "", url);
  if (!list) return;
  flash.focus({ preventScroll: true });
  list.scrollIntoView();
}
