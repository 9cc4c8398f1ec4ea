// "You are registered" on an event's page: what was registered on this device, as it is now, with a
// link to each ticket.
import { forget, remembered, whenChanged } from "./device.js";
import { followRegistration } from "./own-registration.js";
import { readWords } from "./words.js";
import { watchEvent } from "./watch.js";

const say = readWords("own-messages");
const CURRENT = ["confirmed", "waiting"];

export function start(panel, { signal }) {
  const { slug, store } = watchEvent();
  const list = panel.querySelector("[data-own-list]");
  const heading = document.querySelector("#register-heading");
  const first = heading.textContent;
  const rows = new Map();

  const drop = (token) => {
    rows.get(token)?.end();
    rows.get(token)?.row.remove();
    rows.delete(token);
  };
  const show = () => {
    const tickets = remembered(slug);
    for (const token of rows.keys())
      if (!tickets.some((ticket) => ticket.token === token)) drop(token);
    for (const ticket of tickets) if (!rows.has(ticket.token)) add(ticket);
    panel.hidden = rows.size === 0;
    heading.textContent = rows.size === 0 ? first : heading.dataset.again;
  };
  const add = ({ token, number }) => {
    const row = document.getElementById("own-row").content.cloneNode(true).firstElementChild;
    row.querySelector("a").href = `/r/${encodeURIComponent(token)}`;
    row.querySelector("[data-own-number]").textContent = say("number", { number });
    const url = `/api/v1/registrations/${encodeURIComponent(token)}`;
    const draw = (standing, { waiting_position: position, party_size: people }) => {
      if (!CURRENT.includes(standing)) {
        forget(slug, token); // cancelled, of an earlier round, or erased
        return show();
      }
      row.querySelector("[data-own-status]").textContent = say(standing);
      const own = say("number", { number });
      row.querySelector("[data-own-number]").textContent =
        people > 1 ? `${own} · ${say("people", { n: people })}` : own;
      row.querySelector("[data-own-detail]").textContent =
        standing === "waiting" && position ? say("position", { position }) : "";
    };
    const { end, ask } = followRegistration(store, url, { status: "unknown" }, draw);
    rows.set(token, { row, end });
    list.append(row);
    ask();
  };
  panel.querySelector("[data-own-forget]").addEventListener("click", () => {
    forget(slug);
    show();
    heading.focus();
  });
  whenChanged(show, signal);
  addEventListener("pageshow", ({ persisted }) => persisted && show(), { signal });
  signal.addEventListener("abort", () => rows.forEach(({ end }) => end()));
  show();
}
