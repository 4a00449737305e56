/** Tabs of one browser that talk while the server is away: what they show, what they call saved, and what they send. */

import "fake-indexeddb/auto";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ManyhandsProvider } from "../src/provider.js";
import type { Session } from "../src/session.js";
import type { Format } from "../src/types.js";
import { ManualClock, seeded } from "./harness/clock.js";
import { DummyServer, Line } from "./harness/server.js";

let browsers = 0;

const comes = (what: () => unknown) => vi.waitUntil(what, { interval: 1, timeout: 60_000 });

class Tab {
  readonly clock = new ManualClock();
  readonly line: Line;
  readonly provider: ManyhandsProvider;

  constructor(server: DummyServer, documentId: string, format?: Format) {
    this.line = new Line(server);
    const knowledge = format === undefined ? {} : { format };
    const { clock } = this;
    this.provider = new ManyhandsProvider({ documentId, connection: this.line, clock, ...knowledge });
    onTestFinished(() => this.provider.destroy());
  }

  get text(): string {
    return this.provider.doc.getText("t").toString();
  }

  /** Whether the copy on the device has been read; an empty one shows in nothing else. */
  get isReady(): boolean {
    return (Reflect.get(this.provider, "session") as Session).state.ready;
  }

  get unsaved(): number {
    return this.provider.snapshot().unsaved;
  }

  types(words: string): void {
    const text = this.provider.doc.getText("t");
    text.insert(text.length, words);
  }
}

/** A browser in which one document is opened in several tabs. */
class Browser {
  readonly server = new DummyServer();
  readonly tabs: Tab[] = [];
  private readonly documentId = `tabs-of-${++browsers}`;

  /** Open a tab that has no connection yet, and has read the copy on the device. */
  async opens(format?: Format): Promise<Tab> {
    const tab = new Tab(this.server, this.documentId, format);
    this.tabs.push(tab);
    await comes(() => tab.isReady);
    return tab;
  }

  async opensTogether(): Promise<readonly [Tab, Tab]> {
    const [one, other] = [await this.opens(), await this.opens()];
    for (const tab of [one, other]) this.connects(tab);
    await comes(() => this.settle() && one.provider.synced && other.provider.synced);
    one.types("Plan: ");
    await comes(() => this.settle() && other.text === "Plan: " && one.unsaved === 0);
    return [one, other];
  }

  connects(tab: Tab): void {
    tab.line.connect();
    this.settle();
  }

  cuts(): void {
    for (const { line } of this.tabs) line.drop();
  }

  settle(): true {
    for (let round = 0; round < 4; round++) {
      for (const { provider, line } of this.tabs) {
        (provider as unknown as { session: { parts: { clock: ManualClock } } }).session.parts.clock.advance(
          30,
        );
        while (line.arriveUp() || line.arriveDown());
      }
      this.server.commitEach();
      for (const { line } of this.tabs) while (line.arriveDown());
    }
    return true;
  }
}

describe("two tabs without a server", () => {
  it("show each other's words and carets, and call neither saved", async () => {
    const browser = new Browser();
    const [one, other] = await browser.opensTogether();
    browser.cuts();
    one.types("milk");
    await comes(() => other.text === "Plan: milk");
    other.types(", bread");
    await comes(() => one.text === "Plan: milk, bread");
    expect([one.unsaved, other.unsaved]).toEqual([2, 2]);
    one.provider.awareness.setLocalState({
      cursor: 3,
      user: { name: "Ada", color: "#00695c", avatar: "a.png" },
    });
    const seen = () => other.provider.awareness.getStates().get(one.provider.doc.clientID);
    await comes(() => seen()?.cursor === 3);
    expect(seen()).toMatchObject({ user: { name: "Ada", color: "#00695c", avatar: "a.png" } });
    await one.provider.destroy();
    await comes(() => seen() === undefined);
  });

  it("say saved both once one of them has brought everything to the server, and the other sends nothing", async () => {
    const browser = new Browser();
    const [one, other] = await browser.opensTogether();
    browser.cuts();
    one.types("milk");
    await comes(() => other.text === "Plan: milk");
    other.types(", bread");
    await comes(() => one.unsaved === 2);
    const before = browser.server.updatesTaken;
    browser.connects(one);
    await comes(() => browser.settle() && one.unsaved === 0);
    await comes(() => other.unsaved === 0);
    expect([browser.server.text(), browser.server.updatesTaken - before]).toEqual(["Plan: milk, bread", 1]);
    browser.connects(other);
    expect([other.provider.synced, browser.server.updatesTaken - before]).toEqual([true, 1]);
    expect(other.line.sent.filter((event) => event === "update")).toEqual([]);
  });

  it("bring each word once when both return at the same moment", async () => {
    const browser = new Browser();
    const [one, other] = await browser.opensTogether();
    browser.cuts();
    one.types("milk");
    other.types(" bread");
    await comes(() => one.text.length === other.text.length && one.unsaved + other.unsaved === 4);
    one.line.connect();
    other.line.connect();
    await comes(() => browser.settle() && one.unsaved + other.unsaved === 0);
    expect([one.text, other.text]).toEqual([browser.server.text(), browser.server.text()]);
    expect(
      browser.server
        .text()
        .match(/milk|bread/g)
        ?.toSorted(),
    ).toEqual(["bread", "milk"]);
  });

  it("lose nothing of one that is gone, and bring it as it was made", async () => {
    const browser = new Browser();
    const [one, other] = await browser.opensTogether();
    browser.cuts();
    one.types("milk");
    one.types(" and");
    await comes(() => other.text === "Plan: milk and");
    await one.provider.destroy();
    const heard = browser.server.heard.length;
    browser.connects(other);
    await comes(() => browser.settle() && other.unsaved === 0);
    expect(browser.server.text()).toBe("Plan: milk and");
    expect(browser.server.heard.slice(heard).map(({ after }) => after)).toEqual([1]);
  });

  it("tell a third one that is opened then everything, and whether it is saved", async () => {
    const browser = new Browser();
    const [one] = await browser.opensTogether();
    browser.cuts();
    one.types("milk");
    const third = await browser.opens();
    await comes(() => third.text === "Plan: milk");
    await comes(() => third.unsaved > 0);
    expect(third.provider.snapshot().loaded).toBe(true);
  });

  it("hear nothing from pages of another format, or from a page that has asked to leave", async () => {
    const browser = new Browser();
    const [one, two] = [
      await browser.opens({ name: "a", version: 1 }),
      await browser.opens({ name: "a", version: 2 }),
    ];
    const plain = [await browser.opens(), await browser.opens()] as const;
    one.types("old");
    plain[0].types("plain");
    await comes(() => plain[1].text === "plain");
    expect(two.text).toBe("");
    plain[1].provider.disconnect();
    plain[0].types(" more");
    const third = await browser.opens();
    await comes(() => third.text.includes("more"));
    expect(plain[1].text).toBe("plain");
    plain[1].provider.connect();
    plain[1].line.drop();
    await comes(() => plain[1].text.includes("more"));
  });
});

describe.each([1, 2, 3, 4, 5, 6])("three tabs that come and go, seed %i,", (seed) => {
  it("agree in the end with every word once", async () => {
    const chance = seeded(seed);
    const browser = new Browser();
    const tabs = [...(await browser.opensTogether()), await browser.opens()];
    const words: string[] = [];
    for (let turn = 0; turn < 40; turn++) {
      const tab = tabs[Math.floor(chance() * tabs.length)];
      const what = chance();
      if (tab === undefined) continue;
      if (what < 0.5) {
        words.push(`w${turn}.`);
        tab.types(`w${turn}.`);
      } else if (what < 0.65) tab.line.drop();
      else if (what < 0.8 && tab.line.link === "offline") tab.line.connect();
      else if (what < 0.9) browser.settle();
      else await new Promise((resolve) => setTimeout(resolve, 2));
    }
    for (const { line } of tabs) if (line.link === "offline") line.connect();
    await comes(() => browser.settle() && tabs.every((tab) => tab.unsaved === 0 && tab.provider.synced));
    await comes(() => browser.settle() && tabs.every((tab) => tab.text === browser.server.text()));
    for (const word of words) expect(browser.server.text().split(word)).toHaveLength(2);
  });
});
