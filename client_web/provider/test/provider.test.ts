/** The provider as a page sees it: its state, its copy on the device, its question on leaving. */

import "fake-indexeddb/auto";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import * as Y from "yjs";
import type { KeepOnDevice } from "../src/offline.js";
import { ManyhandsProvider } from "../src/provider.js";
import { ManualClock } from "./harness/clock.js";
import { DummyServer, Line } from "./harness/server.js";

let documents = 0;

/** A device with its own document, whose pages can be opened one after the other. */
class Device {
  readonly clock = new ManualClock();
  readonly server = new DummyServer();
  private readonly documentId = `document-${++documents}`;

  /** Open a page; it is not connected yet. */
  open(offline: boolean | KeepOnDevice = true) {
    const line = new Line(this.server);
    const { documentId, clock } = this;
    const provider = new ManyhandsProvider({ documentId, connection: line, clock, offline });
    onTestFinished(() => provider.destroy());
    return { provider, line, text: provider.doc.getText("t") };
  }

  settle(line: Line): void {
    for (let round = 0; round < 4; round++) {
      this.clock.advance(100);
      while (line.arriveUp() || line.arriveDown());
      this.server.commitEach();
      while (line.arriveDown());
    }
  }
}

/** Until the copy on the device has been read and the join is on its way. */
function joining(line: Line): Promise<void> {
  return vi.waitUntil(() => line.sent.includes("join"), { interval: 1 }).then(() => {});
}

describe("the state", () => {
  it("goes from offline to synced, and tells its listeners", () => {
    const device = new Device();
    const { provider, line } = device.open(false);
    const seen = new Set<string>([provider.snapshot().status]);
    provider.subscribe(() => seen.add(provider.snapshot().status));
    line.connect();
    device.settle(line);
    expect([...seen]).toEqual(["offline", "syncing", "synced"]);
    expect(provider.snapshot()).toMatchObject({ role: "editor", loaded: true, offlineCopy: "off" });
    expect(provider.snapshot().document).toEqual({ title: "Plan", trashedAt: null });
  });

  it("says why the server takes no connection, until it does", () => {
    const device = new Device();
    const { provider, line } = device.open(false);
    const error = { code: "too_many", message: "Too many connections." } as const;
    line.turnAway(error);
    expect(provider.snapshot()).toMatchObject({ status: "offline", turnedAway: error, closed: null });
    line.connect();
    device.settle(line);
    expect(provider.snapshot()).toMatchObject({ status: "synced", turnedAway: null });
  });

  it("counts how often others have got access, or asked for it", () => {
    const device = new Device();
    const { provider, line } = device.open(false);
    line.connect();
    device.settle(line);
    expect(provider.snapshot().accessChanges).toBe(0);
    device.server.say("access");
    device.settle(line);
    expect(provider.snapshot().accessChanges).toBe(1);
  });

  it("says the version of the discussion, and counts how often the inbox has changed", () => {
    const device = new Device();
    const { provider, line } = device.open(false);
    line.connect();
    device.settle(line);
    expect(provider.snapshot()).toMatchObject({ discussion: 0, inboxChanges: 0 });
    device.server.say("discussion", 12);
    device.server.say("inbox");
    device.settle(line);
    expect(provider.snapshot()).toMatchObject({ discussion: 12, inboxChanges: 1 });
  });

  it("is the same object until something changes", () => {
    const device = new Device();
    const { provider, line, text } = device.open(false);
    line.connect();
    device.settle(line);
    const before = provider.snapshot();
    device.settle(line);
    expect(provider.snapshot()).toBe(before);
    text.insert(0, "a");
    expect(provider.snapshot()).not.toBe(before);
  });

  it("shows how much of a large document has come", () => {
    const device = new Device();
    const writer = device.open(false);
    writer.line.connect();
    device.settle(writer.line);
    writer.text.insert(0, "x".repeat(1000));
    device.settle(writer.line);
    device.server.partBytes = 400;
    const { provider, line } = device.open(false);
    const received: (number | undefined)[] = [];
    provider.subscribe(() => received.push(provider.snapshot().progress?.received));
    line.connect();
    device.settle(line);
    expect(received.filter((bytes) => bytes !== undefined)).toEqual([0, 400, 800]);
    expect(provider.snapshot().progress).toBeNull();
  });
});

describe("a broadcast", () => {
  it("reaches the others that are here, with the name of who said it", async () => {
    const device = new Device();
    const pages = [device.open(false), device.open(false), device.open(false)] as const;
    const heard: unknown[] = [];
    for (const [at, { provider, line }] of pages.entries()) {
      provider.on("broadcast", (payload, user) => heard.push([at, payload, user.name]));
      if (at < 2) line.connect();
      device.settle(line);
    }
    const [anna, bert, away] = pages;
    const told = anna.provider.broadcast("☂");
    for (const { line } of [anna, bert]) device.settle(line);
    await told;
    expect(heard).toEqual([[1, "☂", "Bob"]]);
    await expect(away.provider.broadcast("☂")).rejects.toMatchObject({ code: "unavailable" });
    device.server.role = "viewer";
    const refused = expect(anna.provider.broadcast("☂")).rejects.toMatchObject({ code: "forbidden" });
    device.settle(anna.line);
    await refused;
    expect(heard.length).toBe(1);
  });

  it("of a server that sends something else tells nobody, and the page joins again", () => {
    const device = new Device();
    const { provider, line } = device.open(false);
    line.connect();
    device.settle(line);
    const heard: unknown[] = [];
    provider.on("broadcast", (payload) => heard.push(payload));
    device.server.say("broadcast", "a text", null);
    device.settle(line);
    expect([heard, provider.snapshot().status]).toEqual([[], "synced"]);
  });
});

describe("leaving the page", () => {
  it("asks only while something is not durable", () => {
    const device = new Device();
    const { provider, line, text } = device.open(false);
    line.connect();
    device.settle(line);
    const page = new EventTarget() as unknown as Window;
    const stop = provider.guardLeaving(page);
    const leave = () => !page.dispatchEvent(new Event("beforeunload", { cancelable: true }));
    expect(leave()).toBe(false);
    text.insert(0, "unsaved");
    expect(leave()).toBe(true);
    device.settle(line);
    expect(leave()).toBe(false);
    text.insert(0, "again");
    stop();
    expect(leave()).toBe(false);
  });

  it("listens to the page from the first unsaved change until a while after the last", () => {
    const device = new Device();
    const { provider, line, text } = device.open(false);
    line.connect();
    device.settle(line);
    const told: string[] = [];
    const page = {
      addEventListener: () => told.push("listens"),
      removeEventListener: () => told.push("lets go"),
    } as unknown as Window;
    provider.guardLeaving(page);
    for (const letter of "letters") {
      text.insert(0, letter);
      device.settle(line);
    }
    expect(told).toEqual(["listens"]);
    device.clock.advance(10_000);
    expect(told).toEqual(["listens", "lets go"]);
  });

  it("sends what was gathered when the provider is destroyed", async () => {
    const device = new Device();
    const { provider, line, text } = device.open(false);
    line.connect();
    device.settle(line);
    text.insert(0, "last words");
    await provider.destroy();
    device.settle(line);
    expect(device.server.text()).toBe("last words");
  });
});

describe("the copy on the device", () => {
  it("has words that were written before it was open, and knows that they are not saved", async () => {
    const device = new Device();
    const first = device.open();
    first.text.insert(0, "at once");
    await vi.waitUntil(() => first.provider.snapshot().offlineCopy === "writing", { interval: 1 });
    await vi.waitUntil(
      () => {
        device.clock.advance(100);
        return first.provider.snapshot().offlineCopy === "ok";
      },
      { interval: 5, timeout: 60_000 },
    );
    await first.provider.destroy();
    const again = device.open();
    await vi.waitUntil(() => again.provider.snapshot().loaded, { interval: 1 });
    expect([again.text.toString(), again.provider.snapshot().unsaved]).toEqual(["at once", 1]);
  });

  it("is done without when its code does not come", async () => {
    const device = new Device();
    const { provider, line } = device.open(() => {
      throw new Error("Failed to fetch dynamically imported module");
    });
    line.connect();
    device.settle(line);
    expect(provider.snapshot()).toMatchObject({ status: "synced", offlineCopy: "unavailable" });
  });

  it("brings words, title and unsent deletions over a reload without a network", async () => {
    const device = new Device();
    const first = device.open();
    first.line.connect();
    await joining(first.line);
    device.settle(first.line);
    first.text.insert(0, "keep this, drop that");
    device.settle(first.line);
    first.line.drop();
    first.text.delete(9, 11);
    await first.provider.destroy();

    const again = device.open();
    await vi.waitUntil(() => again.provider.snapshot().loaded, { interval: 1 });
    expect(again.text.toString()).toBe("keep this");
    device.clock.advance(500);
    await vi.waitUntil(() => again.provider.snapshot().offlineCopy === "ok", { interval: 1 });
    expect(again.provider.snapshot()).toMatchObject({
      status: "offline",
      unsaved: 1,
      offlineCopy: "ok",
      document: { title: "Plan" },
    });
    again.line.connect();
    device.settle(again.line);
    expect([device.server.text(), again.provider.snapshot().unsaved]).toEqual(["keep this", 0]);
    expect(device.server.joins[0]?.key).toMatch(/^[A-Za-z0-9_-]{32}$/);
    expect(device.server.joins[1]?.key).toBe(device.server.joins[0]?.key);
    await again.provider.destroy();

    const third = device.open();
    await vi.waitUntil(() => third.provider.snapshot().loaded, { interval: 1 });
    expect(third.provider.snapshot().unsaved).toBe(0);
  });

  it("is kept apart when the document began another life", async () => {
    const device = new Device();
    const first = device.open();
    first.line.connect();
    await joining(first.line);
    device.settle(first.line);
    first.text.insert(0, "earlier life");
    device.settle(first.line);
    device.server.restore([]);
    first.line.connect();
    device.settle(first.line);
    expect(first.provider.snapshot().closed?.code).toBe("epoch_changed");
    await vi.waitUntil(() => first.provider.snapshot().separateCopies.length === 1, { interval: 1 });
    await first.provider.destroy();

    const again = device.open();
    again.line.connect();
    await joining(again.line);
    device.settle(again.line);
    const { separateCopies, closed } = again.provider.snapshot();
    expect([again.text.toString(), closed]).toEqual(["", null]);
    const kept = new Y.Doc();
    Y.applyUpdate(kept, await again.provider.readSeparateCopy(separateCopies[0] ?? ""));
    expect(kept.getText("t").toString()).toBe("earlier life");
    await again.provider.deleteSeparateCopy(separateCopies[0] ?? "");
    expect(again.provider.snapshot().separateCopies).toEqual([]);
  });

  it("is dropped with the refused changes when the person wants the server's state", async () => {
    const device = new Device();
    const first = device.open();
    first.line.connect();
    await joining(first.line);
    device.settle(first.line);
    device.server.refuseUpdates.push("too_large");
    first.text.insert(0, "refused");
    device.settle(first.line);
    expect(first.provider.snapshot().refusal?.code).toBe("too_large");
    const kept = new Y.Doc();
    Y.applyUpdate(kept, first.provider.copy());
    expect(kept.getText("t").toString()).toBe("refused");
    await first.provider.discardAndReload();

    const again = device.open();
    again.line.connect();
    await joining(again.line);
    device.settle(again.line);
    expect([again.text.toString(), again.provider.snapshot().unsaved]).toEqual(["", 0]);
  });

  it("holds words that went on under another client id once, also with a deletion made since", async () => {
    const device = new Device();
    const first = device.open();
    first.line.connect();
    await joining(first.line);
    device.settle(first.line);
    const forger = new Y.Doc();
    forger.clientID = first.provider.doc.clientID;
    forger.getText("t").insert(0, "###");
    first.text.insert(0, "words, words");
    device.server.taken.add(forger.clientID);
    device.server.hearFromElsewhere(Y.encodeStateAsUpdate(forger));
    await vi.waitUntil(() => {
      device.settle(first.line);
      return first.provider.snapshot().unsaved === 0;
    });
    expect(first.provider.snapshot()).toMatchObject({ status: "synced", refusal: null, mended: 1 });
    first.line.drop();
    first.text.delete(first.text.toString().indexOf(","), 7);
    const shown = first.text.toString();
    await first.provider.destroy();

    const again = device.open();
    await vi.waitUntil(() => again.provider.snapshot().loaded, { interval: 1 });
    expect([again.text.toString(), again.provider.snapshot().unsaved]).toEqual([shown, 1]);
    again.line.connect();
    await vi.waitUntil(() => {
      device.settle(again.line);
      return again.provider.snapshot().unsaved === 0;
    });
    expect([device.server.text(), shown.replace("###", "")]).toEqual([shown, "words"]);
    const databases = (await indexedDB.databases()).filter(({ name }) =>
      name?.includes(first.provider.documentId),
    );
    expect(databases).toHaveLength(1);
  });

  it("holds what the document did not tell of", async () => {
    const device = new Device();
    const first = device.open();
    first.line.connect();
    await joining(first.line);
    device.settle(first.line);
    first.line.drop();
    const { doc } = first.provider;
    doc.once("afterTransactionCleanup", () => {
      throw new Error("Somebody else's mistake.");
    });
    expect(() => first.text.insert(0, "untold")).toThrow();
    await Promise.resolve();
    expect(first.provider.snapshot()).toMatchObject({ unsaved: 1, mended: 1 });
    await first.provider.destroy();

    const again = device.open();
    await vi.waitUntil(() => again.provider.snapshot().loaded, { interval: 1 });
    expect([again.text.toString(), again.provider.snapshot().unsaved]).toEqual(["untold", 1]);
  });

  it("may be missing: the page edits on and says so", async () => {
    const { indexedDB } = globalThis;
    Reflect.deleteProperty(globalThis, "indexedDB");
    onTestFinished(() => void Object.assign(globalThis, { indexedDB }));
    const device = new Device();
    const { provider, line, text } = device.open();
    line.connect();
    await joining(line);
    text.insert(0, "without a copy");
    device.settle(line);
    expect(provider.snapshot()).toMatchObject({ offlineCopy: "unavailable", unsaved: 0, status: "synced" });
    expect(device.server.text()).toBe("without a copy");
  });
});
