// Made-up people for the lab, through the API that everybody registers by.
import { drawKey, send } from "../send.js";
import { say } from "./format.js";

const AT_ONCE = 2; // of the six connections that HTTP/1.1 gives a browser four are held by the lines

export function bindPeople(slug, buttons, announce) {
  const url = `/api/v1/events/${encodeURIComponent(slug)}/registrations`;
  const run = drawKey().slice(0, 10);
  let number = 0;
  const one = async () => {
    number += 1;
    const person = { name: `Person ${number}`, email: `person-${run}-${number}@example.invalid` };
    const { status } = await send(url, person, drawKey(), { waiting: () => {} });
    if (status !== 201) throw new Error(`registering was refused with ${status}`);
  };
  const all = async (n) => {
    let [left, done] = [n, 0];
    const work = async () => {
      while (left > 0) {
        left -= 1;
        await one();
        done += 1;
        if (n > 1) announce(say("compare-registering", { done, all: n }));
      }
    };
    await Promise.all(Array.from({ length: Math.min(n, AT_ONCE) }, work));
  };
  for (const button of buttons) {
    const n = Number(button.dataset.register);
    let busy = false;
    // Not `disabled`: it would drop the keyboard focus.
    const become = (next) => {
      busy = next;
      button.setAttribute("aria-disabled", String(next));
    };
    button.addEventListener("click", () => {
      if (busy) return;
      become(true);
      all(n)
        .then(
          () => announce(say("compare-registered", { n })),
          () => announce(say("compare-refused")),
        )
        .finally(() => become(false));
    });
  }
}
