// The messages of WebSocket, lines of JSON and WebTransport: `{"type": …, "data": …}`.

const NEWS = ["details", "notice", "bye"];

/** Takes messages for one line; `retry_ms` is what the farewell asked for. */
export class Messages {
  retry_ms;
  #on;

  constructor(on) {
    this.#on = on;
  }

  take(text) {
    const message = JSON.parse(text);
    if (message.type === "count") this.#on.count(message.data);
    if (NEWS.includes(message.type)) this.#on.news();
    if (message.type === "bye") this.retry_ms = message.retry_ms;
  }
}

/** Reads a stream to its end; `take` gets each line that is no heartbeat, `received` each length. */
export async function readLines(stream, take, received) {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    received(value.length);
    const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line) take(line);
  }
}
