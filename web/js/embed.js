// For any site: <script src="https://your.headcount/embed.js" data-event="spring-gala"
// async></script> shows the event's live count in a frame after the tag. Optional: data-theme
// (light, dark or auto), data-width and data-height in pixels, data-title. The page around it
// receives each count as a "headcount" event on the frame.
{
  const THEMES = ["light", "dark"];
  const PATIENCE_MS = 5_000; // something else on the page may never finish loading
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
  const open = () => {
    if (!frame.src) frame.src = url.href;
  };
  /** The document never ends, so inside a page that is loading it would hold up that page's `load`. */
  const openAfterLoad = () => {
    addEventListener("load", () => setTimeout(open), { once: true });
    // A frame that was written into the page without a script holds it up already.
    const isEndless = ({ src }) => src.startsWith(new URL("api/v1/events/", home).href);
    const openBesideOthers = () => {
      if ([...document.querySelectorAll("iframe")].some(isEndless)) open();
      else setTimeout(open, PATIENCE_MS);
    };
    if (document.readyState === "loading")
      addEventListener("DOMContentLoaded", openBesideOthers, { once: true });
    else openBesideOthers();
  };
  if (/^[a-z0-9-]{1,64}$/.test(slug)) {
    tag.after(frame);
    if (document.readyState === "complete") open();
    else openAfterLoad();
  } else console.error("embed.js: data-event must name an event");
}
