// Parts of a page that only the server can write, such as when and where an event is. They are read
// again when the event's settings were edited.
let reading = null;

/** The page's own address: a refused form is shown at another. */
const here = () => document.querySelector("[data-page]").dataset.page;

/** Whether it is this page. Somebody who was signed out is led elsewhere. */
const leadsHere = ({ url }) => new URL(url).pathname === here();

/** The page as it is now. Parts of several events are read together. */
const page = () =>
  (reading ??= fetch(here(), { cache: "no-store" })
    .then(async (answer) => {
      if (!answer.ok || !leadsHere(answer)) return null;
      return new DOMParser().parseFromString(await answer.text(), "text/html");
    })
    .finally(() => {
      reading = null;
    }));

const partsOf = (root) => [...root.querySelectorAll("[data-live-part]")];

/** Draws the parts of `root` again. `selector` finds the same root in the page as it is now. */
export async function redraw(root, selector) {
  const now = await page().catch(() => null); // the next change asks again
  const fresh = selector ? now?.querySelector(selector) : now;
  if (!fresh) return;
  const { enliven } = await import("./site.js");
  for (const part of partsOf(root)) {
    const next = fresh.querySelector(`[data-live-part="${part.dataset.livePart}"]`);
    if (!next) continue;
    part.replaceWith(document.adoptNode(next));
    enliven(next);
  }
}

/** Draws the parts of `root` again if the settings were edited since they were drawn. */
export function follow(root, selector, edits) {
  const isOld = (part) => part.dataset.edits !== String(edits);
  if (partsOf(root).some(isOld)) redraw(root, selector);
}
