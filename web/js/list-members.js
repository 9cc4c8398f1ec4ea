// Which events a list shows: one that is new appears by itself, in its place. The server draws its row.

/**
 * The rows of `page` that `list` lacks, each with the row before which it belongs; `null` is the
 * end. Pure but for the DOM.
 */
function* missing(list, page) {
  const own = (slug) => list.querySelector(`:scope > [data-details="${CSS.escape(slug)}"]`);
  const rows = [...page.querySelectorAll("[data-events] > [data-details]")];
  let next = null;
  for (const row of rows.reverse()) {
    const found = own(row.dataset.details);
    const isGone = found?.querySelector('[data-count][data-state="gone"]');
    if (!found || isGone) yield { row, next, old: found };
    next = own(row.dataset.details);
  }
}

/**
 * @param add {(row: Element) => void} called for each new row, once it is in the list
 * @returns {(slugs: string[]) => Promise<void>} to be called with the events that there are now
 */
export function followMembers(add) {
  const list = document.querySelector("[data-events]");
  let known = null;
  let reading = false;
  return async (slugs) => {
    const now = slugs.join();
    if (now === known || reading) return;
    reading = true;
    try {
      const answer = await fetch(location.pathname, { cache: "no-store" });
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const { row, next, old } of missing(list, page)) {
        old?.remove();
        list.insertBefore(document.adoptNode(row), next);
        add(row);
      }
      list.hidden = list.children.length === 0;
      document.querySelector("[data-events-none]").hidden = !list.hidden;
      known = now;
    } catch {
      /* the next answer asks again */
    } finally {
      reading = false;
    }
  };
}
