// Keys of an event's console, and the overlay that lists them. A single character is a shortcut
// only if people can turn it off (WCAG 2.1.4); the choice is kept in this browser. Screen readers
// keep their own keys: they do not pass them on.
const OFF = "keys-off";

/** What a key press does: "help", the shortcut's character, or null. Pure. */
export function meaning(
  { key, ctrlKey, metaKey, altKey, repeat, isComposing, defaultPrevented },
  at,
) {
  if (ctrlKey || metaKey || altKey || repeat || isComposing || defaultPrevented) return null;
  if (at.isField || key.length !== 1) return null;
  return key === "?" ? "help" : key.toLowerCase();
}

/** Whether an element takes the keys itself. */
const isField = (element) =>
  element.isContentEditable ||
  element.closest(
    "input:not([type=checkbox], [type=radio]), textarea, select, [role=application]",
  ) !== null;

export function start(dialog, { signal }) {
  const isOff = () => {
    try {
      return localStorage.getItem(OFF) !== null;
    } catch {
      return false; // storage may be forbidden
    }
  };
  const choice = dialog.querySelector("[data-keys-switch]");
  choice.checked = !isOff();
  choice.addEventListener("change", () => {
    try {
      if (choice.checked) localStorage.removeItem(OFF);
      else localStorage.setItem(OFF, "");
    } catch {
      /* it holds for this page */
    }
  });
  const opener = document.querySelector("[data-keys-open]");
  opener.hidden = false;
  opener.addEventListener("click", () => dialog.showModal());
  const press = (event) => {
    const does = choice.checked ? meaning(event, { isField: isField(event.target) }) : null;
    if (!does) return;
    if (does === "help") {
      if (dialog.open) dialog.close();
      else if (!document.querySelector("dialog[open]")) dialog.showModal();
      return event.preventDefault();
    }
    if (document.querySelector("dialog[open]")) return;
    const search = does === "/" && document.querySelector("input[type=search]");
    const link = document.querySelector(`[data-shortcut="${CSS.escape(does)}"]`);
    if (!search && !link) return;
    event.preventDefault();
    if (search) search.focus();
    else link.click();
  };
  document.addEventListener("keydown", press, { signal });
}
