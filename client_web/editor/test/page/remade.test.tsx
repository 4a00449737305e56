/** A person whose editor throws, because of somebody else's mistake or of its own, goes on writing in another one. */

import { FRAGMENT } from "@manyhands/schema";
import { act, cleanup, screen, waitFor } from "@testing-library/react";
import type { Editor } from "@tiptap/core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type * as Y from "yjs";
import { element, words, written } from "./editors";
import { openDocument } from "./openDocument";

beforeEach(() => localStorage.clear());
afterEach(cleanup);

const editorNow = () => (document.getElementById("document") as { editor?: Editor } | null)?.editor;

async function opened(doc: Y.Doc): Promise<Editor> {
  openDocument({ doc });
  await screen.findByText("Hello");
  return editorNow() ?? expect.fail("no editor");
}

function withHello(): Y.Doc {
  return written((fragment) => fragment.insert(0, [element("paragraph", [words("Hello")])]));
}

function throwing(): never {
  throw new Error("Somebody else's mistake.");
}

function typesDespite(editor: Editor, typed: string): void {
  let thrown: unknown;
  act(() => {
    try {
      editor.commands.insertContent(typed);
    } catch (error) {
      thrown = error;
    }
  });
  expect(String(thrown)).toContain("mistake");
}

/** What a document that the provider sets free does; the page has no provider of its own here. */
function setFree(doc: Y.Doc): void {
  doc._transactionCleanups = [];
}

test("after a listener of the document threw at a keystroke", async () => {
  const doc = withHello();
  const editor = await opened(doc);
  act(() => void editor.commands.setTextSelection(6));
  doc.once("update", throwing);
  typesDespite(editor, " there");
  setFree(doc);
  const another = await waitFor(() => (editorNow() === editor ? expect.fail("the same") : editorNow()));
  expect(another?.state.selection.anchor).toBe(12);
  act(() => void another?.commands.insertContent(", you"));
  expect(doc.getXmlFragment(FRAGMENT).toString()).toBe("<paragraph>Hello there, you</paragraph>");
});

test("after the provider has mended the document, with what was missed in it", async () => {
  const doc = withHello();
  const { provider } = openDocument({ doc });
  await screen.findByText("Hello");
  const before = editorNow();
  const fragment = doc.getXmlFragment(FRAGMENT);
  fragment._dEH.l.splice(0); // nobody hears of what comes now
  act(() => fragment.insert(1, [element("paragraph", [words("missed")])]));
  expect(screen.queryByText("missed")).toBeNull();
  provider().tells({ mended: 1 });
  await screen.findByText("missed");
  act(() => void editorNow()?.commands.insertContent("Typed. "));
  expect(editorNow()).not.toBe(before);
  expect(fragment.toString()).toContain("missed");
});

test("with the focus in the text, which goes to the next editor", async () => {
  const doc = withHello();
  const { provider } = openDocument({ doc });
  await screen.findByText("Hello");
  const before = editorNow();
  act(() => before?.view.focus());
  const isFocused = () => document.activeElement === document.getElementById("document");
  expect(isFocused()).toBe(true);
  provider().tells({ mended: 1 });
  await waitFor(() => expect(editorNow()).not.toBe(before));
  await waitFor(() => expect(isFocused()).toBe(true));
});

test("but not for ever: then the page says so and offers a copy", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const doc = withHello();
  await opened(doc);
  doc.on("update", throwing);
  for (let count = 0; count < 4; count++) {
    const editor = await waitFor(() => editorNow() ?? expect.fail("no editor"));
    typesDespite(editor, "!");
    setFree(doc);
  }
  await screen.findByText(/download/i);
  expect(doc.getXmlFragment(FRAGMENT).toString()).toContain("!!!!");
});
