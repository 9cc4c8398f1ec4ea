// Who of a browser's tabs holds a stream. The channel is an array, the clock a number.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CLAIM_MS, LOST_MS, Roster, SLOTS, slotsOver } from "../../web/js/roster.js";

class Browser {
  now_ms = 0;
  tabs = [];

  open(slug, id = `tab-${this.tabs.length}`) {
    const tab = { roster: new Roster(id, slug), visible: true, hung: false };
    this.tabs.push(tab);
    this.#decide(tab);
    return tab;
  }

  /** Lets time pass in small steps: every tab that does not hang decides and says what it is. */
  pass(ms) {
    for (const end_ms = this.now_ms + ms; this.now_ms < end_ms; this.now_ms += 100)
      this.tabs.forEach((tab) => this.#decide(tab));
  }

  #decide(tab) {
    if (tab.hung) return;
    tab.roster.decide(this.now_ms, tab.visible);
    for (const other of this.tabs)
      if (other !== tab && !other.hung) other.roster.hear(tab.roster.state, this.now_ms);
  }

  roles = () => this.tabs.map(({ roster }) => roster.role);
  count = (role) => this.roles().filter((each) => each === role).length;
}

test("a tab alone leads after it has waited for objections", () => {
  const browser = new Browser();
  browser.open("gala");
  assert.deepEqual(browser.roles(), ["claim"]);
  browser.pass(CLAIM_MS + 100);
  assert.deepEqual(browser.roles(), ["lead"]);
});

test("many tabs of one event share one stream", () => {
  const browser = new Browser();
  for (let n = 0; n < 8; n += 1) browser.open("gala");
  browser.pass(1_000);
  assert.equal(browser.count("lead"), 1);
  assert.equal(browser.count("follow"), 7);
});

test("tabs of many events hold no more than the slots, and the others poll", () => {
  const browser = new Browser();
  for (let n = 0; n < 6; n += 1) {
    browser.open(`event-${n}`);
    browser.pass(200);
  }
  browser.pass(1_000);
  assert.equal(browser.count("lead"), SLOTS);
  assert.equal(browser.count("poll"), 6 - SLOTS);
});

test("a leader that hangs is replaced, and steps down or takes over when it wakes", () => {
  for (const names of [
    ["a", "b"],
    ["b", "a"],
  ]) {
    const browser = new Browser();
    const [first, second] = names.map((name) => browser.open("gala", name));
    browser.pass(1_000);
    const [leader, follower] = first.roster.role === "lead" ? [first, second] : [second, first];
    leader.hung = true;
    browser.pass(LOST_MS + CLAIM_MS + 300);
    assert.equal(follower.roster.role, "lead");
    leader.hung = false;
    browser.pass(500);
    assert.deepEqual([first, second].map(({ roster }) => roster.role).sort(), ["follow", "lead"]);
  }
});

test("a hidden tab gives up its stream, and another tab takes it at once", () => {
  const browser = new Browser();
  const [first] = [browser.open("gala"), browser.open("gala")];
  browser.pass(1_000);
  const leader = browser.tabs.find(({ roster }) => roster.role === "lead");
  leader.visible = false;
  browser.pass(CLAIM_MS + 300);
  assert.equal(browser.count("lead"), 1);
  assert.equal(leader.roster.role, "follow", "it hears the other one");
  for (const tab of browser.tabs) tab.visible = false;
  browser.pass(1_000);
  assert.equal(browser.count("lead"), 0);
  first.visible = true;
  browser.pass(1_000);
  assert.equal(first.roster.role, "lead");
});

test("two claims at the same moment end in one stream", () => {
  const one = new Roster("a", "gala");
  const two = new Roster("b", "gala");
  one.decide(0, true);
  two.decide(0, true);
  one.hear(two.state, 10);
  two.hear(one.state, 10);
  assert.equal(one.decide(CLAIM_MS, true), "lead");
  assert.equal(two.decide(CLAIM_MS, true), "follow");
});

test("a tab that woke from sleep does not believe its own old claim of peers", () => {
  const tab = new Roster("b", "gala");
  tab.hear({ id: "a", slug: "gala", role: "lead" }, 0);
  assert.equal(tab.decide(0, true), "follow");
  assert.equal(
    tab.decide(60 * 60_000, true),
    "claim",
    "a leader last seen an hour ago may be gone",
  );
  tab.hear({ id: "a", slug: "gala", role: "lead" }, 60 * 60_000 + 10);
  assert.equal(tab.decide(60 * 60_000 + CLAIM_MS, true), "follow");
});

test("only HTTP/1.1 has few connections", () => {
  assert.equal(slotsOver("h2"), Infinity);
  assert.equal(slotsOver("h3"), Infinity);
  for (const protocol of ["http/1.1", "", undefined]) assert.equal(slotsOver(protocol), SLOTS);
});
