// Reading `text/event-stream`, in pieces of any size.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStreamParser } from "../../web/js/transports/event-stream.js";
import { QuietTime } from "../../web/js/transports/sse.js";

const whole = (text) => new EventStreamParser().push(text);

test("a message has a type, an id and its lines", () => {
  assert.deepEqual(whole('event: count\nid: a-1\ndata: {"a":\ndata: 1}\n\ndata\n\n'), [
    { type: "count", id: "a-1", data: '{"a":\n1}' },
    { type: "message", data: "" },
  ]);
});

test("comments and pauses are reported, blocks without data are not", () => {
  assert.deepEqual(whole(":\n\nretry: 1500\n\nevent: x\n\n: hello\nretry: soon\n\n"), [
    { type: "comment" },
    { type: "retry", retry_ms: 1_500 },
    { type: "comment" },
  ]);
  assert.deepEqual(whole("retry: 9\nevent: bye\ndata: {}\n\n"), [
    { type: "bye", retry_ms: 9, data: "{}" },
  ]);
});

test("pieces may end anywhere, and lines may end in CR, LF or both", () => {
  const text = "retry: 1\n\nevent: count\nid: a-2\ndata: {}\n\n:\n\nevent: watching\ndata: [1]\n\n";
  const expected = whole(text);
  for (const ending of ["\n", "\r\n", "\r"]) {
    // A CR at the very end could be half of CR LF, so a last line is added that nobody waits for.
    const bytes = `${text.replaceAll("\n", ending)}:`;
    for (let size = 1; size < 9; size += 1) {
      const parser = new EventStreamParser();
      const found = [];
      for (let at = 0; at < bytes.length; at += size)
        found.push(...parser.push(bytes.slice(at, at + size)));
      assert.deepEqual(found, expected, `${JSON.stringify(ending)}, ${size} at a time`);
    }
  }
});

test("the heartbeat is learned from the stream", () => {
  const quiet = new QuietTime();
  assert.equal(quiet.after("retry", 0), 10_000, "not known yet");
  assert.equal(quiet.after("comment", 5), 10_000, "a comment in place of a count is no heartbeat");
  assert.equal(quiet.after("comment", 1_005), 6_000);
  assert.equal(quiet.after("count", 1_505), 6_000);
  assert.equal(quiet.after("comment", 46_505), 50_000, "and may be longer than the default");
});
