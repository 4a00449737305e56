/** Other editors beside Manyhands' own on one document: nothing is deleted that an editor does not know. */

import { type AnyExtension, Editor, getSchema } from "@tiptap/core";
import Collaboration from "@tiptap/extension-collaboration";
import StarterKit from "@tiptap/starter-kit";
import { describe, expect, it, onTestFinished } from "vitest";
import { ManyhandsProvider, type ProviderOptions } from "../../provider/src/index.js";
import { ManualClock } from "../../provider/test/harness/clock.js";
import { DummyServer, Line } from "../../provider/test/harness/server.js";
import { extensions, FORMAT } from "../src/index.js";

const TASKS = '<ul data-type="taskList"><li data-checked="true"><p>milk</p></li></ul>';
const TABLE = "<table><tbody><tr><th><p>when</p></th><td><p>now</p></td></tr></tbody></table>";
const SHA = "0".repeat(64);
const IMAGE = `<img src="/api/documents/0123456789abcdef/attachments/${SHA}" alt="a plan">`;
const WORDS = '<p><span style="color: #00695c">green</span> and <mark data-color="#ff0">bright</mark></p>';
const EVERYTHING = `<p>first</p>${TASKS}${TABLE}${IMAGE}${WORDS}`;

class House {
  readonly clock = new ManualClock();
  readonly server = new DummyServer();

  /** Open an editor whose Collaboration is stock Tiptap's, over the provider. */
  opens(own: readonly AnyExtension[], knowledge: Partial<ProviderOptions>) {
    const line = new Line(this.server);
    const options = { documentId: "0123456789abcdef", connection: line, clock: this.clock, offline: false };
    const provider = new ManyhandsProvider({ ...options, ...knowledge });
    const editor = new Editor({
      extensions: [...own, Collaboration.configure({ document: provider.doc })],
    });
    onTestFinished(async () => {
      editor.destroy();
      await provider.destroy();
    });
    line.connect();
    this.settle();
    editor.setEditable(provider.snapshot().readOnly === null);
    return { editor, provider };
  }

  settle(): void {
    for (let round = 0; round < 6; round++) {
      this.clock.advance(100);
      for (const line of this.server.lines) while (line.arriveUp() || line.arriveDown());
      this.server.commitEach();
      for (const line of this.server.lines) while (line.arriveDown());
    }
  }
}

/** The README's first example: stock Tiptap. */
const stock = [StarterKit.configure({ undoRedo: false })];

function filled() {
  const house = new House();
  const ours = house.opens([...extensions], { format: FORMAT });
  ours.editor.commands.setContent(EVERYTHING);
  house.settle();
  const { server } = house;
  for (const name of ["taskItem", "table", "tableheader", "image", "highlight"]) {
    expect(server.page().toLowerCase()).toContain(name.toLowerCase());
  }
  return { house, ours, before: server.page() };
}

describe("stock Tiptap with StarterKit beside our editor", () => {
  it("deletes nothing, before any key and after", () => {
    const { house, ours, before } = filled();
    const { editor, provider } = house.opens(stock, {});
    expect(provider.snapshot().readOnly).toMatchObject({ reason: "format" });
    expect(editor.isEditable).toBe(false);
    expect(editor.getText()).toContain("first");
    expect(house.server.page()).toBe(before);
    editor.commands.setContent("<p>whatever it does</p>");
    house.settle();
    expect(house.server.page()).toBe(before);
    ours.editor.commands.insertContentAt(0, "<p>news</p>");
    house.settle();
    expect(house.server.page()).toContain("news");
    expect(editor.getText()).toContain("news");
    expect(provider.snapshot()).toMatchObject({ unsaved: 0, closed: null });
    expect(ours.editor.getHTML()).toContain("milk");
  });

  it("is told what it does not know", () => {
    const { house } = filled();
    const { provider } = house.opens(stock, { schema: getSchema(stock) });
    const unknown = provider.snapshot().readOnly?.unknown ?? [];
    expect([...unknown].toSorted()).toEqual(
      [
        "highlight",
        "image",
        "table",
        "tableCell",
        "tableHeader",
        "tableRow",
        "taskItem",
        "taskList",
        "textStyle",
      ].toSorted(),
    );
  });

  it("would delete it all if the owner let it write, which this test relies on", () => {
    const { house } = filled();
    house.server.setFormat(FORMAT, true);
    house.opens(stock, {});
    expect(house.server.page()).not.toContain("taskItem");
  });

  it("writes a document of its own", () => {
    const house = new House();
    const { editor } = house.opens(stock, { format: { name: "stock", version: 1 } });
    editor.commands.setContent("<p>mine</p>");
    house.settle();
    expect(house.server.page()).toContain("mine");
    const ours = house.opens([...extensions], { format: FORMAT });
    expect(ours.provider.snapshot().readOnly).toMatchObject({ reason: "format" });
  });
});

it("another Tiptap with this schema writes beside our editor, and everybody has everything", () => {
  const { house, ours } = filled();
  const { editor, provider } = house.opens([...extensions], {
    format: FORMAT,
    schema: getSchema([...extensions]),
  });
  expect(provider.snapshot().readOnly).toBeNull();
  editor.commands.insertContentAt(0, "<p>from elsewhere</p>");
  house.settle();
  expect(ours.editor.getHTML()).toBe(editor.getHTML());
  expect(house.server.page()).toContain("from elsewhere");
  expect(house.server.page().toLowerCase()).toContain("taskitem");
});
