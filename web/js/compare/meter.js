// One transport's line, kept open, and what it costs: no DOM.
import { serverNow } from "../clock.js";
import { Screen } from "./screen.js";

const RETRY_MS = 1_000;
const MOST_RETRY_MS = 15_000;

export class Meter extends EventTarget {
  state = "connecting";
  screen = new Screen();
  requests = 0;
  bytes = 0;
  reconnects = 0;
  cuts = []; // silences before the line broke by itself, ms
  opening_ms = null;
  first_ms = null; // from opening to the line, and to its first count
  failures = 0;
  longest_silence_ms = 0;
  #slug;
  #open;
  #close = null;
  #timer;
  #line = 0;
  #opened_at;
  #received_at;

  constructor(key, slug, open) {
    super();
    this.key = key;
    this.#slug = slug;
    this.#open = open;
  }

  /** The line cannot run: the browser lacks it, or the server does not offer it. */
  get isAbsent() {
    return this.state === "unsupported" || this.state === "off";
  }

  start() {
    this.#drop();
    const line = (this.#line += 1);
    // Messages of a closed line are ignored.
    const own = (act) => (value) => {
      if (line === this.#line) act(value);
    };
    this.#opened_at = this.#received_at = performance.now();
    this.#close = this.#open(this.#slug, this.screen.position, {
      request: () => {
        this.requests += 1;
      },
      bytes: (n) => {
        this.bytes += n;
      },
      up: own(() => this.#up()),
      count: own((count) => this.#show(count)),
      news: own(() => this.dispatchEvent(new Event("news"))),
      absent: own((state) => {
        this.#drop();
        this.#become(state);
      }),
      wavering: own(() => {
        this.#lost();
        this.#become("down");
      }),
      down: own((retry_ms) => {
        this.#lost();
        this.#again(retry_ms);
      }),
    });
  }

  /** Drops the line; it reconnects after `pause_ms` and resumes from its position. */
  cut(pause_ms) {
    if (this.isAbsent) return;
    this.#drop();
    this.#become("cut");
    this.reconnects += 1;
    this.#timer = setTimeout(() => this.start(), pause_ms);
  }

  /** A line that reports live but is not: opens it again. */
  renew() {
    if (this.state !== "live") return;
    this.#lost();
    this.#become("down");
    this.start();
  }

  /** Closes the line for as long as the page is hidden or another page compares. */
  stop() {
    this.#drop();
    this.failures = 0;
    this.#become("stopped");
  }

  /** Restarts the measurement; the number on screen stays. */
  reset() {
    this.requests = this.bytes = this.reconnects = 0;
    this.screen.reset();
  }

  #up() {
    this.#silence();
    this.failures = 0;
    this.opening_ms ??= performance.now() - this.#opened_at;
    this.#become("live");
  }

  #show(count) {
    this.#up();
    this.first_ms ??= performance.now() - this.#opened_at;
    if (!this.screen.take(count, serverNow())) return;
    this.dispatchEvent(new Event("count"));
  }

  #silence() {
    const now = performance.now();
    this.longest_silence_ms = Math.max(this.longest_silence_ms, now - this.#received_at);
    this.#received_at = now;
  }

  /** Only a line that was live can be cut; one that never came up is refused. */
  #lost() {
    if (this.state === "live") {
      this.cuts.push(performance.now() - this.#received_at);
      this.reconnects += 1;
    } else this.failures += 1;
  }

  #again(retry_ms) {
    this.#drop();
    this.#become("down");
    const pause_ms =
      retry_ms ?? Math.min(MOST_RETRY_MS, RETRY_MS * 2 ** Math.max(0, this.failures - 1));
    this.#timer = setTimeout(() => this.start(), pause_ms * (1 + Math.random() * 0.3));
  }

  #drop() {
    clearTimeout(this.#timer);
    this.#line += 1;
    this.#close?.();
    this.#close = null;
  }
  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}
