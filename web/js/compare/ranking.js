// All six mean ages in one glance: best first, on one scale that begins at 0.
import { formatTime } from "./format.js";

export function bindRanking(list) {
  const rows = new Map([...list.children].map((row) => [row.dataset.ranked, row]));
  return (order) => {
    const longest = Math.max(...order.map(({ lane }) => lane.age ?? 0));
    const sorted = order.map(({ lane, place }) => {
      const row = rows.get(lane.meter.key);
      row.querySelector("[data-place]").textContent = place || "";
      row.querySelector("[data-mean]").textContent = lane.age === null ? "–" : formatTime(lane.age);
      row.style.setProperty("--length", longest ? (lane.age ?? 0) / longest : 0);
      row.toggleAttribute("data-measured", lane.age !== null);
      row.toggleAttribute("data-first", place === 1);
      return row;
    });
    if (sorted.some((row, i) => row !== list.children[i])) list.append(...sorted);
  };
}
