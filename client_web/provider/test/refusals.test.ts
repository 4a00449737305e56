/** What a person keeps, and what is sent again, when the server says no. */

import { describe, expect, it } from "vitest";
import type { ErrorCode } from "../src/types.js";
import { Room } from "./harness/room.js";

describe("a refused update", () => {
  it.each<ErrorCode>(["unavailable", "rate_limited"])("is sent again after a pause: %s", (code) => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    room.server.refuseUpdates.push(code, code, code);
    alice.types("later");
    room.settle();
    expect([alice.unsaved, alice.state.refusal, bob.says()]).toEqual([1, null, ""]);
    room.recover();
    expect([alice.unsaved, bob.says()]).toEqual([0, "later"]);
  });

  it("takes those behind it along", () => {
    const room = new Room();
    const alice = room.joins();
    room.server.refuseUpdates.push("unavailable");
    for (const letter of "abc") {
      alice.types(letter);
      room.clock.advance(30);
    }
    room.deliver();
    expect([alice.unsaved, alice.state.inFlight]).toEqual([3, []]);
    room.recover();
    expect([room.server.text(), alice.unsaved]).toEqual(["abc", 0]);
  });

  it("goes on receiving while it pauses", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    room.server.refuseUpdates.push("unavailable");
    alice.types("mine");
    room.clock.advance(30);
    room.deliver();
    bob.types("yours");
    room.clock.advance(30);
    room.deliver();
    room.server.commit();
    room.deliver();
    expect(alice.says()).toContain("yours");
  });

  it("is offered again by a new join when the past was missing", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    room.server.refuseUpdates.push("missing_past");
    alice.types("past");
    room.settle();
    expect([bob.says(), alice.unsaved, alice.state.strikes]).toEqual(["past", 0, null]);
  });

  it("ends the sending when the past is missing again", () => {
    const room = new Room();
    const alice = room.joins();
    room.server.refuseUpdates.push("missing_past", "missing_past");
    alice.types("past");
    room.recover();
    expect(alice.state.refusal).toMatchObject({ code: "missing_past" });
    expect(room.server.joins).toHaveLength(2);
  });

  it.each<ErrorCode>(["too_large", "bad_update", "unsupported_content", "document_full"])(
    "stays in the document, which goes on without sending: %s",
    (code) => {
      const room = new Room();
      const [alice, bob] = [room.joins(), room.joins()];
      room.server.refuseUpdates.push(code);
      alice.types("refused");
      room.settle();
      alice.types(", and more");
      bob.types("hello ", 0);
      room.recover();
      expect(alice.state.refusal).toMatchObject({ code, message: `This is ${code}.` });
      expect(alice.state.refusal?.bytes).toBeGreaterThan(7);
      expect(alice.says()).toContain("refused, and more");
      expect(alice.says()).toContain("hello ");
      expect([alice.unsaved, room.server.text()]).toEqual([2, "hello "]);
      expect(alice.line.sent.filter((event) => event === "update")).toHaveLength(1);
    },
  );

  it("sends nothing after a lost link either", () => {
    const room = new Room();
    const alice = room.joins();
    room.server.refuseUpdates.push("too_large");
    alice.types("refused");
    room.settle();
    alice.line.drop();
    room.recover();
    expect([room.server.text(), alice.unsaved]).toEqual(["", 1]);
    expect(alice.state.phase.kind).toBe("joined");
  });

  it("is offered again when the person may write again", () => {
    const room = new Room();
    const alice = room.joins();
    room.server.refuseUpdates.push("forbidden");
    room.server.say("role", "viewer");
    room.deliver();
    alice.types("patience");
    room.settle();
    expect(alice.state.refusal).toMatchObject({ code: "forbidden" });
    room.server.say("role", "editor");
    room.settle();
    expect([room.server.text(), alice.unsaved, alice.state.refusal]).toEqual(["patience", 0, null]);
  });

  it("is offered again when a commenter may edit, for whom the document is full later", () => {
    const room = new Room();
    room.server.role = "commenter";
    const alice = room.joins();
    room.server.refuseUpdates.push("document_full");
    alice.types("patience");
    room.settle();
    room.server.say("document", { title: "Plan", trashed_at: null });
    room.settle();
    expect(alice.state.refusal).toMatchObject({ code: "document_full" });
    room.server.give(alice.line, "editor");
    room.settle();
    expect([room.server.text(), alice.unsaved, alice.state.refusal]).toEqual(["patience", 0, null]);

    room.server.refuseUpdates.push("document_full");
    alice.types("!");
    room.settle();
    room.server.give(alice.line, "owner");
    room.settle();
    expect(alice.state.refusal).toMatchObject({ code: "document_full" });
  });

  it("is offered again when the document leaves the trash", () => {
    const room = new Room();
    const alice = room.joins();
    room.server.say("document", { title: "Plan", trashed_at: "2026-01-01T00:00:00Z" });
    room.deliver();
    room.server.refuseUpdates.push("forbidden");
    alice.types("patience");
    room.settle();
    expect(room.server.text()).toBe("");
    room.server.say("document", { title: "Plan", trashed_at: null });
    room.settle();
    expect([room.server.text(), alice.unsaved]).toEqual(["patience", 0]);
  });
});

describe("a refused join", () => {
  it("is tried again after a pause", () => {
    const room = new Room();
    room.server.refuseJoins.push("unavailable", "rate_limited", "too_many");
    const alice = room.joins();
    expect(alice.state.phase.kind).toBe("apart");
    room.recover();
    expect(alice.state.phase.kind).toBe("joined");
  });

  it.each<ErrorCode>(["not_found", "forbidden", "deleted"])("ends the session: %s", (code) => {
    const room = new Room();
    room.server.refuseJoins.push(code);
    const alice = room.joins();
    room.recover();
    expect(alice.state.closed).toMatchObject({ code });
    expect(room.server.joins).toHaveLength(1);
  });

  it("takes another client id when its own is taken", () => {
    const room = new Room();
    room.server.refuseJoins.push("client_id_taken");
    const alice = room.joins();
    expect(room.server.joins[0]?.client_id).not.toBe(room.server.joins[1]?.client_id);
    expect(room.server.joins[1]?.client_id).toBe(alice.doc.clientID);
    alice.types("under another id");
    room.settle();
    expect(room.server.text()).toBe("under another id");
  });

  it("keeps the copy of an earlier life apart", () => {
    const room = new Room();
    const alice = room.joins();
    alice.types("earlier life");
    room.settle();
    room.server.restore([]);
    room.recover();
    expect(alice.state.closed).toMatchObject({ code: "epoch_changed" });
    expect(alice.setAside).toEqual([1]);
    expect([alice.says(), room.server.text()]).toEqual(["earlier life", ""]);
  });

  it("joins any life with an empty document", () => {
    const room = new Room();
    const alice = room.joins();
    room.server.restore([]);
    room.recover();
    expect([alice.state.closed, alice.state.epoch]).toEqual([null, 2]);
  });
});

describe("a session that the server ends", () => {
  it("is over when the document was deleted", () => {
    const room = new Room();
    const alice = room.joins();
    room.server.say("closed", { code: "deleted", message: "It is gone." });
    room.recover();
    expect(alice.state.closed).toEqual({ code: "deleted", message: "It is gone." });
  });

  it("begins anew when the trouble was the server's", () => {
    const room = new Room();
    const alice = room.joins();
    room.server.say("closed", { code: "internal", message: "We are sorry." });
    room.deliver();
    alice.types("still here");
    room.recover();
    expect([room.server.text(), alice.unsaved, alice.state.closed]).toEqual(["still here", 0, null]);
  });
});
