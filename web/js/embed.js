// For any site: <script src="https://your.headcount/embed.js" data-event="spring-gala"
// async></script> shows the event's live count in a frame after the tag. Optional: data-theme
// (light, dark or auto), data-width and data-height in pixels, data-title. The page around it
// receives each count as a "headcount" event on the frame.
{
  const THEMES = ["light", "dark"];
  const tag = document.currentScript;
  const home = new URL(".", tag.src);
  const { event: slug = "", theme, title, width = "240", height = "64" } = tag.dataset;
  const url = new URL(`api/v1/events/${encodeURIComponent(slug)}/frame`, home);
  if (THEMES.includes(theme)) url.searchParams.set("theme", theme);
  const frame = document.createElement("iframe");
  frame.title = title || `Registrations: ${slug}`;
  frame.width = width;
  frame.height = height;
  frame.style.border = "0";
  frame.style.maxWidth = "100%";
  frame.style.colorScheme = THEMES.includes(theme) ? theme : "light dark";
  addEventListener("message", ({ source, origin, data }) => {
    const own = source === frame.contentWindow && (origin === home.origin || origin === "null");
    if (own && data && data.type === "count")
      frame.dispatchEvent(new CustomEvent("headcount", { detail: data.data, bubbles: true }));
  });
  // The document never ends, so inside a page that is loading it would hold up that page's `load`.
  const open = () => {
    frame.src = url.href;
  };
  if (/^[a-z0-9-]{1,64}$/.test(slug)) {
    tag.after(frame);
    if (document.readyState === "complete") open();
    else addEventListener("load", () => setTimeout(open), { once: true });
  } else console.error("embed.js: data-event must name an event");
}
