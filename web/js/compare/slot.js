// Takes one of the two slots for streams that the tabs of a browser share (roster.js): the lines of
// this page hold four of the six connections that HTTP/1.1 gives, and one must stay free.
import { BEAT_MS } from "../roster.js";

const CHANNEL = "headcount";

/** Holds the slot until the returned function is called. */
export function holdSlot(id) {
  if (!("BroadcastChannel" in globalThis)) return () => {};
  const channel = new BroadcastChannel(CHANNEL);
  // Its id comes before every other: two leaders that are there already make room.
  const say = (role) => channel.postMessage({ kind: "role", id: `!${id}`, slug: "/compare", role });
  channel.onmessage = ({ data }) => {
    if (data.role === "claim" || data.kind === "who") say("lead");
  };
  const beat = setInterval(() => say("lead"), BEAT_MS);
  say("lead");
  return () => {
    clearInterval(beat);
    say("none");
    channel.close();
  };
}
