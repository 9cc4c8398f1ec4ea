// My registration: its status and waiting position follow the event's changes.
import { watchEvent } from "./watch.js";
import { readWords } from "./words.js";

const SPREAD_MS = 1_500; // a freed place moves everybody who waits; they must not all ask in the same instant
const say = readWords("registration-messages");

export function start(stub) {
  let timer = null;

  async function refresh() {
    timer = null;
    try {
      const answer = await fetch(stub.dataset.registration, {
        headers: { Accept: "application/json" },
        cache: "no-store",
      });
      if (answer.ok) show(stub, await answer.json());
    } catch {
      /* the next change asks again; the status line says that the page is behind */
    }
  }

  stub.querySelector("[data-registration-detail]").setAttribute("aria-live", "polite");
  // Only the waiting and the confirmed can change, and a confirmed place only by cancelling: seldom, but the page should say so.
  watchEvent().store.addEventListener("change", ({ detail: { count, before } }) => {
    const fewer = before && (count.registered < before.registered || count.round !== before.round);
    if (stub.dataset.status === "waiting" || (stub.dataset.status === "confirmed" && fewer)) {
      if (timer === null) timer = setTimeout(refresh, 150 + Math.random() * SPREAD_MS);
    }
  });
  const copy = stub.querySelector("[data-copy]");
  if (copy && navigator.clipboard) bindCopy(copy, stub.querySelector("[data-copy-source]"));
}

function show(stub, { status, waiting_position: position }) {
  if (!["confirmed", "waiting", "cancelled"].includes(status)) return;
  stub.dataset.status = status;
  stub.querySelector("[data-registration-status]").textContent = say(status);
  const detail =
    status === "waiting" ? say("waiting-detail", { position }) : say(`${status}-detail`);
  stub.querySelector("[data-registration-detail]").textContent = detail;
  if (status === "cancelled") stub.querySelector("[data-cancel]")?.remove();
}

function bindCopy(copy, source) {
  const words = copy.textContent;
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(source.textContent);
    copy.textContent = copy.dataset.copied;
    setTimeout(() => {
      copy.textContent = words;
    }, 2_500);
  });
}
