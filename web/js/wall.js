// The big screen: live, and kept from going to sleep where the browser allows it.
import "./watch.js";

async function stayAwake() {
  try {
    await navigator.wakeLock?.request("screen");
  } catch {
    /* refused (battery, settings): the screen may dim */
  }
}
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") stayAwake();
});
stayAwake();
