// One event's stream, shared among the tabs of this browser (roster.js decides who holds it). A tab
// that holds it passes everything on over a BroadcastChannel; a tab without a slot polls; a hidden
// tab closes its connection.
import { Live } from "./live.js";
import { BEAT_MS, CLAIM_MS, LOST_MS, Roster, slotsOver } from "./roster.js";
import { drawKey } from "./send.js";
import { POLLING, TRANSPORTS } from "./transports/all.js";

const CHANNEL = "headcount";
const HIDDEN_MS = 2_000; // a short look at another tab causes no reconnect
const KEPT = ["count", "status", "watching"]; // what a tab that joins later needs

/** Follows `slug` for as long as the page is open. */
export function shareStream(slug, on) {
  const tab = new SharedTab(slug, on);
  let hiding;
  tab.start();
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    if (document.visibilityState === "visible") tab.show();
    else hiding = setTimeout(() => tab.hide(), HIDDEN_MS);
  });
  addEventListener("online", () => tab.check());
  addEventListener("offline", () => tab.offline());
  // An open connection would keep the page out of the back/forward cache.
  addEventListener("pagehide", () => tab.stop());
  addEventListener("pageshow", ({ persisted }) => persisted && tab.start());
}

class SharedTab {
  #slug;
  #on;
  #roster;
  #channel = null;
  #live = null;
  #role = "none";
  #visible = true;
  #last = {};
  #posted_ms = 0;
  #timer;

  constructor(slug, on) {
    this.#slug = slug;
    this.#on = on;
    const [page] = performance.getEntriesByType("navigation");
    this.#roster = new Roster(drawKey(), slug, slotsOver(page?.nextHopProtocol));
  }

  start() {
    this.#visible = document.visibilityState === "visible";
    this.#channel = new BroadcastChannel(CHANNEL);
    this.#channel.onmessage = ({ data }) => this.#receive(data);
    this.#decide();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#become("none");
    this.#channel?.close();
    this.#channel = null;
  }

  show() {
    this.#visible = true;
    this.#decide();
    this.check();
  }

  hide() {
    this.#visible = false;
    this.#decide();
  }

  check() {
    if (this.#role === "follow") this.#post("who");
    else this.#live?.check();
  }

  offline() {
    this.#live?.offline();
  }

  #decide() {
    clearTimeout(this.#timer);
    if (!this.#channel) return;
    const now_ms = performance.now();
    this.#become(this.#roster.decide(now_ms, this.#visible));
    if (this.#role === "lead" && now_ms - this.#posted_ms >= BEAT_MS / 2) this.#post();
    this.#timer = setTimeout(
      () => this.#decide(),
      { claim: CLAIM_MS, lead: BEAT_MS }[this.#role] ?? LOST_MS / 4,
    );
  }

  #become(role) {
    if (role === this.#role) return;
    const before = this.#role;
    this.#role = role;
    this.#live?.stop();
    this.#live = null;
    if (role === "lead") this.#open((kind, detail) => this.#spread(kind, detail), TRANSPORTS);
    if (role === "poll") this.#open(this.#on, POLLING);
    if (role === "follow") this.#post("who");
    if (role === "none" && this.#channel) {
      this.#roster.role = "none";
      // A tab that is seen again must not read "live" before that is true again.
      this.#on("status", { mode: "connecting", since_ms: 0 });
    }
    if (
      this.#channel &&
      (role === "claim" || role === "lead" || before === "claim" || before === "lead")
    )
      this.#post();
  }

  #open(on, transports) {
    this.#last = {};
    this.#live = new Live(this.#slug, on, transports);
    this.#live.start();
  }

  #post(kind = "role") {
    this.#posted_ms = performance.now();
    this.#channel.postMessage({ kind, ...this.#roster.state });
  }

  #spread(kind, detail) {
    this.#last[kind] = detail;
    this.#on(kind, detail);
    this.#channel?.postMessage({ kind: "news", slug: this.#slug, news: { kind, detail } });
  }

  #receive(message) {
    if (message.kind === "news") {
      if (message.slug === this.#slug && !this.#live)
        this.#on(message.news.kind, message.news.detail);
      return;
    }
    this.#roster.hear(message, performance.now());
    const asks = message.role === "claim" || message.kind === "who";
    if (asks && this.#role === "lead") {
      this.#post();
      if (message.slug === this.#slug) {
        for (const kind of KEPT) if (this.#last[kind]) this.#spread(kind, this.#last[kind]);
        if (message.kind === "who") this.#live.check();
      }
    }
    this.#decide();
  }
}
