/** The server's presence table as an Awareness, and the local state on its way out. */

import { describe, expect, it, onTestFinished } from "vitest";
import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { Presence, type PresenceOutcome, type PresenceState, type SendPresence } from "../src/presence.js";
import type { PresenceChange } from "../src/wire.js";
import { ManualClock } from "./harness/clock.js";

function here() {
  const clock = new ManualClock();
  const awareness = new Awareness(new Y.Doc());
  const sent: PresenceState[] = [];
  const refusals: string[] = [];
  const answers: ((outcome: PresenceOutcome) => void)[] = [];
  const send: SendPresence = (state, answered) => {
    sent.push(state);
    answers.push(answered);
  };
  const presence = new Presence(awareness, clock, send, ({ code }) => refusals.push(code));
  onTestFinished(() => presence.destroy());
  const answer = (outcome: PresenceOutcome = "taken") => {
    for (const answered of answers.splice(0)) answered(outcome);
  };
  return { clock, awareness, presence, sent, answer, refusals };
}

function change(presenceId: number, clientId: number, state: PresenceChange["state"]): PresenceChange {
  return { presenceId, clientId, user: { id: "u1", name: "Bob", color: "#b3261e" }, state };
}

describe("other people", () => {
  it("stand in the awareness under their client id, as the server vouches for them", () => {
    const { awareness, presence } = here();
    const told: unknown[] = [];
    awareness.on("change", (changes: unknown) => told.push(changes));
    presence.joined([change(2, 77, { cursor: 1, user: { name: "Mallory" } })], 1, 4096);
    expect(awareness.getStates().get(77)).toEqual({
      cursor: 1,
      user: { id: "u1", name: "Bob", color: "#b3261e" },
    });
    expect(told).toEqual([{ added: [77], updated: [], removed: [] }]);
  });

  it("have the colour that their page has chosen, if it is one", () => {
    const { awareness, presence } = here();
    presence.joined([change(2, 77, { color: "#0369A1" }), change(3, 78, { color: "url(x)" })], 1, 4096);
    expect(awareness.getStates().get(77)?.user).toMatchObject({ name: "Bob", color: "#0369A1" });
    expect(awareness.getStates().get(78)?.user).toMatchObject({ color: "#b3261e" });
  });

  it("say more of themselves than the server knows, and nothing else than it", () => {
    const { awareness, presence } = here();
    const said = { id: "u2", name: "Mallory", color: "#0369a1", avatar: "/bob.png", role: "author" };
    presence.joined([change(2, 77, { user: said })], 1, 4096);
    const user = { id: "u1", name: "Bob", color: "#0369a1", avatar: "/bob.png", role: "author" };
    expect(awareness.getStates().get(77)).toEqual({ user });
  });

  it("never expire here, for the server says who is gone", () => {
    const { awareness, presence } = here();
    presence.joined([change(2, 77, {})], 1, 4096);
    expect(awareness.meta.get(77)?.lastUpdated).toBe(Number.POSITIVE_INFINITY);
    presence.changed([change(2, 77, null)]);
    expect(awareness.getStates().has(77)).toBe(false);
  });

  it("stay when the earlier one of their two connections ends", () => {
    const { awareness, presence } = here();
    presence.joined([change(2, 77, { cursor: 1 })], 1, 4096);
    presence.changed([change(3, 77, { cursor: 2 })]);
    presence.changed([change(2, 77, null)]);
    expect(awareness.getStates().get(77)?.cursor).toBe(2);
  });

  it("leave no caret behind under the client id that they had before", () => {
    const { awareness, presence } = here();
    const told: unknown[] = [];
    presence.joined([change(2, 77, { cursor: 1 })], 1, 4096);
    awareness.on("change", (changes: unknown) => told.push(changes));
    presence.changed([change(2, 78, { cursor: 2 })]);
    expect([...awareness.getStates().keys()].filter((id) => id !== awareness.clientID)).toEqual([78]);
    expect(told).toEqual([{ added: [78], updated: [], removed: [77] }]);
    presence.joined([change(2, 79, { cursor: 3 })], 1, 4096);
    expect([...awareness.getStates().keys()].filter((id) => id !== awareness.clientID)).toEqual([79]);
  });

  it("keep their caret until the edit that it stands behind is here", () => {
    const { awareness, presence, clock } = here();
    const theirs = new Y.Doc();
    theirs.clientID = 77;
    const at = () => ({ cursor: { head: { item: { client: 77, clock: theirs.getText("t").length - 1 } } } });
    const shown = () => awareness.getStates().get(77)?.cursor;
    theirs.getText("t").insert(0, "a");
    Y.applyUpdate(awareness.doc, Y.encodeStateAsUpdate(theirs));
    presence.joined([change(2, 77, at())], 1, 4096);
    const before = shown();
    theirs.getText("t").insert(1, "b");
    presence.changed([change(2, 77, at())]);
    expect(shown()).toEqual(before);
    Y.applyUpdate(awareness.doc, Y.encodeStateAsUpdate(theirs));
    expect(shown()).toEqual(at().cursor);

    theirs.getText("t").insert(2, "c");
    presence.changed([change(2, 77, at())]);
    clock.advance(2_000);
    expect(shown()).toEqual(at().cursor);
  });

  it("are introduced once, and keep a new name while the caret that came with it is held back", () => {
    const { awareness, presence, clock } = here();
    const hears = (...entries: readonly object[]) => presence.hear(entries);
    const shown = () => awareness.getStates().get(77);
    presence.joined([change(2, 77, { cursor: 1 })], 1, 4096);
    hears({ presence_id: 2, state: { cursor: 2 } });
    expect(shown()).toMatchObject({ cursor: 2, user: { name: "Bob" } });
    const ahead = { item: { client: 5, clock: 0 } };
    const user = { id: "u1", name: "Robert", color: "#b3261e" };
    hears({ presence_id: 2, client_id: 77, user, state: { cursor: ahead } });
    hears({ presence_id: 2, state: { cursor: ahead, move: 1 } });
    clock.advance(4_000);
    expect(shown()).toMatchObject({ move: 1, user: { name: "Robert" } });
    hears({ presence_id: 2, state: null }, { presence_id: 3, state: { cursor: 1 } });
    expect([...awareness.getStates().keys()]).toEqual([awareness.clientID]);
    hears({ presence_id: 2, state: { cursor: 3 } });
    expect(shown()).toBeUndefined();
  });

  it("move on from what was heard of them last, also while that is held back", () => {
    const { awareness, presence, clock } = here();
    const shown = () => awareness.getStates().get(77);
    presence.joined([change(2, 77, { color: "#0369a1", cursor: null })], 1, 4096);
    presence.hear([[2, [[null, "t", null, 0]]]]);
    const place = { type: null, tname: "t", item: null, assoc: 0 };
    expect(shown()).toMatchObject({ color: "#0369a1", cursor: { anchor: place, head: place } });
    presence.hear([[2, [[null, null, [5, 0], 0]], { color: "#00695c", move: 1 }]]);
    presence.hear([[2, [[null, null, [5, 1], 0]]]]);
    expect(shown()).toMatchObject({ color: "#0369a1", cursor: { head: place } });
    clock.advance(4_000);
    const head = { item: { client: 5, clock: 1 } };
    expect(shown()).toMatchObject({ color: "#00695c", move: 1, cursor: { head } });
  });

  it("are gone with the link, and those who left meanwhile do not return", () => {
    const { awareness, presence } = here();
    presence.joined([change(2, 77, {}), change(3, 88, {})], 1, 4096);
    presence.left();
    expect([...awareness.getStates().keys()]).toEqual([awareness.clientID]);
    presence.joined([change(5, 88, {})], 4, 4096);
    expect(awareness.getStates().has(77)).toBe(false);
    expect(awareness.getStates().has(88)).toBe(true);
  });

  it("are not oneself: neither this session nor its ghost", () => {
    const { awareness, presence } = here();
    awareness.setLocalState({ cursor: "mine" });
    const own = awareness.clientID;
    presence.joined([change(1, own, { cursor: "echo" }), change(9, own, { cursor: "ghost" })], 1, 4096);
    presence.changed([change(9, own, null)]);
    expect(awareness.getLocalState()).toEqual({ cursor: "mine" });
  });
});

describe("the local state", () => {
  it("is told on joining, without what it claims about the person", () => {
    const { awareness, presence, sent, clock } = here();
    awareness.setLocalState({ cursor: 1, user: { name: "Alice" } });
    presence.joined([], 1, 4096);
    clock.advance(0);
    expect(sent).toEqual([{ cursor: 1 }]);
    expect(awareness.getLocalState()?.user).toEqual({ name: "Alice" });
  });

  it("is sent at most ten times a second, the latest last", () => {
    const { awareness, presence, sent, answer, clock } = here();
    presence.joined([], 1, 4096);
    for (let cursor = 0; cursor < 100; cursor++) {
      awareness.setLocalStateField("cursor", cursor);
      clock.advance(10);
      answer();
    }
    clock.advance(100);
    expect(sent.length).toBeLessThanOrEqual(11);
    expect(sent.at(-1)).toEqual({ cursor: 99 });
  });

  it("waits for the answer to the one before", () => {
    const { awareness, presence, sent, answer, clock } = here();
    presence.joined([], 1, 4096);
    clock.advance(0);
    awareness.setLocalStateField("cursor", 1);
    clock.advance(1_000);
    expect(sent).toHaveLength(1);
    answer();
    clock.advance(0);
    expect(sent.at(-1)).toEqual({ cursor: 1 });
  });

  it("is sent again after a while when the server could not take it", () => {
    const { presence, sent, answer, clock } = here();
    presence.joined([], 1, 4096);
    clock.advance(0);
    answer("again");
    clock.advance(100);
    expect(sent).toHaveLength(1);
    clock.advance(5_000);
    expect(sent).toHaveLength(2);
  });

  it("stays here when it is over the limit or nobody listens", () => {
    const { awareness, presence, sent, clock, refusals } = here();
    awareness.setLocalStateField("cursor", 1);
    clock.advance(1_000);
    presence.joined([], 1, 20);
    awareness.setLocalState({ cursor: "x".repeat(100) });
    clock.advance(1_000);
    expect(sent).toEqual([]);
    expect(refusals).toEqual(["too_large"]);
  });

  it("leaves as JSON has it, and what is no JSON stays here", () => {
    const { awareness, presence, sent, clock, refusals, answer } = here();
    presence.joined([], 1, 4096);
    const nested = (levels: number): unknown => (levels === 0 ? 1 : { in: nested(levels - 1) });
    const says = (value: unknown) => {
      awareness.setLocalState({ value });
      clock.advance(100);
      answer();
    };
    says(Uint8Array.of(7));
    says(nested(15));
    expect(sent).toEqual([{ value: { 0: 7 } }, { value: nested(15) }]);
    for (const value of [1n, nested(16), { _placeholder: true }, "\ud800", { "\udc00": 1 }]) says(value);
    expect(sent).toHaveLength(2);
    expect(refusals).toEqual(Array(5).fill("malformed"));
  });

  it("says what the server does not know of the person", () => {
    const { awareness, presence, sent, clock } = here();
    presence.color = "#00695c";
    presence.joined([], 1, 4096);
    const user = { id: "me", name: "Alice", color: "#00695c", avatar: "/alice.png" };
    awareness.setLocalState({ user });
    clock.advance(100);
    expect(sent).toEqual([{ user: { avatar: "/alice.png" } }]);
  });

  it("is said to be refused when the server does not take it, and the next one is sent", () => {
    const { awareness, presence, sent, clock, refusals, answer } = here();
    presence.joined([], 1, 4096);
    clock.advance(0);
    answer({ code: "malformed", message: "Not like this." });
    clock.advance(10_000);
    expect([sent.length, refusals]).toEqual([1, ["malformed"]]);
    awareness.setLocalState({ cursor: 2 });
    clock.advance(100);
    expect(sent.at(-1)).toEqual({ cursor: 2 });
  });
});
