// Keeps one event live: opens the transport, comes back after every failure, and reports how true
// the number is. Speaks to its owner by `on(kind, detail)`; kinds: count, status, notice, watching.
// Owns no DOM and no state of the count.
import { Freshness } from "./freshness.js";
import { Ladder } from "./ladder.js";
import { probe } from "./probe.js";
import { serverNow } from "./clock.js";
import { Timers } from "./timers.js";
import { TRANSPORTS } from "./transports/all.js";

const CATCH_UP_MS = 1_500; // a stream that has not brought what a probe found is dead
const SILENCES = 3; // a line that was silent for this many probes is renewed

export class Live {
  #slug;
  #on;
  #transports;
  #ladder;
  #fresh = new Freshness(performance.now());
  #transport = null;
  #position = null;
  #silences = 0;
  #timers = new Timers();
  #stopped = false;
  #reported = "";

  constructor(slug, on, transports = TRANSPORTS) {
    this.#slug = slug;
    this.#on = on;
    this.#transports = transports;
    this.#ladder = new Ladder(transports.map(({ tries }) => tries));
  }

  start() {
    this.#stopped = false;
    this.#open();
  }

  stop() {
    this.#stopped = true;
    this.#transport?.close();
    this.#timers.clear();
  }

  /** Asks for a newer number and shows it. A line that missed it, waits or has failed is renewed. */
  async check() {
    if (this.#stopped) return;
    try {
      const { count } = await probe(this.#slug, this.#position);
      if (this.#stopped || count?.stale_since) return;
      if (count) this.#on("count", { count });
      if (this.#timers.waits("retry")) return this.#open();
      if (!count) return this.#confirmed();
      this.#timers.after("catchUp", CATCH_UP_MS, () => {
        if (this.#position !== count.position) this.#open();
      });
    } catch {
      if (this.#stopped) return;
      this.#fresh.cut(this.#fresh.confirmed_ms);
      this.#report();
      this.#open();
    }
  }

  /** The device reports that it is offline: shown at once, then checked. */
  offline() {
    if (this.#stopped) return;
    this.#fresh.offline(performance.now());
    this.#report();
    this.#open();
  }

  #open() {
    if (this.#stopped) return;
    this.#transport?.close();
    this.#timers.cancel("retry");
    this.#silences = 0;
    const current =
      (fn) =>
      (...args) => {
        if (this.#transport === mine && !this.#stopped) fn(...args);
      };
    const mine = { close: () => {} };
    this.#transport = mine;
    this.#ladder.opened(performance.now());
    mine.close = this.#transports[this.#ladder.rung].open(this.#slug, this.#position, {
      up: current(() => this.#confirmed()),
      down: current((why) => this.#down(why)),
      expect: current((ms) => this.#expect(ms)),
      count: current((count, how) => {
        this.#position = count.position;
        this.#on("count", { count, ...how });
      }),
      event: current((kind, data) => this.#event(kind, data)),
    }).close;
  }

  #confirmed() {
    const now_ms = performance.now();
    this.#ladder.confirmed(now_ms);
    this.#fresh.confirmed(now_ms, this.#transports[this.#ladder.rung].mode);
    this.#report();
    if (this.#ladder.rung > 0 && !this.#timers.waits("climb"))
      this.#timers.after("climb", this.#ladder.climb_in_ms, () => {
        this.#ladder.climb();
        this.#open();
      });
  }

  #down(why) {
    this.#timers.cancel("silence");
    this.#timers.cancel("climb");
    this.#fresh.cut(performance.now());
    this.#report();
    this.#timers.after("retry", this.#ladder.failed(why), () => this.#open());
  }

  /** Something came by the line; the next sign of life is due within `ms`. */
  #expect(ms, silences = 0) {
    this.#silences = silences;
    this.#timers.after("silence", ms, async () => {
      await this.check();
      if (this.#silences + 1 >= SILENCES) this.#open();
      else if (!this.#stopped) this.#expect(ms, this.#silences + 1);
    });
  }

  #event(kind, data) {
    if (kind !== "stale" && kind !== "gone") return this.#on(kind, data);
    if (kind === "stale") this.#fresh.stale(Date.parse(data.stale_since));
    else this.#fresh.gone();
    this.#report();
    if (kind === "gone") this.stop();
  }

  /** Reports the mode when it is another one, and again when it changes by itself. */
  #report() {
    const now_ms = performance.now();
    const mode = this.#fresh.mode(now_ms);
    const since_ms =
      this.#fresh.stale_since_ms ?? Math.round(serverNow() - (now_ms - this.#fresh.confirmed_ms));
    const report = mode === "reconnecting" || mode === "stale" ? `${mode} ${since_ms}` : mode;
    if (report !== this.#reported) this.#on("status", { mode, since_ms });
    this.#reported = report;
    this.#timers.cancel("report");
    const next_ms = this.#fresh.changes_in_ms(now_ms);
    if (next_ms !== null) this.#timers.after("report", next_ms, () => this.#report());
  }
}
