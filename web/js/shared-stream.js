// One stream a browser: the tab that holds the Web Lock keeps the stream and tells the others over a BroadcastChannel.
// HTTP/1.1 gives a browser six connections to a host; seven open tabs must not hang the eighth page.
// Without Web Locks (plain HTTP on a local network) every tab keeps a stream of its own.
import { Live } from "./live.js";
import { probe } from "./probe.js";

const ANSWER_MS = 3_000; // a leader that does not answer in this time is frozen or gone

export function shareStream(slug, on) {
  const shared = "locks" in navigator && "BroadcastChannel" in window;
  const tab = shared ? new SharedTab(slug, on) : new Live(slug, on);
  tab.start();
  const check = () => {
    if (document.visibilityState === "visible") tab.check();
  };
  document.addEventListener("visibilitychange", check);
  addEventListener("online", check);
  addEventListener("pagehide", () => tab.stop()); // a held lock or an open stream would keep the page out of the back/forward cache
  addEventListener("pageshow", (event) => {
    if (event.persisted) {
      tab.start();
      check();
    }
  });
  return tab;
}

class SharedTab {
  #slug;
  #on;
  #name;
  #channel;
  #live = null;
  #release = null;
  #queue = null;
  #last = {};
  #heard_ms = 0;

  constructor(slug, on) {
    this.#slug = slug;
    this.#on = on;
    this.#name = `headcount:${slug}`;
  }

  start() {
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }) => this.#receive(data);
    this.#lead({});
    this.#ask();
  }

  stop() {
    this.#queue?.abort();
    this.#resign();
    this.#channel.close();
  }

  async check() {
    if (this.#live) return this.#live.check();
    this.#ask();
    try {
      const { count } = await probe(this.#slug, this.#last.count?.count.position);
      if (count)
        setTimeout(() => {
          if (!this.#live && this.#last.count?.count.position !== count.position) this.#take();
        }, 1_500);
    } catch {
      /* the leader says what is wrong, or is replaced by #ask */
    }
  }

  #lead(options) {
    this.#queue = options.steal ? null : new AbortController();
    navigator.locks
      .request(
        this.#name,
        this.#queue ? { signal: this.#queue.signal } : options,
        () =>
          new Promise((release) => {
            this.#release = release;
            this.#live = new Live(this.#slug, (kind, detail) => this.#spread(kind, detail));
            this.#live.start();
          }),
      )
      .catch((error) => {
        if (error.name !== "AbortError" || !this.#live) return;
        this.#resign(); // another tab took over while this one was frozen
        this.#lead({});
      });
  }

  #resign() {
    this.#live?.stop();
    this.#live = null;
    this.#release?.();
    this.#release = null;
  }

  #take() {
    this.#queue?.abort();
    this.#lead({ steal: true });
  }

  #ask() {
    const asked_ms = Date.now();
    this.#channel.postMessage({ kind: "hello" });
    setTimeout(() => {
      if (!this.#live && this.#heard_ms < asked_ms && document.visibilityState === "visible")
        this.#take();
    }, ANSWER_MS);
  }

  #spread(kind, detail) {
    this.#last[kind] = detail;
    this.#on(kind, detail);
    this.#channel.postMessage({ kind, detail });
  }

  #receive({ kind, detail }) {
    if (kind === "hello") {
      if (!this.#live) return;
      for (const known of ["count", "status", "watching"]) {
        if (this.#last[known])
          this.#channel.postMessage({ kind: known, detail: this.#last[known] });
      }
      this.#channel.postMessage({ kind: "here" });
      return;
    }
    this.#heard_ms = Date.now();
    if (kind === "here" || this.#live) return;
    this.#last[kind] = detail;
    this.#on(kind, detail);
  }
}
