// A refused form: the page moves to the first mistake instead of its top.
export function start(summary) {
  const field = summary.closest("form").querySelector("[aria-invalid=true]") ?? summary;
  field.focus({ preventScroll: true });
  field.scrollIntoView({ block: "center" });
}
