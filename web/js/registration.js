// My registration: its status and waiting position follow the event's changes.
import { watchEvent } from "./watch.js";
import { readWords } from "./words.js";
import { redraw } from "./live-parts.js";
import { followRegistration } from "./own-registration.js";

const COPIED_MS = 2_500;
const say = readWords("registration-messages");

export function start(stub) {
  const { registration: url, status, round } = stub.dataset;
  // An archived page does not say what it was: after an undone reset the server is asked.
  const known = { status: status === "archived" ? "confirmed" : status, round: Number(round) };
  followRegistration(watchEvent().store, url, known, (standing, registration) =>
    show(stub, standing, registration),
  );
  const copy = stub.querySelector("[data-copy]");
  if (copy && navigator.clipboard) bindCopy(copy, stub.querySelector("[data-copy-source]"));
}

function show(stub, standing, registration) {
  const { waiting_position: position, waiting_for: why, name, party_size: people } = registration;
  const at = (name) => stub.querySelector(`[data-registration-${name}]`);
  const current = standing === "confirmed" || standing === "waiting";
  // What only people with a place see comes and goes with it.
  if (stub.dataset.status !== standing && standing !== "gone") redraw(document, null);
  stub.dataset.status = standing;
  at("status").textContent = say(standing);
  at("detail").textContent = say(`${standing}-detail`, { position: position ?? "–" });
  at("why").hidden = !why || !current;
  if (why) at("why").textContent = say("blocked", { n: why.remaining, needs: why.party_size });
  if (name) at("name").textContent = name;
  if (people) {
    at("party").textContent = say("people", { n: people });
    at("group").hidden = people === 1;
  }
  const change = stub.querySelector("[data-change]");
  if (change) change.hidden = !current;
  at("again").hidden = current || standing === "gone"; // a deleted event has no page to go back to
  at("round").hidden = standing !== "archived";
  stub.querySelector("[data-keep]").hidden = !current;
  const cancel = stub.querySelector("[data-cancel]");
  if (!cancel) return;
  cancel.hidden = !current;
  for (const words of cancel.querySelectorAll("[data-standing]"))
    words.hidden = words.dataset.standing !== standing;
}

function bindCopy(copy, source) {
  const words = copy.textContent;
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(source.textContent);
    copy.textContent = copy.dataset.copied;
    setTimeout(() => {
      copy.textContent = words;
    }, COPIED_MS);
  });
}
