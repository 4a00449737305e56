/** Changes on the device: what a page leaves there, the next page finds, whichever way the first one ended. */

import "fake-indexeddb/auto";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import * as Y from "yjs";
import { type Change, newChange, updateOf } from "../src/changes.js";
import { DATABASE } from "../src/database.js";
import { type Found, type Kept, OfflineCopy } from "../src/offline.js";
import { ManyhandsProvider } from "../src/provider.js";
import { ManualClock, seeded } from "./harness/clock.js";
import { DummyServer, Line } from "./harness/server.js";

/** Vitest gives up after a second, which a busy machine needs. */
const PATIENT = { interval: 1, timeout: 100_000 };

let documents = 0;

class Device {
  readonly clock = new ManualClock();
  readonly server: DummyServer;
  /** The provider that was made last; its copy may not have been read yet. */
  newest: ManyhandsProvider | null = null;
  private readonly documentId = `kept-${++documents}`;

  constructor(server = new DummyServer()) {
    this.server = server;
  }

  /** Open a page that is connected, unless the device has no network. */
  async open(connected = true, isNew = false) {
    const line = new Line(this.server);
    const { documentId, clock } = this;
    const provider = new ManyhandsProvider({ documentId, connection: line, clock, isNew });
    this.newest = provider;
    onTestFinished(() => provider.destroy());
    const page = { provider, line, text: provider.doc.getText("t") };
    if (connected) line.connect();
    const isReady = () => line.sent.includes("join") || (!connected && provider.snapshot().loaded);
    await vi.waitUntil(isReady, PATIENT);
    this.settle(line);
    return page;
  }

  settle(line: Line): void {
    for (let round = 0; round < 4; round++) {
      this.clock.advance(100);
      while (line.arriveUp() || line.arriveDown());
      this.server.commitEach();
      while (line.arriveDown());
    }
  }

  afters(): readonly (number | null)[] {
    return this.server.heard.map(({ after }) => after);
  }

  async contentDatabase(): Promise<IDBDatabase> {
    const names = (await indexedDB.databases()).map(({ name }) => name ?? "");
    return ended(indexedDB.open(names.find((name) => name.includes(`${this.documentId}/`)) ?? ""));
  }

  /** What stands in the records beside the content. */
  async records(): Promise<readonly unknown[]> {
    const db = await this.contentDatabase();
    const keys = await ended(db.transaction("custom").objectStore("custom").getAllKeys());
    db.close();
    return keys;
  }

  /** What an empty page reads in the changes that stand in the records. */
  async words(): Promise<string> {
    const db = await this.contentDatabase();
    const records = await ended(db.transaction("custom").objectStore("custom").getAll());
    db.close();
    const doc = new Y.Doc();
    for (const { update } of records) if (update) Y.applyUpdate(doc, update);
    return doc.getText("t").toString();
  }

  /** How many times content was written, as its rows show. */
  async writings(): Promise<number> {
    const db = await this.contentDatabase();
    const count = await ended(db.transaction("updates").objectStore("updates").count());
    db.close();
    return count;
  }

  /** How many pages may have unsaved words, as the device knows. */
  async marks(): Promise<number> {
    const db = await ended(indexedDB.open(DATABASE));
    const keys = await ended(db.transaction("unsaved").objectStore("unsaved").getAllKeys());
    db.close();
    return keys.filter((key) => String(key).startsWith(`${this.documentId}/`)).length;
  }

  async forgetRecords(): Promise<void> {
    const db = await this.contentDatabase();
    await ended(db.transaction("custom", "readwrite").objectStore("custom").clear());
    db.close();
  }
}

function ended<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function rebuild(text: Y.Text): void {
  const words = text.toString();
  text.doc?.transact(() => {
    text.delete(0, words.length);
    text.insert(0, words);
  });
}

/** A page that has saved words, and has lost the network. */
async function offlineWith(words: string) {
  const device = new Device();
  const first = await device.open();
  first.text.insert(0, words);
  device.settle(first.line);
  first.line.drop();
  return { device, first };
}

describe("without a network, over a restart of the page", () => {
  it("changes are sent as they were made", async () => {
    const { device, first } = await offlineWith("one two");
    const made: Uint8Array[] = [];
    first.provider.doc.on("update", (update) => made.push(update));
    rebuild(first.text);
    first.text.delete(0, 1);
    await first.provider.destroy();

    const again = await device.open(false);
    expect(again.provider.snapshot().unsaved).toBe(2);
    again.provider.doc.on("update", (update, _origin, _doc, { local }) => local && made.push(update));
    rebuild(again.text);
    again.line.connect();
    device.settle(again.line);
    expect(device.server.heard.slice(1).map(({ update }) => Uint8Array.from(update))).toEqual(made);
    expect(device.afters()).toEqual([0, 1, 1, 1]);
    expect([device.server.text(), again.provider.snapshot().unsaved]).toEqual(["ne two", 0]);
  });

  it("so are those of a page that died, once they were written", async () => {
    const { device, first } = await offlineWith("words");
    rebuild(first.text);
    device.clock.advance(500);

    const again = await device.open();
    expect(device.afters()).toEqual([0, 1]);
    expect([device.server.text(), again.provider.snapshot().unsaved]).toEqual(["words", 0]);
  });

  it("nothing is lost of a page that died before", async () => {
    const { device, first } = await offlineWith("keep this, drop that");
    first.text.insert(9, "!");
    device.clock.advance(500);
    first.text.delete(10, 11);

    const again = await device.open();
    expect([device.server.text(), again.provider.snapshot().unsaved]).toEqual(["keep this!", 0]);
    expect(device.afters()).toEqual([0, 1, null]);
  });

  it("nothing is lost of a copy that an earlier release wrote", async () => {
    const { device, first } = await offlineWith("keep this, drop that");
    first.text.insert(9, "!");
    first.text.delete(10, 11);
    await first.provider.destroy();
    await device.forgetRecords();

    const again = await device.open();
    expect([device.server.text(), again.provider.snapshot().unsaved]).toEqual(["keep this!", 0]);
    expect(device.afters()).toEqual([0, null]);
  });

  it("two pages of one device leave the changes of both", async () => {
    const { device, first } = await offlineWith("one two");
    rebuild(first.text);
    device.clock.advance(500);
    const second = await device.open(false);
    rebuild(second.text);
    first.text.insert(0, "first ");
    await first.provider.destroy();
    await second.provider.destroy();

    const again = await device.open();
    expect(device.afters()).toEqual([0, 1, 1, 1]);
    expect([device.server.text(), again.provider.snapshot().unsaved]).toEqual([again.text.toString(), 0]);
    expect(again.text.toString()).toContain("first ");
    device.clock.advance(500);
    await again.provider.destroy();
    expect(await device.records()).toEqual(["applied"]);
  });

  it("a page that ends before its copy was read leaves the copy as it is", async () => {
    const device = new Device();
    const first = await device.open();
    first.line.drop();
    first.text.insert(0, "words");
    await first.provider.destroy();
    const before = await device.records();
    const { documentId, doc } = first.provider;
    expect(doc).toBeDefined();
    const short = new ManyhandsProvider({
      documentId,
      connection: new Line(device.server),
      clock: device.clock,
    });
    await short.destroy();
    expect(await device.records()).toEqual(before);
  });

  it("what is acknowledged before it is written leaves nothing", async () => {
    const device = new Device();
    const first = await device.open();
    first.text.insert(0, "words");
    device.settle(first.line);
    device.clock.advance(500);
    await first.provider.destroy();
    expect(await device.records()).toEqual(["applied"]);
  });
});

describe("a slow device", () => {
  /** Keep everybody else from the content until the returned function is called. */
  async function holdContent(device: Device): Promise<() => void> {
    const db = await device.contentDatabase();
    const store = db.transaction("updates", "readwrite").objectStore("updates");
    let held = true;
    const hold = (): void => {
      if (held) store.count().onsuccess = hold;
      else db.close();
    };
    hold();
    const letGo = (): void => {
      held = false;
    };
    onTestFinished(letGo); // a page that is closed waits for the content
    return letGo;
  }

  it("is said to keep words once it has them, and not before", async () => {
    const device = new Device();
    const { provider, line, text } = await device.open();
    line.drop();
    device.clock.advance(500);
    const letGo = await holdContent(device);
    text.insert(0, "words");
    expect(provider.snapshot()).toMatchObject({ unsaved: 1, offlineCopy: "writing" });
    device.clock.advance(500);
    await vi.waitUntil(async () => (await device.words()) === "words", PATIENT);
    expect(provider.snapshot().offlineCopy).toBe("writing");
    letGo();
    await vi.waitUntil(() => provider.snapshot().offlineCopy === "ok", PATIENT);
  });

  it("lets no words wait for the content of a page that goes", async () => {
    const device = new Device();
    const { provider, line, text } = await device.open();
    line.drop();
    const letGo = await holdContent(device);
    for (const words of ["before", ", and behind"]) {
      text.insert(text.length, words);
      device.clock.advance(500);
    }
    await vi.waitUntil(async () => (await device.words()) === "before, and behind", PATIENT);
    expect(provider.snapshot().offlineCopy).toBe("writing");
    letGo();
  });
});

/** A tab as its copy sees it. */
class Tab {
  changes: Change[] = [];
  adrift = 0;
  applied: number | null = null;
  readonly copy: OfflineCopy;
  private next = 1;

  constructor(
    documentId: string,
    private readonly clock: ManualClock,
  ) {
    const toKeep = (): Kept | null =>
      this.applied === null
        ? null
        : { changes: this.changes, whole: this.adrift === 0, epoch: null, applied: this.applied };
    this.copy = new OfflineCopy(documentId, new Y.Doc(), clock, toKeep, () => {});
  }

  async open(): Promise<Found> {
    const found = await this.copy.open();
    this.changes = found.changes.map((kept) => ({ id: this.next++, ...kept, run: null }));
    this.adrift = found.dirty ? 1 : 0;
    this.applied = found.applied ?? 0;
    return found;
  }

  writes(update: Uint8Array): void {
    this.changes = [...this.changes, newChange(this.next++, update, this.applied, false)];
    this.copy.markUnsaved();
    this.copy.keepSoon();
  }

  /** Something changes of which there is no update. */
  drifts(): void {
    this.adrift += 1;
    this.copy.markUnsaved();
    this.copy.keepSoon();
  }

  hears(count: number): void {
    this.changes = this.changes.slice(count);
    if (this.changes.length === 0) this.adrift = 0;
    if (this.changes.length === 0) this.copy.markSaved();
    this.applied = (this.applied ?? 0) + 1;
    this.copy.keepSoon();
  }

  flushes(): void {
    this.clock.advance(500);
  }
}

it.each(Array.from({ length: 12 }, (_, index) => index))(
  "the device agrees with the pages: seed %i",
  async (seed) => {
    const chance = seeded(seed);
    const clock = new ManualClock();
    const documentId = `random-${seed}`;
    let tab = new Tab(documentId, clock);
    await tab.open();
    for (let step = 0; step < 120; step++) {
      const act = chance();
      if (act < 0.5) tab.writes(Uint8Array.of(0, 0, Math.floor(chance() * 256)));
      else if (act < 0.55) tab.drifts();
      else if (act < 0.7) tab.hears(Math.floor(chance() * 4));
      else if (act < 0.9) tab.flushes();
      else {
        await tab.copy.destroy();
        const said = tab;
        clock.advance(1);
        tab = new Tab(documentId, clock);
        const found = await tab.open();
        const shown = (changes: readonly Change[]) =>
          changes.map((change) => [change.after, String(updateOf(change))]);
        expect({ seed, step, dirty: found.dirty, applied: tab.applied }).toEqual({
          ...{ seed, step },
          dirty: said.adrift > 0,
          applied: said.applied,
        });
        if (!found.dirty) expect(shown(tab.changes)).toEqual(shown(said.changes));
      }
    }
    await tab.copy.destroy();
  },
);

describe("a document that was made on this device", () => {
  it("opens empty without a server, keeps what is written, and sends it when the server has the document", async () => {
    const device = new Device();
    const first = await device.open(false, true);
    expect(first.provider.snapshot()).toMatchObject({ loaded: true, status: "offline" });
    first.text.insert(0, "written on a train");
    device.settle(first.line);
    await first.provider.destroy();
    const second = await device.open(false, true);
    expect(second.text.toString()).toBe("written on a train");
    await second.provider.destroy();
    const third = await device.open();
    device.settle(third.line);
    expect(third.provider.snapshot().unsaved).toBe(0);
    expect(device.server.heard).not.toHaveLength(0);
    expect(third.text.toString()).toBe("written on a train");
  });
});

describe("a page whose words are acknowledged", () => {
  it("says so on the device with its next writing", async () => {
    const device = new Device();
    const { text, line } = await device.open();
    text.insert(0, "hello");
    device.settle(line);
    expect(await device.marks()).toBe(1);
    device.clock.advance(500);
    expect(await device.marks()).toBe(0);
  });

  it("leaves nothing to be sent twice when it dies before that", async () => {
    const { device } = await offlineWith("words");
    expect(await device.marks()).toBe(1);
    const again = await device.open();
    device.settle(again.line);
    expect(device.server.text()).toBe("words");
    expect(device.server.heard).toHaveLength(1);
    expect(again.provider.snapshot().unsaved).toBe(0);
  });
});

describe("what others write", () => {
  /** Somebody's page, and a colleague's on another device. */
  async function two() {
    const device = new Device();
    const own = await device.open();
    const elsewhere = new Device(device.server);
    const far = await elsewhere.open();
    const types = (letter: string) => {
      far.text.insert(far.text.length, letter);
      elsewhere.settle(far.line);
      while (own.line.arriveDown());
    };
    return { device, own, types };
  }

  it("is written together, a moment later", async () => {
    const { device, own, types } = await two();
    device.clock.advance(500);
    const before = await device.writings();
    for (const letter of "hello") types(letter);
    expect(own.text.toString()).toBe("hello");
    expect(await device.writings()).toBe(before);
    device.clock.advance(500);
    expect(await device.writings()).toBe(before + 1);
    own.line.drop();
    expect((await device.open(false)).text.toString()).toBe("hello");
  });

  it("is written with one's own words, which wait for nothing", async () => {
    const { device, own, types } = await two();
    const before = await device.writings();
    for (const letter of "hello") types(letter);
    own.text.insert(5, "!");
    expect(await device.writings()).toBe(before + 1);
    own.line.drop();
    // The page has died: it has written nothing more.
    expect((await device.open(false)).text.toString()).toBe("hello!");
  });

  it("is written when the page ends", async () => {
    const { device, own, types } = await two();
    for (const letter of "hello") types(letter);
    own.line.drop();
    await own.provider.destroy();
    expect((await device.open(false)).text.toString()).toBe("hello");
  });
});

describe("the copy, while it is read", () => {
  it("is not encoded again, and what follows is told", async () => {
    const { device, first } = await offlineWith("words");
    await first.provider.destroy();

    const encoding = vi.spyOn(Y.ContentString.prototype, "write");
    onTestFinished(() => encoding.mockRestore());
    const again = await device.open(false);
    expect(again.text.toString()).toBe("words");
    expect(encoding).not.toHaveBeenCalled();
    again.text.insert(5, "!");
    await Promise.resolve();
    expect(again.provider.snapshot()).toMatchObject({ unsaved: 1, mended: 0 });
    await again.provider.destroy();
    expect((await device.open(false)).text.toString()).toBe("words!");
  });

  it("may be answered at once, and is told to whoever else listens", async () => {
    const { device, first } = await offlineWith("words");
    await first.provider.destroy();

    const again = device.open(false);
    // Before the copy is there: an application that was given the document.
    const doc = device.newest?.doc ?? new Y.Doc();
    const told: unknown[] = [];
    doc.on("update", (_update, _origin, _doc, { local }) => told.push(local));
    doc.getText("t").observe(({ transaction }) => {
      if (!transaction.local) doc.getText("t").insert(0, "> ");
    });
    const { text, provider } = await again;
    expect(text.toString()).toBe("> words");
    expect(told).toEqual([false, true]);
    expect(provider.snapshot()).toMatchObject({ unsaved: 1, mended: 0 });
    await provider.destroy();
    expect((await device.open(false)).text.toString()).toBe("> words");
  });
});
