// The short name of a new event: it follows the title until somebody types one, and says at once that it is taken.

/** A short name that is taken is said before the form is sent. */
function bindTaken(field) {
  const error = document.getElementById(`${field.id}-error`);
  let asked = "";
  const show = (taken) => {
    error.textContent = taken ? field.dataset.taken : "";
    if (taken) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  };
  const ask = async () => {
    const slug = field.value.trim();
    if (slug === asked || !slug || !field.validity.valid) return;
    asked = slug;
    const answer = await fetch(`/api/v1/events/${slug}`, {
      method: "HEAD",
      cache: "no-store",
    }).catch(() => null);
    if (answer && field.value.trim() === slug) show(answer.status === 200);
  };
  field.addEventListener("change", ask);
  field.form.addEventListener("focusin", ask); // the name that follows the title
}

function bindSlug(source, target) {
  let own = target.value !== "";
  target.addEventListener("input", () => {
    own = true;
  });
  source.addEventListener("input", () => {
    if (own) return;
    const plain = source.value.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
    target.value = plain
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 64);
  });
}

export function start(field) {
  bindTaken(field);
  const source = document.querySelector("[data-slug-source]");
  if (source) bindSlug(source, field);
}
