// What the lines show about this browser and its network.
import { clockEstimate } from "../clock.js";
import { best } from "./verdict.js";
import { formatTime, say } from "./format.js";

// Longer than any honest network takes; a buffering proxy may hold data for many seconds, or for
// ever.
const PROMPT_MS = 2_000;
const ABSENT = { unsupported: "unsupported", off: "off" };

function checks(lanes, order, running_ms) {
  const of = Object.fromEntries(lanes.map((lane) => [lane.meter.key, lane]));
  const streams = [of.sse, of.frame];
  const since_ms = running_ms;
  const first_ms = streams.every(({ meter }) => meter.first_ms !== null)
    ? Math.max(...streams.map(({ meter }) => meter.first_ms))
    : null;
  const late = first_ms === null && since_ms > PROMPT_MS * 3;
  const socket = of.websocket.meter;
  const webTransport = of.webtransport.meter;
  const cuts = lanes.flatMap(({ meter }) => meter.cuts);
  const silence = Math.max(...lanes.map(({ meter }) => meter.longest_silence_ms));
  const clock = clockEstimate();
  const { winner } = best(order);
  return [
    first_ms === null && !late
      ? ["first", "open"]
      : [
          "first",
          late || first_ms > PROMPT_MS ? "look" : "fine",
          { time: formatTime(first_ms ?? since_ms) },
        ],
    of.sse.middle === null
      ? ["events", "open"]
      : [
          "events",
          of.sse.middle > PROMPT_MS ? "look" : "fine",
          { time: formatTime(of.sse.middle) },
        ],
    socket.opening_ms !== null
      ? ["websocket", "fine", { time: formatTime(socket.opening_ms) }]
      : ["websocket", socket.failures ? "look" : "open"],
    webTransport.opening_ms !== null
      ? ["webtransport", "fine", { time: formatTime(webTransport.opening_ms) }]
      : ["webtransport", webTransport.failures ? "look" : (ABSENT[webTransport.state] ?? "open")],
    cuts.length
      ? ["cuts", "look", { n: cuts.length, time: formatTime(Math.min(...cuts)) }]
      : ["cuts", "fine", { time: formatTime(silence) }],
    clock
      ? [
          "clock",
          "fine",
          { time: formatTime(Math.abs(clock.offset_ms)), error: formatTime(clock.error_ms) },
        ]
      : ["clock", "open"],
    winner ? ["best", "fine", { name: winner.name }] : ["best", "open"],
  ];
}

export function bindDoctor(root) {
  const items = new Map();
  const item = (name) => {
    if (items.has(name)) return items.get(name);
    const [row, mark, word, text] = ["li", "span", "span", "span"].map((tag) =>
      document.createElement(tag),
    );
    mark.className = "doctor-mark";
    mark.ariaHidden = "true";
    word.className = "visually-hidden";
    row.append(mark, word, " ", text);
    root.append(row);
    items.set(name, { row, mark, word, text });
    return items.get(name);
  };
  const marks = { fine: "✓", look: "!", open: "…", unsupported: "–", off: "–" };
  /** `running_ms`: for how long the lines have been open. */
  return (lanes, order, running_ms) => {
    for (const [name, how, values] of checks(lanes, order, running_ms)) {
      const { row, mark, word, text } = item(name);
      const next = say(`doctor-${name}-${how}`, values);
      if (text.textContent === next) continue;
      row.dataset.how = how;
      mark.textContent = marks[how];
      word.textContent = say(`doctor-${how in ABSENT ? "absent" : how}`);
      text.textContent = next;
    }
  };
}
