/** Refused suggestions are put right by formats: what the server has looks as there, and what is new is marked. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { lastInsertion, mend } from "../src/mending.js";

const CASES = new URL("../../../tests/crdt/suggestion_cases.jsonl", import.meta.url);

interface Recorded {
  readonly name: string;
  readonly ok: boolean;
  readonly user: string;
  readonly before: string;
  readonly update: string;
}

type Attributes = Readonly<Record<string, unknown>>;

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/** What somebody sees who is not `u`: pieces of text without what `u` has pending. */
function viewOf(doc: Y.Doc): readonly unknown[] {
  const pieces: [string, string][] = [];
  for (const block of doc.getXmlFragment("default").toArray() as Y.XmlElement[]) {
    pieces.push(["\n", JSON.stringify([block.nodeName, block.getAttributes()])]);
    for (const text of block.toArray() as Y.XmlText[]) {
      for (const { insert, attributes = {} } of text.toDelta() as {
        insert: string;
        attributes?: Attributes;
      }[]) {
        if (isPending(attributes)) continue;
        const kept = Object.entries(attributes)
          .filter(([key, value]) => !(key.includes("--") && userOf(value) === "u"))
          .map(([key, value]) => [key, value])
          .sort();
        const looks = JSON.stringify(kept);
        const last = pieces.at(-1);
        if (last?.[1] === looks) last[0] += insert;
        else pieces.push([insert, looks]);
      }
    }
  }
  return pieces;
}

function userOf(value: unknown): unknown {
  return (value as { user?: unknown } | null)?.user;
}

function isPending(attributes: Attributes): boolean {
  return Object.entries(attributes).some(
    ([key, value]) => key.startsWith("insertion--") && userOf(value) === "u",
  );
}

function copyOf(doc: Y.Doc): Y.Doc {
  const copy = new Y.Doc();
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc));
  return copy;
}

describe("mending", () => {
  const recorded = readFileSync(CASES, "utf8").trim().split("\n");
  const races = recorded
    .map((line) => JSON.parse(line) as Recorded)
    .filter(({ ok, name }) => !ok && !name.startsWith("ATTACK"));

  it.each(races)("settles $name", ({ before, update }) => {
    const server = new Y.Doc();
    Y.applyUpdate(server, Buffer.from(before, "base64"));
    const page = copyOf(server);
    Y.applyUpdate(page, Buffer.from(update, "base64"));
    expect(viewOf(page)).not.toEqual(viewOf(server));
    expect(mend(page, [Y.encodeStateAsUpdate(server)], "test")).toBe(true);
    expect(viewOf(page)).toEqual(viewOf(server));
  });

  it("marks a letter whose mark was accepted while it was typed", () => {
    const server = new Y.Doc();
    server.getXmlFragment("default").insert(0, [new Y.XmlElement("paragraph")]);
    const textIn = (doc: Y.Doc) => (doc.getXmlFragment("default").get(0) as Y.XmlElement).get(0) as Y.XmlText;
    (server.getXmlFragment("default").get(0) as Y.XmlElement).insert(0, [new Y.XmlText("Hello")]);
    const page = copyOf(server);
    const last = lastInsertion(page);
    const mark = { "insertion--00000001": { id: "s1", user: "u", at: 1, run: 1, break: null } };
    textIn(page).insert(5, " ther", mark);
    Y.applyUpdate(server, Y.encodeStateAsUpdate(page));
    textIn(server).format(5, 5, { "insertion--00000001": null });
    Y.applyUpdate(page, Y.encodeStateAsUpdate(server));
    textIn(page).insert(10, "e");
    expect(mend(copyOf(page), [Y.encodeStateAsUpdate(server)], "test")).toBe(false);
    expect(mend(page, [Y.encodeStateAsUpdate(server)], "test", last())).toBe(true);
    expect(textIn(page).toDelta()).toEqual([{ insert: "Hello ther" }, { insert: "e", attributes: mark }]);
  });

  it("does so for whatever two people do at once", () => {
    let races = 0;
    for (let seed = 0; seed < 150; seed += 1) {
      const chance = random(seed);
      const [server, page] = twoPeople(chance);
      const merged = copyOf(page);
      Y.applyUpdate(merged, Y.encodeStateAsUpdate(server));
      const isRace = JSON.stringify(viewOf(merged)) !== JSON.stringify(viewOf(server));
      races += isRace ? 1 : 0;
      const isMended = mend(merged, [Y.encodeStateAsUpdate(server)], "test");
      if (isRace) expect(isMended, `seed ${seed}`).toBe(true);
      if (isMended) expect(viewOf(merged), `seed ${seed}`).toEqual(viewOf(server));
    }
    expect(races).toBeGreaterThan(5);
  });

  it("keeps what the person proposes for a block, beside what others propose", () => {
    const [own, theirs] = ["suggestion--AAAAAAAA", "suggestion--BBBBBBBB"];
    const server = new Y.Doc();
    const block = new Y.XmlElement("paragraph");
    server.getXmlFragment("default").insert(0, [block]);
    block.insert(0, [new Y.XmlText("Hello")]);
    const proposal = (user: string, at: number) =>
      ({ id: `${user}${at}`, user, at, kind: "lift" }) as unknown as string;
    block.setAttribute(own, proposal("u", 1));
    block.setAttribute(theirs, proposal("v", 1));
    const page = copyOf(server);
    const here = page.getXmlFragment("default").get(0) as Y.XmlElement;
    here.setAttribute(own, proposal("u", 2));
    here.setAttribute(theirs, proposal("v", 2));
    here.setAttribute("textAlign", "center");
    (here.get(0) as Y.XmlText).insert(5, "!", {
      "insertion--00000001": { id: "s1", user: "u", at: 1, run: 1 },
    });
    expect(mend(page, [Y.encodeStateAsUpdate(server)], "test")).toBe(true);
    expect(here.getAttribute(own)).toEqual(proposal("u", 2));
    expect(here.getAttribute(theirs)).toEqual(proposal("v", 1));
    expect(here.getAttribute("textAlign")).toBeUndefined();
  });

  it.each<[string, (text: Y.XmlText, block: Y.XmlElement) => void]>([
    ["accepted words that were deleted", (text) => text.delete(0, 2)],
    ["words without any mark", (text) => text.insert(0, "plain")],
    [
      "a block without a mark",
      (_, block) => void (block.parent as Y.XmlFragment).insert(0, [new Y.XmlElement("p")]),
    ],
  ])("leaves %s to the person", (_, act) => {
    const server = new Y.Doc();
    const block = new Y.XmlElement("paragraph");
    server.getXmlFragment("default").insert(0, [block]);
    block.insert(0, [new Y.XmlText("Hello world")]);
    const page = copyOf(server);
    const here = page.getXmlFragment("default").get(0) as Y.XmlElement;
    act(here.get(0) as Y.XmlText, here);
    expect(mend(page, [Y.encodeStateAsUpdate(server)], "test")).toBe(false);
  });
});

let count = 0;

function mark(kind: string): Record<string, unknown> {
  count += 1;
  const name = `${kind}--${String(count).padStart(8, "0")}`;
  return { [name]: { id: `s${count}`, user: "u", at: 1, run: count } };
}

/** A text in which `u` has something pending, as an editor and `u` have changed it at the same time. */
function twoPeople(chance: () => number): [Y.Doc, Y.Doc] {
  const editor = new Y.Doc();
  const block = new Y.XmlElement("paragraph");
  editor.getXmlFragment("default").insert(0, [block]);
  const text = new Y.XmlText("Hello brave new world");
  block.insert(0, [text]);
  text.insert(6, "PENDING ", mark("insertion"));
  const page = copyOf(editor);
  [editor.clientID, page.clientID] = chance() < 0.5 ? [5, 2000] : [2000, 5];
  const own = (page.getXmlFragment("default").get(0) as Y.XmlElement).get(0) as Y.XmlText;
  const pick = (most: number) => Math.floor(chance() * most);
  page.transact(() => {
    own.insert(chance() < 0.6 ? 14 : pick(own.length), "more ", mark("insertion"));
    if (chance() < 0.5) own.format(pick(own.length - 4), 3, mark(chance() < 0.5 ? "deletion" : "comment"));
  });
  for (let act = 0; act < 2; act += 1) {
    const choice = chance();
    if (choice < 0.4) text.insert(chance() < 0.6 ? 14 : pick(text.length), "E", {});
    else if (choice < 0.6) text.format(pick(text.length - 5), 4, { bold: true });
    else if (choice < 0.8) text.format(6, 8, pendingKeys(text));
    else text.delete(pick(text.length - 3), 2);
  }
  return [editor, page];
}

function pendingKeys(text: Y.XmlText): Record<string, null> {
  const keys = (text.toDelta() as { attributes?: Attributes }[]).flatMap(({ attributes = {} }) =>
    Object.keys(attributes).filter((key) => key.startsWith("insertion--")),
  );
  return Object.fromEntries(keys.map((key) => [key, null]));
}
