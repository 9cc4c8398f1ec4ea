// The switch auto → light → dark, remembered in localStorage and followed by every open tab.
const ORDER = ["auto", "light", "dark"];
const root = () => document.documentElement;
const current = () => root().dataset.theme ?? "auto";

function set(theme) {
  if (theme === "auto") delete root().dataset.theme;
  else root().dataset.theme = theme;
}

export function start(button, { signal }) {
  const name = button.querySelector("[data-theme-name]");
  const show = () => {
    name.textContent = button.dataset[current()];
  };
  button.addEventListener("click", () => {
    const next = ORDER[(ORDER.indexOf(current()) + 1) % ORDER.length];
    set(next);
    try {
      localStorage.setItem("theme", next);
    } catch {
      /* lasts for this page only */
    }
    show();
  });
  const follow = ({ key, newValue }) => {
    if (key !== "theme") return;
    set(ORDER.includes(newValue) ? newValue : "auto");
    show();
  };
  addEventListener("storage", follow, { signal });
  show();
}
