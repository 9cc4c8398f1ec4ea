// Runs before the first paint, and only for this: a remembered choice of colours must not flash,
// and what needs scripts takes its room from the start.
document.documentElement.dataset.scripts = "on";
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  /* storage may be forbidden; the system's preference holds */
}
