// For any site: <script src="https://your.headcount/embed.js" data-event="spring-gala" async></script>
// shows the event's live count in a frame after the tag. data-width and data-height are optional, in pixels.
// The page around it hears each count as a "headcount" event on the frame.
{
  const tag = document.currentScript;
  const home = new URL(".", tag.src);
  const slug = tag.dataset.event || "";
  const frame = document.createElement("iframe");
  frame.src = new URL(`api/v1/events/${encodeURIComponent(slug)}/frame`, home).href;
  frame.title = tag.dataset.title || `Registrations: ${slug}`;
  frame.width = tag.dataset.width || "240";
  frame.height = tag.dataset.height || "64";
  frame.style.border = "0";
  addEventListener("message", ({ source, origin, data }) => {
    const own = source === frame.contentWindow && (origin === home.origin || origin === "null");
    if (own && data && data.type === "count")
      frame.dispatchEvent(new CustomEvent("headcount", { detail: data.data, bubbles: true }));
  });
  if (/^[a-z0-9-]{1,64}$/.test(slug)) tag.after(frame);
  else console.error("embed.js: data-event must name an event");
}
