/** Editors with a small schema, each bound to a Yjs document of its own. */

import { Schema } from "prosemirror-model";
import { EditorState, type Plugin } from "prosemirror-state";
import { EditorView } from "prosemirror-view";
import * as Y from "yjs";
import { type SyncOptions, ySyncPlugin, ySyncPluginKey, yUndoPlugin } from "../src/index.js";

export const schema = new Schema({
  nodes: {
    doc: { content: "block+" },
    paragraph: { content: "inline*", group: "block", toDOM: () => ["p", 0], parseDOM: [{ tag: "p" }] },
    heading: {
      content: "inline*",
      group: "block",
      attrs: { level: { default: 1 } },
      toDOM: () => ["h1", 0],
    },
    quote: { content: "block+", group: "block", toDOM: () => ["blockquote", 0] },
    text: { group: "inline" },
    break: { inline: true, group: "inline", toDOM: () => ["br"] },
  },
  marks: {
    strong: { toDOM: () => ["strong", 0] },
    comment: { attrs: { id: {} }, excludes: "", toDOM: () => ["mark", 0] },
  },
});

export interface Bound {
  readonly view: EditorView;
  readonly doc: Y.Doc;
  readonly fragment: Y.XmlFragment;
}

export function bound(
  doc: Y.Doc,
  options: SyncOptions & { readonly plugins?: readonly Plugin[] } = {},
): Bound {
  const fragment = doc.getXmlFragment("default");
  const place = document.body.appendChild(document.createElement("div"));
  const plugins = [ySyncPlugin(fragment, options), yUndoPlugin(), ...(options.plugins ?? [])];
  const view = new EditorView(place, { state: EditorState.create({ schema, plugins }) });
  return { view, doc, fragment };
}

export function bindingOf({ view }: Bound) {
  const binding = ySyncPluginKey.getState(view.state)?.binding;
  if (!binding) throw new Error("The editor is not bound");
  return binding;
}

/** A document of so many paragraphs, written by client 1. */
export function book(paragraphs: number): Y.Doc {
  const doc = new Y.Doc();
  doc.clientID = 1;
  const lines = Array.from({ length: paragraphs }, (_, at) => line(`Line ${at} of a book.`));
  doc.getXmlFragment("default").insert(0, lines);
  return doc;
}

export function line(words: string, name = "paragraph"): Y.XmlElement {
  const element = new Y.XmlElement(name);
  element.insert(0, [new Y.XmlText(words)]);
  return element;
}

export function copyOf(doc: Y.Doc): Y.Doc {
  const copy = new Y.Doc();
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc));
  return copy;
}

export function textAt({ doc }: { readonly doc: Y.Doc }, at: number): Y.XmlText {
  return (doc.getXmlFragment("default").get(at) as Y.XmlElement).get(0) as Y.XmlText;
}

/** The changes of a document in the order of their making. */
export function changesOf(doc: Y.Doc): Uint8Array[] {
  const changes: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array) => changes.push(update));
  return changes;
}

export function nextFrame(): Promise<void> {
  return new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(() => seen())));
}
