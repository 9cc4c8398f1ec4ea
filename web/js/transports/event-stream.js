// Reads `text/event-stream` (WHATWG HTML, section 9.2.6) piece by piece. Pure: text in, messages out.
// Unlike EventSource it also reports comments: they are the server's heartbeat.
export class EventStreamParser {
  #rest = "";
  #block = null;

  /** Takes the next piece. @returns {{type: string, data?: string, id?: string, retry_ms?: number}[]} */
  push(text) {
    const found = [];
    this.#rest += text;
    // A CR at the end may be the first half of CR LF.
    for (let end; (end = /\r\n|\n|\r(?=[\s\S])/.exec(this.#rest));) {
      const line = this.#rest.slice(0, end.index);
      this.#rest = this.#rest.slice(end.index + end[0].length);
      const message = this.#line(line);
      if (message) found.push(message);
    }
    return found;
  }

  #line(line) {
    if (line === "") {
      const block = this.#block;
      this.#block = null;
      if (!block) return null;
      if (block.data) return { type: "message", ...block, data: block.data.join("\n") };
      return block.retry_ms === undefined ? null : { type: "retry", retry_ms: block.retry_ms };
    }
    const colon = line.indexOf(":");
    if (colon === 0) return { type: "comment" };
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    this.#block ??= {};
    if (field === "event") this.#block.type = value;
    if (field === "data") (this.#block.data ??= []).push(value);
    if (field === "id" && !value.includes("\0")) this.#block.id = value;
    if (field === "retry" && /^\d+$/.test(value)) this.#block.retry_ms = Number(value);
    return null;
  }
}
