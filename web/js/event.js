// The registration form of an event's page, and the visitor's own registration in the number.
import { watchEvent } from "./watch.js";
import { probe } from "./probe.js";
import { bindForm } from "./form.js";

const TRIES = 5;
const PAUSE_MS = 300;

export function start(form) {
  const { store, slug, check } = watchEvent();
  bindForm(form, {
    slug,
    store,
    // The number contains the visitor's registration from the moment it is confirmed, push or no push.
    async registered(position) {
      store.holdAt(position);
      check(); // the server has just answered, so the connection may work again
      for (let attempt = 0; attempt < TRIES && !store.reaches(position); attempt += 1) {
        if (attempt > 0) await new Promise((done) => setTimeout(done, PAUSE_MS * attempt));
        try {
          const { count } = await probe(slug, null);
          if (count) store.accept(count);
        } catch {
          /* The stream brings it. */
        }
      }
    },
  });
}
