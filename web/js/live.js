// Keeps one event live: chooses the transport, comes back after every failure, and knows how true the number is.
// Speaks to its owner by `on(kind, detail)`; kinds: count, status, notice, watching. Owns no DOM and no state of the count.
import { openSse } from "./transports/sse.js";
import { openLongPoll } from "./transports/long-poll.js";
import { openPoll } from "./transports/poll.js";
import { probe } from "./probe.js";

const LADDER = [
  { open: openSse, tries: 3 },
  { open: openLongPoll, tries: 2 },
  { open: openPoll, tries: Infinity },
];
const GRACE_MS = 2_000; // a cut shorter than this is nobody's business
const STALE_MS = 30_000; // after this, “reconnecting” has become “stale”
const CLIMB_MS = 60_000; // how often a lower transport tries the best one again
const SILENCE_MS = 45_000; // three heartbeats; EventSource hides them, so silence is answered by a question
const STEADY_MS = 10_000; // a transport that was heard this long after its opening has earned its tries back
const CATCH_UP_MS = 1_500; // a stream that has not brought what a probe found by now is dead

export class Live {
  #slug;
  #on;
  #transport = null;
  #rung = 0;
  #failures = 0;
  #position = null;
  #opened_ms = 0;
  #heard_ms = Date.now();
  #cut_ms = 0;
  #mode = "connecting";
  #timers = {};
  #stopped = false;

  constructor(slug, on) {
    this.#slug = slug;
    this.#on = on;
  }

  start() {
    this.#stopped = false;
    this.#open();
    this.#hush();
  }

  stop() {
    this.#stopped = true;
    this.#transport?.close();
    Object.values(this.#timers).forEach(clearTimeout);
  }

  /** The page was asleep, hidden or offline: ask, and renew the stream if it has missed something. */
  async check() {
    if (this.#stopped) return;
    try {
      const { count } = await probe(this.#slug, this.#position);
      if (!count || count.stale_since) return this.#hush();
      this.#after("catchUp", CATCH_UP_MS, () => {
        if (this.#position !== count.position) this.#open();
      });
    } catch {
      this.#wavering(this.#heard_ms);
      this.#open();
    }
  }

  #open() {
    if (this.#stopped) return;
    this.#transport?.close();
    clearTimeout(this.#timers.retry);
    this.#opened_ms = Date.now();
    const current =
      (fn) =>
      (...args) => {
        if (this.#transport === mine && !this.#stopped) fn(...args);
      };
    const mine = { close: () => {} };
    this.#transport = mine;
    mine.close = LADDER[this.#rung].open(this.#slug, {
      up: current(() => this.#up()),
      wavering: current(() => this.#wavering()),
      down: current((why) => this.#down(why)),
      count: current((count, how) => {
        this.#position = count.position;
        this.#hush();
        this.#on("count", { count, ...how });
      }),
      event: current((kind, data) => this.#event(kind, data)),
    }).close;
    if (this.#rung > 0)
      this.#after("climb", CLIMB_MS, () => {
        this.#rung = 0;
        this.#open();
      });
  }

  #up() {
    this.#hush();
    clearTimeout(this.#timers.grace);
    clearTimeout(this.#timers.stale);
    this.#timers.grace = null;
    this.#status(this.#rung === 2 ? "polling" : "live");
  }

  #wavering(cut_ms = Date.now()) {
    if (this.#timers.grace || this.#mode === "stale") return;
    this.#cut_ms = cut_ms;
    this.#timers.grace = setTimeout(() => this.#status("reconnecting"), GRACE_MS);
    this.#after("stale", STALE_MS, () => this.#status("stale"));
  }

  #down({ retry_ms, refused } = {}) {
    this.#wavering();
    this.#failures = this.#heard_ms - this.#opened_ms > STEADY_MS ? 1 : this.#failures + 1;
    if (refused || this.#failures >= LADDER[this.#rung].tries) {
      this.#rung = Math.min(this.#rung + 1, LADDER.length - 1);
      this.#failures = 0;
    }
    const backoff_ms = Math.min(30_000, 500 * 2 ** this.#failures) * (0.5 + Math.random()); // jitter: never all at once
    this.#after("retry", Math.max(refused ? 0 : (retry_ms ?? 0), backoff_ms), () => this.#open());
  }

  #event(kind, data) {
    this.#hush();
    if (kind === "stale") this.#status("stale", Date.parse(data.stale_since));
    else if (kind === "gone") {
      this.#status("gone");
      this.stop();
    } else this.#on(kind, data);
  }

  #status(mode, since_ms = this.#cut_ms) {
    this.#mode = mode;
    this.#on("status", { mode, since_ms });
  }

  #hush() {
    this.#heard_ms = Date.now();
    this.#after("silence", SILENCE_MS, () => this.check());
  }
  #after(name, ms, then) {
    clearTimeout(this.#timers[name]);
    this.#timers[name] = setTimeout(then, ms);
  }
}
