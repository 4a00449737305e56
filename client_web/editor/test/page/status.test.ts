/** The status tells the truth, and the most serious part of it first. */

import type { ProviderState } from "@manyhands/provider";
import { describe, expect, test } from "vitest";
import { factsOf, statusOf } from "../../src/page/status";
import { SAVED } from "./openDocument";

const REFUSAL = { code: "document_full", message: "The document is full", bytes: 10 } as const;

const FULL = { code: "too_many", message: "You have 100 connections open. Close some pages." } as const;

test.each<[string, Partial<ProviderState>, string]>([
  ["nothing waits", {}, "Saved"],
  ["a change is on its way", { unsaved: 1 }, "Saving…"],
  ["the store takes nothing", { unsaved: 1, durability: "waiting" }, "Not saved – the server cannot store"],
  ["the store takes nothing, and there is nothing to take", { durability: "waiting" }, "Saved"],
  ["the first join is under way", { status: "connecting" }, "Connecting…"],
  ["both sides exchange what they lack", { status: "syncing" }, "Syncing…"],
  ["a large document comes", { status: "syncing", progress: { received: 1, total: 3 } }, "Syncing… 33 %"],
  ["the network is gone", { status: "offline" }, "Offline"],
  ["the network is gone during changes", { status: "offline", unsaved: 2 }, "Offline – kept on this device"],
  [
    "the network is gone and the device is slow",
    { status: "offline", unsaved: 2, offlineCopy: "writing" },
    "Offline – keeping changes…",
  ],
  [
    "neither server nor browser keeps the changes",
    { status: "offline", unsaved: 2, offlineCopy: "unavailable" },
    "Offline – not saved",
  ],
  ["the server is full", { status: "offline", turnedAway: FULL }, "Not connected"],
  ["the server is full on the first try", { status: "connecting", turnedAway: FULL }, "Not connected"],
  [
    "the server is full during changes",
    { status: "offline", turnedAway: FULL, unsaved: 1 },
    "Not connected – kept on this device",
  ],
  ["a change was refused", { refusal: REFUSAL, unsaved: 1 }, "Not saved"],
  ["a change was refused and the network is gone", { refusal: REFUSAL, status: "offline" }, "Not saved"],
  ["the document is gone", { closed: { code: "deleted", message: "Gone." }, refusal: REFUSAL }, "Closed"],
])("while %s", (_when, state, label) => {
  expect(statusOf({ ...SAVED, ...state }).label).toBe(label);
});

test("only what is durable is called saved", () => {
  for (const status of ["offline", "connecting", "syncing", "synced"] as const) {
    for (const durability of ["ok", "waiting"] as const) {
      expect(statusOf({ ...SAVED, status, durability, unsaved: 1 }).kind).not.toBe("saved");
    }
  }
});

test("a refusal says the server's reason as a sentence", () => {
  expect(statusOf({ ...SAVED, refusal: REFUSAL }).explanation).toContain("The document is full. Everything");
});

test("a server that lets nobody in is quoted, and it is said that the page tries again", () => {
  const { explanation } = statusOf({ ...SAVED, status: "offline", turnedAway: FULL, unsaved: 1 });
  expect(explanation).toContain(FULL.message);
  expect(explanation).toContain("tries again by itself");
  expect(explanation).toContain("Your changes are kept in this browser.");
});

describe("the details", () => {
  const factsAt = (state: Partial<ProviderState>, now = 1_000_000) =>
    Object.fromEntries(factsOf({ ...SAVED, ...state }, now).map(({ name, value }) => [name, value]));

  test("count what waits", () => {
    expect(factsAt({})["Waiting to be saved"]).toBe("Nothing");
    expect(factsAt({ unsaved: 1 })["Waiting to be saved"]).toBe("1 change");
    expect(factsAt({ unsaved: 3 })["Waiting to be saved"]).toBe("3 changes");
  });

  test.each([
    [null, "Nothing yet on this page"],
    [1_000_000 - 3_000, "Just now"],
    [1_000_000 - 42_000, "42 seconds ago"],
    [1_000_000 - 61_000, "1 minute ago"],
    [1_000_000 - 600_000, "10 minutes ago"],
  ])("tell when the last change was saved: %j is %s", (lastSavedAt, words) => {
    expect(factsAt({ lastSavedAt })["Last saved"]).toBe(words);
  });

  test("tell a server that lets nobody in from one that does not answer", () => {
    expect(factsAt({ status: "offline", turnedAway: FULL }).Connection).toBe("Turned away by the server");
    expect(factsAt({ status: "offline" }).Connection).toBe("None");
  });

  test("tell whether a copy is kept", () => {
    expect(factsAt({ offlineCopy: "unavailable" })["Offline copy"]).toBe("Not possible in this browser");
  });
});
