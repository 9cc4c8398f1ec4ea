// A form that came back refused: the reader goes on where the trouble is, not at the top of the page.
export function start(summary) {
  const field = summary.closest("form").querySelector("[aria-invalid=true]") ?? summary;
  field.focus({ preventScroll: true });
  field.scrollIntoView({ block: "center" });
}
