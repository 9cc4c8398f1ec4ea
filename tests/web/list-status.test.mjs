// The status line of a list: the state that it shows, since when, and for which event.
import assert from "node:assert/strict";
import { test } from "node:test";
import { worst } from "../../web/js/events.js";
import { sayListStatus, shorten } from "../../web/js/list-status.js";
import { staleSince } from "../../web/js/transports/poll-list.js";

// The words are shown as they are asked for.
const item = (text) => ({ dataset: {}, textContent: text });
const keys = {
  live: "live %name",
  stale: "stale %names",
  all: "all events",
  more: "%name and %n more",
  gone: "gone %names",
};
globalThis.document = {
  documentElement: { lang: "en" },
  getElementById: () => ({
    content: {
      querySelectorAll: () =>
        Object.entries(keys).map(([key, text]) => ({ ...item(text), dataset: { key } })),
    },
  }),
};

test("the worst state counts, and of several the oldest", () => {
  const live = { mode: "live", since_ms: 1 };
  const late = { mode: "stale", since_ms: 9_000 };
  const early = { mode: "stale", since_ms: 5_000 };
  const lost = { mode: "reconnecting", since_ms: 2_000 };
  for (const order of [
    [live, late, early, lost],
    [early, lost, late, live],
    [late, early, live, lost],
  ])
    assert.equal(worst(order), early);
  assert.equal(worst([live, lost]), lost);
});

test("an event that was removed does not hide the state of the others", () => {
  const gone = { mode: "gone", since_ms: 0 };
  const live = { mode: "live", since_ms: 0 };
  assert.equal(worst([gone, live]), live);
  assert.equal(worst([gone, gone]).mode, "gone");
});

test("a list that is polled is out of date since its oldest count", () => {
  const at = (second) => ({ stale_since: `2026-11-28T10:00:0${second}Z` });
  assert.equal(staleSince([{}, at(7), at(3), {}]), Date.parse("2026-11-28T10:00:03Z"));
  assert.equal(staleSince([{}, {}]), null);
});

test("the line names the events it is about", () => {
  const newest = { count: { at: "2026-11-28T10:00:00Z" }, title: "Gala" };
  const says = (names, all) => sayListStatus({ mode: "stale", since_ms: 0, names, all }, newest);
  assert.equal(sayListStatus({ mode: "live" }, newest), "live Gala");
  assert.equal(says(["Gala"], 3), "stale Gala");
  assert.equal(says(["Gala", "Ball", "Talk"], 4), "stale Gala and 2 more");
  assert.equal(says(["Gala", "Ball"], 2), "stale all events");
  assert.equal(says([], 0), "stale all events");
});

test("a long title is cut between characters", () => {
  assert.equal(shorten(" Gala "), "Gala");
  assert.equal(shorten("😀".repeat(41)), `${"😀".repeat(40)}…`);
});
