// Which tabs of this browser hold a stream. HTTP/1.1 gives a browser six connections to a host, so
// all tabs together hold at most `slots` streams, and tabs of one event share one. Pure: messages
// and moments go in, a role comes out.
//
// Every tab says its own role; nothing is stored, so a tab that crashed or hangs simply falls
// silent. Roles: lead (holds the stream of its event), claim (wants to, and waits for objections),
// follow (another tab leads its event), poll (no slot is free), none (hidden).

export const SLOTS = 2; // of six; a page that compares transports holds four and one slot, and one stays free for writing
export const BEAT_MS = 3_000; // how often a leader says that it is there
export const LOST_MS = 10_000; // a leader that is silent for this long is frozen or gone
export const CLAIM_MS = 300; // how long a claim waits for objections

/** Over HTTP/2 and later all streams share one connection. */
export const slotsOver = (protocol = "") => (/^h[23]/.test(protocol) ? Infinity : SLOTS);

export class Roster {
  role = "none";
  #id;
  #slug;
  #slots;
  #peers = new Map();
  #claimed_ms = 0;

  constructor(id, slug, slots = SLOTS) {
    this.#id = id;
    this.#slug = slug;
    this.#slots = slots;
  }

  /** What this tab says of itself. */
  get state() {
    return { id: this.#id, slug: this.#slug, role: this.role };
  }

  /** Takes in what another tab says of itself. */
  hear({ id, slug, role }, now_ms) {
    if (role === "lead" || role === "claim")
      this.#peers.set(id, { id, slug, role, seen_ms: now_ms });
    else this.#peers.delete(id);
  }

  /** The role of this tab at `now_ms`, visible or not. */
  decide(now_ms, visible) {
    for (const [id, peer] of this.#peers)
      if (now_ms - peer.seen_ms > LOST_MS) this.#peers.delete(id);
    return (this.role = this.#next(now_ms, visible));
  }

  #next(now_ms, visible) {
    const ahead = [...this.#peers.values()].filter((peer) => this.#outranks(peer));
    if (ahead.some(({ slug }) => slug === this.#slug)) return "follow";
    if (!visible) return "none";
    if (new Set(ahead.map(({ slug }) => slug)).size >= this.#slots) return "poll";
    if (this.role === "lead") return "lead";
    if (this.role !== "claim") {
      this.#claimed_ms = now_ms;
      return "claim";
    }
    return now_ms - this.#claimed_ms >= CLAIM_MS ? "lead" : "claim";
  }

  /** A leader is ahead of a claim, a claim of everybody else; among equals the smaller id. */
  #outranks(peer) {
    const rank = { lead: 2, claim: 1 };
    const [theirs, own] = [rank[peer.role], rank[this.role] ?? 0];
    return theirs > own || (theirs === own && peer.id < this.#id);
  }
}
