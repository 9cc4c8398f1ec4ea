// The frame's one script. It posts each count to the page around it, removes what is older, and
// loads the document again when the document ended or has gone silent. A connection that is cut
// fires no event, so silence is the only sign.
(() => {
  const SLACK_MS = 3_000;
  const RETRY_MS = 3_000;
  const PATIENCE_MS = 5_000;
  const root = document.documentElement;
  const quiet_ms = Number(root.dataset.heartbeat) * 1_000 + SLACK_MS;
  const count = new URL(location.pathname.replace(/\/frame$/, ""), location.href).href;
  let last;
  let timer;

  const after = (ms) => {
    clearTimeout(timer);
    timer = setTimeout(again, ms);
  };
  // A frame that navigates while the server is away shows the browser's error page for ever. So it
  // asks first.
  const again = async () => {
    try {
      const answer = await fetch(count, {
        headers: { Accept: "application/json" },
        cache: "no-store",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (answer.ok || answer.status === 404) return location.replace(root.dataset.again);
    } catch (error) {
      console.debug(error);
    }
    root.className = "stale";
    after(RETRY_MS * (1 + Math.random()));
  };
  const read = () => {
    const all = document.querySelectorAll("p[data-count]");
    const newest = all[all.length - 1];
    const beats = document.querySelectorAll("i");
    for (const beat of beats) if (beat !== beats[beats.length - 1]) beat.remove();
    if (!newest || newest === last) return;
    last = newest;
    for (const old of all) if (old !== newest) old.remove();
    if (parent !== window)
      parent.postMessage({ type: "count", data: JSON.parse(newest.dataset.count) }, "*");
  };
  new MutationObserver((changes) => {
    // Removing what is old is no sign of life.
    if (!changes.some(({ addedNodes }) => addedNodes.length)) return;
    read();
    after(quiet_ms);
  }).observe(document, { childList: true, subtree: true });
  after(quiet_ms);
  addEventListener("DOMContentLoaded", () => after(Number(root.dataset.refresh) * 1_000));
  // A page out of the back/forward cache has a dead connection.
  addEventListener("pageshow", ({ persisted }) => persisted && again());
})();
