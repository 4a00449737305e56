/** What stays on a device after somebody has signed out of it. */

import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { forgetCopies } from "../src/forgetting.js";
import { ManyhandsProvider } from "../src/provider.js";
import { ManualClock } from "./harness/clock.js";
import { DummyServer, Line } from "./harness/server.js";

/** Other files' stories leave their databases in this process. */
beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

/** Open a document on this device, once its copy has been read. */
async function opened(documentId: string) {
  const [server, clock] = [new DummyServer(), new ManualClock()];
  const line = new Line(server);
  const provider = new ManyhandsProvider({ documentId, connection: line, clock });
  onTestFinished(() => provider.destroy());
  line.connect();
  await vi.waitUntil(() => line.sent.includes("join"), { interval: 1 });
  const settle = () => {
    for (let round = 0; round < 4; round++) {
      clock.advance(100);
      while (line.arriveUp() || line.arriveDown());
      server.commitEach();
      while (line.arriveDown());
    }
  };
  settle();
  return { provider, line, settle, text: provider.doc.getText("t") };
}

async function databases(): Promise<readonly string[]> {
  return (await indexedDB.databases()).map(({ name }) => name ?? "").filter((name) => name.includes(":"));
}

it("is what has not reached the server, and nothing else", async () => {
  const [saved, unsaved] = [await opened("saved-document"), await opened("unsaved-document")];
  saved.text.insert(0, "on the server");
  saved.settle();
  unsaved.line.drop();
  unsaved.text.insert(0, "only here");
  await saved.provider.destroy();
  await unsaved.provider.destroy();
  expect(await databases()).toHaveLength(2);

  expect(await forgetCopies()).toBe(1);
  expect(await databases()).toEqual([expect.stringContaining("unsaved-document")]);
  const again = new ManyhandsProvider({
    documentId: "unsaved-document",
    connection: new Line(new DummyServer()),
  });
  onTestFinished(() => again.destroy());
  await vi.waitUntil(() => again.snapshot().loaded, { interval: 1 });
  expect(again.doc.getText("t").toString()).toBe("only here");
});

it("a page that is still open goes on without a copy", async () => {
  const { provider, text, settle } = await opened("open-document");
  await forgetCopies();
  await vi.waitUntil(() => provider.snapshot().offlineCopy === "unavailable", { interval: 1 });
  text.insert(0, "still writing");
  settle();
  expect(provider.snapshot().unsaved).toBe(0);
});
