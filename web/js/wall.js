// The big screen is kept from going to sleep where the browser allows it.
async function stayAwake() {
  try {
    await navigator.wakeLock?.request("screen");
  } catch {
    /* Refused (battery, settings): the screen may dim. */
  }
}

export function start() {
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") stayAwake();
  });
  stayAwake();
}
