// All ages in one glance: best first, on one scale that begins at 0.
import { ageText } from "./rank.js";

/** `list` has a row for each transport; the result puts an order from `rank` into it. */
export function bindRanking(list) {
  const rows = new Map([...list.children].map((row) => [row.dataset.ranked, row]));
  return (order) => {
    const sorted = order.map(({ item: lane, shown_ms, place, length }) => {
      const row = rows.get(lane.meter.key);
      row.querySelector("[data-place]").textContent = place || "";
      row.querySelector("[data-mean]").textContent = ageText(shown_ms);
      row.style.setProperty("--length", length);
      row.toggleAttribute("data-measured", shown_ms !== null);
      row.toggleAttribute("data-first", place === 1);
      return row;
    });
    if (sorted.some((row, i) => row !== list.children[i])) list.append(...sorted);
  };
}
