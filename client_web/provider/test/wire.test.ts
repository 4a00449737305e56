/** The protocol's vectors, which the server's tests read as well. */

import { describe, expect, it } from "vitest";
import vectors from "../../../tests/vectors/native_protocol.json";
import { decodeBatch, encodeBatch, shareOut } from "../src/batch.js";
import * as wire from "../src/wire.js";
import { bytesOf, revive } from "./harness/vectors.js";

/** What the client makes of an event's arguments; events without content are themselves. */
function read(event: string, args: readonly unknown[]): unknown {
  const [, first, second, third] = args;
  switch (event) {
    case "update":
      return [wire.natural(first, "seq"), decodeBatch(wire.bytes(second, "batch")), wire.decodeHeirs(third)];
    case "presence":
      return wire.decodePresence(first);
    case "role":
      return wire.decodeRole(first);
    case "durability":
      return wire.decodeDurability(first);
    case "document":
      return wire.decodeDocument(first);
    case "closed":
      return wire.decodeError(first);
    default:
      return event;
  }
}

function answer(story: string): unknown {
  return revive(vectors.answers.find((entry) => entry.story === story)?.value);
}

/** What somebody knows who has been in the document before. */
const known: wire.Known = {
  stateVector: bytesOf({ hex: "010107" }),
  limits: { update_bytes: 1000, part_bytes: 100, presence_bytes: 10 },
};

describe("the server's words", () => {
  it.each(vectors.messages)("$event: $story", ({ event, arguments: args }) => {
    expect(read(event, revive(args) as unknown[])).toBeDefined();
  });

  it("announce a missing update, whole or in parts", () => {
    expect(wire.decodeJoinAnswer(answer("a join, whole"), null).missing).toEqual({
      kind: "whole",
      update: bytesOf({ hex: "01010100040105" }),
    });
    expect(wire.decodeJoinAnswer(answer("a join of a large document"), null).missing).toEqual({
      kind: "parts",
      count: 3,
      bytes: 700_000,
    });
  });

  it("leave out what somebody knows who lacks nothing", () => {
    const brief = answer("a join of somebody who lacks nothing");
    expect(wire.decodeJoinAnswer(brief, known)).toMatchObject({
      missing: { kind: "nothing" },
      seq: 12,
      durability: "ok",
      quarantined: false,
      setAside: 0,
      discussion: 0,
      ...known,
    });
    expect(() => wire.decodeJoinAnswer(brief, null)).toThrow(wire.WireError);
  });

  it("say what somebody lacks nothing of, but has not heard yet", () => {
    expect(wire.decodeJoinAnswer(answer("a join of somebody who has more"), known)).toMatchObject({
      missing: { kind: "nothing" },
      stateVector: bytesOf({ hex: "010105" }),
      durability: "waiting",
      quarantined: true,
      setAside: 1,
      discussion: 12,
      limits: known.limits,
    });
  });

  it("leave nothing out for somebody who lacks something", () => {
    const { limits, ...rest } = answer("a join, whole") as Record<string, unknown>;
    expect(() => wire.decodeJoinAnswer(rest, known)).toThrow(wire.WireError);
    expect(wire.decodeJoinAnswer({ ...rest, limits }, known).missing.kind).toBe("whole");
  });

  it("tell a refusal from an answer", () => {
    expect(wire.refusalIn(answer("durable"))).toBeNull();
    expect(wire.decodeSeq(answer("durable"))).toBe(12);
    expect(wire.refusalIn(answer("refused"))).toEqual({ code: "missing_past", message: "Join again." });
    expect(wire.refusalIn(answer("another epoch"))?.code).toBe("epoch_changed");
  });

  it("are refused when they are not in the protocol's form", () => {
    const join = answer("a join, whole") as Record<string, unknown>;
    for (const field of Object.keys(join).filter((name) => name !== "chunks" && name !== "quarantined")) {
      const damaged = { ...join, [field]: "nonsense" };
      expect(() => wire.decodeJoinAnswer(damaged, known), field).toThrow(wire.WireError);
    }
    expect(() => wire.decodeChunk({ chunk: "text" })).toThrow(wire.WireError);
    expect(() => wire.decodePresence([{}])).toThrow(wire.WireError);
    expect(wire.decodeError({ code: "from_the_future", message: "?" }).code).toBe("internal");
  });
});

describe("a cursor's move", () => {
  const user = { id: "u1", name: "Bob", color: "#b3261e" };
  const told = (state: unknown) => ({ presenceId: 7, clientId: 77, user, state }) as wire.PresenceChange;

  it.each(vectors.cursors)("is told: $story", ({ before, state, change }) => {
    expect(wire.decodePresence([change], () => told(before))).toEqual([told(state)]);
    expect(wire.decodePresence([change], () => undefined)).toEqual([]);
  });

  it.each(vectors.invalid_cursors.map((change) => [change]))("is refused as %j", (change) => {
    expect(() => wire.decodePresence([change], () => told({}))).toThrow(wire.WireError);
    expect(() => wire.decodePresence([change])).toThrow(wire.WireError);
  });
});

describe("characters that live on elsewhere", () => {
  it("are five integers each, and may be absent", () => {
    expect(wire.decodeHeirs(undefined)).toEqual([]);
    expect(wire.decodeHeirs([[7, 0, 4, 1, 12]])).toEqual([[7, 0, 4, 1, 12]]);
    const whole = answer("a join, whole") as Readonly<Record<string, unknown>>;
    expect(wire.decodeJoinAnswer(whole, null).heirs).toEqual([]);
    const moved = wire.decodeJoinAnswer(answer("a join of somebody whose words have moved"), null);
    expect(moved.heirs[0]).toEqual([7, 0, 4, 1, 12]);
  });

  it.each([[7], [[7, 0, 4, 1]], [[7, 0, 4, 1, -1]], [[7, 0, 4, 1, "12"]], "none"])(
    "are refused as %j",
    (value) => {
      expect(() => wire.decodeHeirs(value)).toThrow(wire.WireError);
    },
  );
});

describe("batches", () => {
  it.each(vectors.batches)("have the bytes $batch.hex", ({ updates, batch }) => {
    expect(encodeBatch(updates.map(bytesOf))).toEqual(bytesOf(batch));
    expect(decodeBatch(bytesOf(batch)).map((update) => Uint8Array.from(update))).toEqual(
      updates.map(bytesOf),
    );
  });

  it.each(vectors.invalid_batches)("are refused: $story", ({ batch }) => {
    expect(() => decodeBatch(bytesOf(batch))).toThrow(wire.WireError);
  });

  it("are shared out in order, each within its size where one update allows that", () => {
    const updates = [10, 40, 200, 10, 10].map((length) => ({ update: new Uint8Array(length) }));
    const batches = shareOut(updates, 100);
    expect(batches.flat()).toEqual(updates);
    expect(batches.map((batch) => batch.length)).toEqual([2, 1, 2]);
  });
});
