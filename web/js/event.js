// The registration form of an event's page.
import { watchEvent } from "./watch.js";
import { bindForm } from "./form.js";

export function start(form, { signal }) {
  bindForm(form, watchEvent(), signal);
}
