// Timers that end.

/** Calls `act` again and again, until `signal` ends it. */
export function every(ms, act, signal) {
  const timer = setInterval(act, ms);
  signal.addEventListener("abort", () => clearInterval(timer));
}

/** Named timers: a new one of a name replaces the old one. */
export class Timers {
  #ids = new Map();

  after(name, ms, then) {
    this.cancel(name);
    const run = () => {
      this.#ids.delete(name);
      then();
    };
    this.#ids.set(name, setTimeout(run, ms));
  }

  waits(name) {
    return this.#ids.has(name);
  }

  cancel(name) {
    clearTimeout(this.#ids.get(name));
    this.#ids.delete(name);
  }

  clear() {
    for (const name of this.#ids.keys()) this.cancel(name);
  }
}
