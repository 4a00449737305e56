/** Formats: an editor that knows less deletes nothing of what it does not know, for nobody and on no device. */

import "fake-indexeddb/auto";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import * as Y from "yjs";
import { mayHoldUnknown, unknownIn } from "../src/format.js";
import { ManyhandsProvider, type ProviderOptions } from "../src/provider.js";
import type { Format, Vocabulary } from "../src/types.js";
import { ManualClock, seeded } from "./harness/clock.js";
import { DummyServer, Line } from "./harness/server.js";

const OURS: Format = { name: "ours", version: 1 };
const NEXT: Format = { name: "ours", version: 2 };
const STOCK: Vocabulary = { nodes: { paragraph: 1, heading: 1 }, marks: { bold: 1 } };
const TASKS = "<tasks><paragraph>milk</paragraph></tasks>";

let documents = 0;

type Knowledge = Pick<ProviderOptions, "format" | "schema">;

/** A device with pages, and the server that they speak to. */
class Device {
  readonly clock = new ManualClock();
  readonly server: DummyServer;
  private readonly documentId: string;
  private readonly lines: Line[] = [];

  constructor(server = new DummyServer(), documentId = `formats-${++documents}`) {
    this.server = server;
    this.documentId = documentId;
  }

  /** Another device of the same people. */
  get other(): Device {
    return new Device(this.server, `formats-${++documents}`);
  }

  async open(knowledge: Knowledge, { connected = true, bound = knowledge.format === undefined } = {}) {
    const line = new Line(this.server);
    this.lines.push(line);
    const { documentId, clock } = this;
    const provider = new ManyhandsProvider({ documentId, connection: line, clock, ...knowledge });
    onTestFinished(() => provider.destroy());
    if (bound) bindStock(provider.doc);
    if (connected) line.connect();
    const isReady = () => line.sent.includes("join") || (!connected && provider.snapshot().loaded);
    await vi.waitUntil(isReady, { interval: 1 });
    this.settle();
    return new Page(provider, line, this);
  }

  settle(): void {
    for (let round = 0; round < 8; round++) {
      this.clock.advance(100);
      for (const line of this.lines) while (line.arriveUp() || line.arriveDown());
      this.server.commitEach();
      for (const line of this.lines) while (line.arriveDown());
    }
  }
}

class Page {
  constructor(
    readonly provider: ManyhandsProvider,
    readonly line: Line,
    private readonly device: Device,
  ) {}

  get state() {
    return this.provider.snapshot();
  }

  get fragment(): Y.XmlFragment {
    return this.provider.doc.getXmlFragment("default");
  }

  get shows(): string {
    return this.fragment.toString();
  }

  writes(name: string, words: string, format: Record<string, unknown> = {}): this {
    const [block, text] = [new Y.XmlElement(name), new Y.XmlText()];
    text.insert(0, words, format);
    const [line, inner] = [new Y.XmlElement("paragraph"), name === "paragraph" ? block : null];
    if (inner === null) block.insert(0, [line]);
    (inner ?? line).insert(0, [text]);
    this.fragment.push([block]);
    this.device.settle();
    return this;
  }

  async closes(): Promise<void> {
    this.line.drop();
    await this.provider.destroy();
  }
}

/** What a stock binding does: it deletes from the document whatever its schema does not know, as soon as it sees it. */
function bindStock(doc: Y.Doc): void {
  const fragment = doc.getXmlFragment("default");
  const clean = () => {
    for (const [index, child] of [...fragment.toArray().entries()].reverse()) {
      if (child instanceof Y.XmlElement && !Object.hasOwn(STOCK.nodes, child.nodeName))
        fragment.delete(index);
    }
  };
  fragment.observeDeep(clean);
  clean();
}

/** A server with a document of our format that holds a list of tasks. */
async function withTasks(): Promise<Device> {
  const device = new Device();
  const ours = await device.open({ format: OURS });
  ours.writes("tasks", "milk");
  expect(device.server.format).toEqual(OURS);
  await ours.closes();
  return device;
}

describe("a page that does not declare the document's format", () => {
  it("reads, and its editor deletes nothing for anybody", async () => {
    const device = await withTasks();
    const stock = await device.other.open({});
    expect(stock.shows).toBe("");
    expect(stock.state).toMatchObject({ status: "synced", unsaved: 0, refusal: null, closed: null });
    expect(stock.state.readOnly).toMatchObject({ reason: "format", unknown: [] });
    stock.writes("paragraph", "not sent");
    expect(stock.state.unsaved).toBe(0);
    expect(device.server.page()).toBe(TASKS);
  });

  it("says what its editor does not know", async () => {
    const device = await withTasks();
    const stock = await device.other.open({ schema: STOCK });
    expect(stock.state.readOnly).toMatchObject({ reason: "format", unknown: ["tasks"] });
  });

  it("follows what others write", async () => {
    const device = await withTasks();
    const elsewhere = device.other;
    const stock = await elsewhere.open({});
    (await device.open({ format: OURS })).writes("paragraph", "news");
    elsewhere.settle();
    expect(stock.shows).toBe("<paragraph>news</paragraph>");
  });

  it("leaves the copy on the device as it was, and the next page of the right format finds all", async () => {
    const device = await withTasks();
    const stock = await device.open({});
    expect(stock.shows).toBe("");
    stock.writes("paragraph", "not kept");
    await stock.closes();
    const offline = await device.open({ format: OURS }, { connected: false });
    expect(offline.shows).toBe(TASKS);
    expect(offline.state.unsaved).toBe(0);
    offline.line.connect();
    device.settle();
    expect(device.server.page()).toBe(TASKS);
  });

  it("reads a copy of another format without a network", async () => {
    const device = await withTasks();
    const stock = await device.open({ schema: STOCK }, { connected: false });
    expect(stock.state).toMatchObject({ unsaved: 0, readOnly: { reason: "format", unknown: ["tasks"] } });
    await stock.closes();
    expect((await device.open({ format: OURS }, { connected: false })).shows).toBe(TASKS);
  });

  it("reads a copy that a page of a format has begun, though the document has none yet", async () => {
    const device = new Device();
    const elsewhere = device.other;
    (await elsewhere.open({}, { bound: false })).writes("tasks", "milk");
    await (await device.open({ format: OURS })).closes(); // has read, and written nothing
    expect(device.server.format).toBeNull();
    const stock = await device.open({});
    expect(stock.state).toMatchObject({ unsaved: 0, readOnly: { reason: "format" } });
    expect(device.server.page()).toBe(TASKS);
  });

  it("opens a large document in parts the same way", async () => {
    const device = await withTasks();
    device.server.partBytes = 20;
    const stock = await device.other.open({});
    expect(stock.line.sent).toContain("fetch");
    expect(stock.state.readOnly).toMatchObject({ reason: "format" });
    expect(device.server.page()).toBe(TASKS);
  });

  it("goes on reading after the owner has let all write, until it is opened anew", async () => {
    const device = await withTasks();
    const elsewhere = device.other;
    const stock = await elsewhere.open({}, { bound: false });
    device.server.setFormat(OURS, true);
    elsewhere.settle();
    stock.writes("paragraph", "not sent");
    expect(stock.state.document).toMatchObject({ format: OURS, anyFormat: true });
    expect(device.server.page()).toBe(TASKS);
    const again = await elsewhere.open({}, { bound: false });
    again.writes("paragraph", "sent");
    expect(device.server.page()).toBe(`${TASKS}<paragraph>sent</paragraph>`);
  });
});

describe("a page that writes while the document gets another format", () => {
  async function older() {
    const device = new Device();
    const page = await device.open({ format: OURS });
    page.writes("paragraph", "before");
    return { device, page };
  }

  it("is over, takes in nothing more, and its words reach the server once it is loaded anew", async () => {
    const { device, page } = await older();
    page.line.drop();
    page.writes("paragraph", "unsent");
    device.server.setFormat(NEXT);
    page.line.connect();
    device.settle();
    expect(page.state).toMatchObject({ unsaved: 1, closed: { code: "other_format" } });
    await page.closes();
    const newer = await device.open({ format: NEXT });
    expect(newer.state.unsaved).toBe(0);
    expect(device.server.page()).toBe("<paragraph>before</paragraph><paragraph>unsent</paragraph>");
  });

  it("is told before it sees what it does not know", async () => {
    const { device, page } = await older();
    bindStock(page.provider.doc);
    const elsewhere = device.other;
    (await elsewhere.open({ format: NEXT })).writes("tasks", "milk");
    device.settle();
    expect(page.state).toMatchObject({ unsaved: 0, closed: { code: "other_format" } });
    expect(page.shows).toBe("<paragraph>before</paragraph>");
    await page.closes();
    expect((await device.open({ format: NEXT })).shows).toContain(TASKS);
    expect(device.server.page()).toContain(TASKS);
  });

  it("learns by a refusal, if nobody has told", async () => {
    const { device, page } = await older();
    device.server.tellsFormat = false;
    device.server.setFormat(NEXT);
    page.writes("paragraph", "refused");
    expect(page.state).toMatchObject({ unsaved: 1, closed: { code: "other_format" } });
    await page.closes();
    await device.open({ format: NEXT });
    expect(device.server.page()).toContain("refused");
  });

  it("keeps what was typed before the first join for a page that knows the format", async () => {
    const { device, page } = await older();
    await page.closes();
    const offline = await device.open({ format: OURS }, { connected: false });
    offline.writes("paragraph", "typed offline");
    await offline.closes();
    device.server.setFormat(NEXT);
    const old = await device.open({ format: OURS });
    expect(old.state).toMatchObject({ unsaved: 1, closed: { code: "other_format" } });
    await old.closes();
    // Now the copy itself says so: the page reads, and says that something was not sent.
    const reading = await device.open({ format: OURS });
    expect(reading.state).toMatchObject({ unsaved: 1, refusal: { code: "other_format" }, closed: null });
    expect(reading.state.readOnly).toMatchObject({ reason: "format" });
    await reading.closes();
    const newer = await device.open({ format: NEXT });
    expect(newer.state).toMatchObject({ unsaved: 0, readOnly: null, refusal: null });
    expect(device.server.page()).toContain("typed offline");
  });
});

describe("a page whose schema is known", () => {
  it("reads a document without a format that holds something else", async () => {
    const device = new Device();
    (await device.open({}, { bound: false })).writes("tasks", "milk");
    const stock = await device.other.open({ schema: STOCK });
    expect(stock.state.readOnly).toMatchObject({ reason: "content", unknown: ["tasks"] });
    expect(stock.state.readOnly?.message).toContain("tasks");
    expect(device.server.page()).toBe(TASKS);
  });

  it("writes a document that holds what it knows", async () => {
    const device = new Device();
    (await device.open({}, { bound: false })).writes("paragraph", "words", { bold: true });
    const stock = await device.other.open({ schema: STOCK });
    expect(stock.state.readOnly).toBeNull();
    stock.writes("heading", "title");
    expect(device.server.page()).toContain("title");
  });

  it("is over when something else comes later", async () => {
    const device = new Device();
    const elsewhere = device.other;
    const stock = await elsewhere.open({ schema: STOCK });
    stock.writes("paragraph", "words");
    (await device.open({}, { bound: false })).writes("tasks", "milk");
    elsewhere.settle();
    expect(stock.state.closed).toMatchObject({ code: "other_format" });
    expect(stock.state.closed?.message).toContain("tasks");
    expect(device.server.page()).toContain(TASKS);
  });

  it("looks into the copy on the device too", async () => {
    const device = new Device();
    const page = await device.open({}, { bound: false });
    page.writes("tasks", "milk");
    await page.closes();
    const stock = await device.open({ schema: STOCK }, { connected: false });
    expect(stock.state.readOnly).toMatchObject({ reason: "content", unknown: ["tasks"] });
    await stock.closes();
    expect((await device.open({}, { connected: false, bound: false })).shows).toBe(TASKS);
  });

  it("does not mind what was deleted, or stands in another root", async () => {
    const device = new Device();
    const page = await device.open({}, { bound: false });
    page.writes("tasks", "milk");
    page.fragment.delete(0, 1);
    page.provider.doc.getXmlFragment("other").push([new Y.XmlElement("tasks")]);
    device.settle();
    const stock = await device.other.open({ schema: STOCK });
    expect(stock.state.readOnly).toBeNull();
  });
});

it("marks with a hash are looked up without it, and deleted names do not count", () => {
  const doc = new Y.Doc();
  const text = new Y.XmlText();
  doc.getXmlFragment("default").push([text]);
  text.insert(0, "words", { "bold--A1b2C3d4": {}, comment: {}, "note--A1b2C3d4": {} });
  expect(unknownIn(doc, STOCK)).toEqual(["comment", "note"]);
  const update = Y.encodeStateAsUpdate(doc);
  expect(mayHoldUnknown([update], STOCK)).toBe(true);
  expect(mayHoldUnknown([update], { nodes: STOCK.nodes, marks: { bold: 1, comment: 1, note: 1 } })).toBe(
    false,
  );
});

describe.each([1, 2, 3, 4, 5, 6])("stock pages beside pages of a format, in any order (seed %i)", (seed) => {
  it("delete nothing", async () => {
    const chance = seeded(seed);
    const device = new Device();
    const other = device.other;
    const written: string[] = [];
    const pages: Page[] = [await device.open({ format: OURS })];
    pages[0]?.writes("tasks", "first");
    written.push("first");
    for (let turn = 0; turn < 12; turn++) {
      const where = chance() < 0.5 ? device : other;
      if (chance() < 0.5) {
        const isStock = chance() < 0.6;
        pages.push(await where.open(isStock ? (chance() < 0.5 ? {} : { schema: STOCK }) : { format: OURS }));
      } else if (chance() < 0.3 && pages.length > 1) {
        await pages.splice(Math.floor(chance() * pages.length), 1)[0]?.closes();
      } else {
        const page = pages[Math.floor(chance() * pages.length)];
        page?.writes("tasks", `turn ${turn}`);
        if (page?.state.readOnly === null && page.state.closed === null) written.push(`turn ${turn}`);
      }
      device.settle();
      other.settle();
    }
    for (const words of written) expect(device.server.page()).toContain(words);
    const last = await device.other.open({ format: OURS });
    expect(last.shows).toBe(device.server.page());
  });
});
