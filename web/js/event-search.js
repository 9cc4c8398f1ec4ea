// Narrows the list of events to those whose title or short name has every word that was typed.

/** Whether each word of `typed` is in `text`, whatever the case and the accents. Pure. */
export function matches(text, typed) {
  const plain = (words) => words.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const words = plain(typed).split(/\s+/);
  const all = plain(text);
  return words.every((word) => all.includes(word));
}

export function start(input, { signal }) {
  const lists = document.querySelectorAll("[data-events]");
  const none = document.querySelector("[data-search-none]");
  input.closest("[data-search]").hidden = false;
  const show = () => {
    const rows = [...document.querySelectorAll("[data-events] > [data-details]")];
    for (const row of rows) {
      const title = row.querySelector("[data-detail=title]").textContent;
      row.hidden = !matches(`${title} ${row.dataset.details}`, input.value);
    }
    none.hidden = rows.length === 0 || rows.some((row) => !row.hidden);
    // What is found in a fold has to be seen.
    const fold = document.querySelector(".event-fold");
    if (fold && input.value.trim())
      fold.open = fold.querySelector("[data-details]:not([hidden])") !== null;
  };
  input.addEventListener("input", show);
  // An event that appears meanwhile, and a field that the browser filled in again.
  const observer = new MutationObserver(show);
  for (const list of lists) observer.observe(list, { childList: true });
  signal.addEventListener("abort", () => observer.disconnect());
  show();
}
