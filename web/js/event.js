// The event's page: the live count, and the form on top of it.
import { store, slug } from "./watch.js";
import { probe } from "./probe.js";
import { bindForm } from "./form.js";

bindForm(document.getElementById("register"), {
  slug,
  // The visitor's own registration is in the number from the moment it is confirmed, push or no push.
  async registered(position) {
    store.holdAt(position);
    for (let attempt = 0; attempt < 5 && !store.reaches(position); attempt += 1) {
      if (attempt > 0) await new Promise((done) => setTimeout(done, 300 * attempt));
      try {
        const { count } = await probe(slug, null);
        if (count) store.accept(count);
      } catch {
        /* the stream brings it */
      }
    }
  },
});
