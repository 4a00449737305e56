/** People in one document, each with an editor and a Yjs document of their own; edits travel when `sync` says so. */

import { ySyncPluginKey } from "@manyhands/binding";
import { FRAGMENT } from "@manyhands/schema";
import { Editor, type JSONContent } from "@tiptap/core";
import * as Y from "yjs";
import { editorExtensions } from "../../src/extensions/schema";
import { loadDecided, type Suggester } from "../../src/extensions/suggesting";

// The page does so when it shows a document in which something is suggested.
await loadDecided();

export interface Person {
  readonly editor: Editor;
  readonly doc: Y.Doc;
}

export function person(
  clientId: number,
  doc = new Y.Doc(),
  suggester: () => Suggester | null = () => null,
): Person {
  doc.clientID = clientId;
  const element = document.body.appendChild(document.createElement("div"));
  return {
    doc,
    editor: new Editor({
      element,
      injectCSS: false,
      extensions: editorExtensions({ doc, awareness: null, suggester }),
    }),
  };
}

/** Brings everybody to the same state; returns how many rounds it took until nobody had anything new. */
export function sync(...people: readonly Person[]): number {
  for (let round = 1; round <= 20; round += 1) {
    const before = people.map(({ doc }) => Y.encodeStateVector(doc).join());
    const updates = people.map(({ doc }) => Y.encodeStateAsUpdate(doc));
    for (const { doc } of people) for (const update of updates) Y.applyUpdate(doc, update);
    people.forEach(seesAll);
    if (people.every(({ doc }, index) => Y.encodeStateVector(doc).join() === before[index])) return round;
  }
  throw new Error("The editors answer each other without end");
}

/** Shows what would come with the next frame. */
export function seesAll({ editor }: Person): void {
  ySyncPluginKey.getState(editor.state)?.binding.flush();
}

export function textOf(person: Person): string {
  const { editor } = person;
  seesAll(person);
  return editor.getText({ blockSeparator: "|" });
}

export function sharedText({ doc }: Person): string {
  return doc.getXmlFragment(FRAGMENT).toString();
}

/** The children of a node, or of the document that a person sees. */
export function contentOf(parent: Person | JSONContent | undefined): readonly JSONContent[] {
  const node: JSONContent | undefined = parent && "editor" in parent ? parent.editor.getJSON() : parent;
  return node?.content ?? [];
}

export function typesOf(json: JSONContent): string {
  const inner = (json.content ?? []).map(typesOf).join(" ");
  return inner ? `${json.type}(${inner})` : String(json.type);
}

/** Builds a document as another application would, without this editor's schema. */
export function written(build: (fragment: Y.XmlFragment) => void): Y.Doc {
  const doc = new Y.Doc();
  build(doc.getXmlFragment(FRAGMENT));
  return doc;
}

export function element(
  name: string,
  children: readonly (Y.XmlElement | Y.XmlText)[],
  attributes: object = {},
) {
  const made = new Y.XmlElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.insert(0, [...children]);
  return made;
}

export function words(text: string, marks: object = {}): Y.XmlText {
  const made = new Y.XmlText();
  made.insert(0, text, marks);
  return made;
}
