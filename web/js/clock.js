// How far this device's clock is from the server's, so that “3 seconds ago” is true on a phone that is a minute off.
let offset_ms = 0;

export const serverNow = () => Date.now() + offset_ms;

export async function measureClock() {
  try {
    const sent = Date.now();
    const answer = await fetch("/api/v1/clock", { cache: "no-store" });
    const received = Date.now();
    const { at } = await answer.json();
    offset_ms = Date.parse(at) - (sent + received) / 2;
  } catch {
    /* ages are then told by the device's own clock */
  }
}
