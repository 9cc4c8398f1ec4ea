// Typed text survives a reload, a crash and a lost network. It is kept for the tab's life, never longer.
export function keepDraft(form, name, fields) {
  const key = `draft:${name}`;
  const read = () => {
    try {
      return JSON.parse(sessionStorage.getItem(key)) ?? {};
    } catch {
      return {};
    }
  };
  const save = () => {
    const values = Object.fromEntries(fields.map((field) => [field, form.elements[field].value]));
    try {
      sessionStorage.setItem(key, JSON.stringify(values));
    } catch {
      /* storage is forbidden or full: the fields still hold it */
    }
  };
  const draft = read();
  for (const field of fields) {
    // What the server sent back with a refused form is newer than the draft. The key goes with the entry it belongs to.
    const input = form.elements[field];
    const untouched = input.value === "" || (input.type === "number" && input.value === "1");
    if (draft[field] && (untouched || field === "idempotency_key")) input.value = draft[field];
  }
  form.addEventListener("input", save);
  return {
    save,
    forget() {
      try {
        sessionStorage.removeItem(key);
      } catch {
        /* nothing was kept */
      }
    },
  };
}
