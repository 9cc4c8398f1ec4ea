// Which events a list shows: one that is new appears by itself, in its place. The server draws its row.
// The console has a list for each group, so an event that is archived or published moves from one to
// another.

/**
 * The rows that belong into `list` and are not there, each with the row before which it belongs; `null` is
 * the end. `fresh` is the same list as the server draws it now. Pure but for the DOM.
 */
function* missing(list, fresh) {
  const own = (slug) => list.querySelector(`:scope > [data-details="${CSS.escape(slug)}"]`);
  let next = null;
  for (const row of [...fresh.querySelectorAll(":scope > [data-details]")].reverse()) {
    const found = own(row.dataset.details);
    const isGone = found?.querySelector('[data-count][data-state="gone"]');
    if (!found || isGone) yield { row, next, old: found };
    next = own(row.dataset.details);
  }
}

const elsewhere = (slug, list) =>
  [...document.querySelectorAll(`[data-events] > [data-details="${CSS.escape(slug)}"]`)].find(
    (row) => row.parentElement !== list,
  );

/**
 * @param add {(row: Element) => void} called for each new row, once it is in the list
 * @returns {(members: string[]) => Promise<void>} to be called with what decides who is in which list
 */
export function followMembers(add) {
  let known = null;
  let reading = false;
  return async (members) => {
    const now = members.join();
    if (now === known || reading) return;
    reading = true;
    try {
      const answer = await fetch(location.pathname, { cache: "no-store" });
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const list of document.querySelectorAll("[data-events]")) {
        const fresh = page.querySelector(`[data-events="${list.dataset.events}"]`);
        if (fresh) draw(list, fresh, add);
      }
      document.querySelector("[data-events-none]").hidden =
        document.querySelector("[data-events] > *") !== null;
      known = now;
    } catch {
      /* the next answer asks again */
    } finally {
      reading = false;
    }
  };
}

function draw(list, fresh, add) {
  for (const { row, next, old } of missing(list, fresh)) {
    old?.remove();
    const moved = elsewhere(row.dataset.details, list);
    list.insertBefore(moved ?? document.adoptNode(row), next);
    if (!moved) add(row);
  }
  list.hidden = list.children.length === 0;
  const group = list.closest("[data-group]");
  if (group) group.hidden = list.hidden;
}
