// The transports that keep one event live, from the best to the last resort.
import { openSse } from "./sse.js";
import { openLongPoll } from "./long-poll.js";
import { openPoll } from "./poll.js";

/**
 * `tries`: how many failures in a row before the next one is taken. `mode`: what the page says of
 * itself meanwhile.
 */
export const TRANSPORTS = [
  { open: openSse, tries: 3, mode: "live" },
  { open: openLongPoll, tries: 2, mode: "live" },
  { open: openPoll, tries: Infinity, mode: "polling" },
];
/** Holds no connection between its questions. */
export const POLLING = TRANSPORTS.slice(-1);
