// The message beside a field that is wrong: it is seen there, and read out with the field.

const groupOf = (input) =>
  input.closest(".field:has(.field-error), fieldset") ?? input.closest(".field");

/** The element of the message; made where the page has none. */
function placeOf(input) {
  const group = groupOf(input) ?? input.parentElement;
  const found = document.getElementById(`${input.id}-error`) ?? group.querySelector(".field-error");
  if (found) return found;
  const note = document.createElement("p");
  note.className = "field-error";
  input.id ||= `field-${input.name}`;
  note.id = `${input.id}-error`;
  group.append(note);
  return note;
}

/** Marks a field as wrong, all its `inputs` if it is a choice. */
export function markField(inputs, message) {
  const note = placeOf(inputs[0]);
  note.textContent = message;
  for (const input of inputs) input.setAttribute("aria-invalid", "true");
  if (inputs[0].closest("[aria-describedby]")?.getAttribute("aria-describedby").includes(note.id))
    return;
  const others = inputs[0].getAttribute("aria-describedby");
  inputs[0].setAttribute("aria-describedby", others ? `${others} ${note.id}` : note.id);
}

/** Takes the mark and the message away again. */
export function unmarkField(inputs) {
  for (const input of inputs) input.removeAttribute("aria-invalid");
  placeOf(inputs[0]).textContent = "";
}
