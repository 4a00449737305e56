/** Tokens that run out, links that open documents, and people whom the server does not know. */

import { describe, expect, it } from "vitest";
import { renewAfter, within } from "../src/tokens.js";
import { ManualClock } from "./harness/clock.js";
import { Room } from "./harness/room.js";

const expired = { code: "unauthenticated", message: "The token has run out." } as const;

describe("a token that has run out", () => {
  it("is replaced, and everything that was written meanwhile arrives", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    alice.line.authentications.push("authenticated");
    alice.line.tell("closed", expired);
    room.deliver();
    alice.types("still here");
    room.settle();
    expect([bob.says(), alice.unsaved, alice.state.closed]).toEqual(["still here", 0, null]);
    expect(alice.line.sent.filter((event) => event === "authenticate")).toHaveLength(1);
  });

  it("is asked for once, however much it was refused for", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    alice.line.authentications.push("authenticated");
    room.server.refuseUpdates.push("unauthenticated", "unauthenticated");
    for (const word of ["one ", "two "]) {
      alice.types(word);
      room.clock.advance(30);
    }
    alice.line.tell("closed", expired);
    room.settle();
    expect(alice.line.sent.filter((event) => event === "authenticate")).toHaveLength(1);
    expect([bob.says(), alice.unsaved]).toEqual(["one two ", 0]);
  });

  it("may run out again, hours later", () => {
    const room = new Room();
    const alice = room.joins();
    alice.line.authentications.push("authenticated", "authenticated", "authenticated");
    for (const _ of "abc") {
      alice.line.tell("closed", expired);
      room.settle();
    }
    expect([alice.state.closed, alice.state.phase.kind]).toEqual([null, "joined"]);
  });

  it("is asked for again after a pause when it cannot be had", () => {
    const room = new Room();
    const alice = room.joins();
    alice.line.authentications.push("lost", "authenticated");
    room.server.refuseJoins.push("unauthenticated");
    alice.line.tell("closed", expired);
    room.deliver();
    expect([alice.state.phase.kind, alice.state.closed]).toEqual(["apart", null]);
    room.recover();
    expect([alice.state.phase.kind, alice.state.closed]).toEqual(["joined", null]);
  });

  it("ends the session when the fresh one is refused as well", () => {
    const room = new Room();
    const alice = room.joins();
    alice.line.authentications.push("refused");
    alice.line.tell("closed", expired);
    alice.types("kept");
    room.recover();
    expect(alice.state.closed).toEqual(expired);
    expect([alice.says(), alice.unsaved]).toEqual(["kept", 1]);
  });

  it("ends the session when the fresh one opens nothing", () => {
    const room = new Room();
    const alice = room.joins();
    alice.line.authentications.push("authenticated");
    room.server.refuseJoins.push("unauthenticated");
    alice.line.tell("closed", expired);
    room.recover();
    expect(alice.state.closed?.code).toBe("unauthenticated");
  });
});

it("somebody whom the server lets not connect keeps what was written", () => {
  const room = new Room();
  const alice = room.opens();
  alice.types("words");
  alice.line.refuse(expired);
  expect(alice.state.closed).toEqual(expired);
  expect([alice.says(), alice.unsaved]).toEqual(["words", 1]);
});

it("a link's secret comes with every join", () => {
  const room = new Room();
  const alice = room.opens(undefined, "sesame");
  alice.line.connect();
  room.settle();
  alice.line.drop();
  room.recover();
  expect(room.server.joins.map(({ link }) => link)).toEqual(["sesame", "sesame"]);
});

describe("the renewal of a token", () => {
  const NOW = 1_000_000_000;
  const endingAfter = (seconds: number) =>
    `e30.${btoa(JSON.stringify({ sub: "ann", exp: NOW / 1000 + seconds })).replaceAll("=", "")}.c2ln`;

  it.each([
    [3600, 3540],
    [100, 80],
    [1, 10],
    [-7200, 10],
    [365 * 24 * 3600, 24 * 3600],
  ])("of one that lasts %i s more is due in %i s", (left, due) => {
    expect(renewAfter(endingAfter(left), NOW)).toBe(due * 1000);
  });

  it.each(["", "opaque", "a.b.c", `e30.${btoa("null")}.x`, `e30.${btoa('{"exp": "soon"}')}.x`])(
    "of %j is left to the server's refusal",
    (token) => {
      expect(renewAfter(token, NOW)).toBeNull();
    },
  );
});

it("nobody waits for ever", async () => {
  const clock = new ManualClock();
  const never = within(new Promise(() => {}), 10_000, clock);
  clock.advance(10_000);
  await expect(never).rejects.toThrow("too long");
  await expect(within(Promise.resolve("token"), 10_000, clock)).resolves.toBe("token");
});
