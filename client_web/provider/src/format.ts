/**
 * Formats: whether a page may write a document's rich text, and what its editor would not understand of it.
 *
 * Bindings of Yjs to an editor delete what the editor's schema does not know, as soon as they see it. So a page that does
 * not know a document's format only reads:
 *
 * 1. Whether it does is decided before any content is in the document: from what the copy on the device says, or from
 *    the answer to the first join. What the editor then does to the document is neither kept nor sent.
 * 2. A page that writes, and learns that the format is not its own any more, is over (`other_format`). It takes in
 *    nothing more; its changes stay on the device for a page that knows the format.
 */

import * as Y from "yjs";
import type { DocumentInfo, Format, ReadOnly, ServerError, Vocabulary } from "./types.js";

/** The root that holds the rich text. */
const ROOT = "default";

export const OTHER_FORMAT: ServerError = {
  code: "other_format",
  message: "The document has a format now that this page does not know. Load the page anew.",
};

/** Whether who declares this format, or none, may write a document of a format, or of none. */
export function knows(declared: Format | null, present: Format | null | undefined): boolean {
  if (present == null) return true;
  return declared !== null && declared.name === present.name && declared.version >= present.version;
}

export function mayWriteFormat(declared: Format | null, document: DocumentInfo | null): boolean {
  return document === null || document.anyFormat === true || knows(declared, document.format);
}

export function readOnlyFor(format: Format | null | undefined, unknown: readonly string[]): ReadOnly {
  const name = format == null ? "" : ` (${format.name} ${format.version})`;
  return {
    reason: "format",
    message: `This page does not know the document's format${name}, so the document can only be read here.`,
    unknown,
  };
}

export function readOnlyWithout(unknown: readonly string[]): ReadOnly {
  const message = `This page does not know ${unknown.join(", ")}, so the document can only be read here.`;
  return { reason: "content", message, unknown };
}

/** The names in the rich text of a document that the editor does not know, in their order. */
export function unknownIn(doc: Y.Doc, { nodes, marks }: Vocabulary): readonly string[] {
  const unknown = new Set<string>();
  const look = (parent: Y.XmlFragment): void => {
    for (const child of parent.toArray()) {
      if (child instanceof Y.XmlElement) {
        if (!Object.hasOwn(nodes, child.nodeName)) unknown.add(child.nodeName);
        look(child);
      } else if (child instanceof Y.XmlText) {
        for (const { attributes } of child.toDelta() as readonly { attributes?: object }[]) {
          for (const key of Object.keys(attributes ?? {})) {
            if (!Object.hasOwn(marks, markOf(key))) unknown.add(markOf(key));
          }
        }
      }
    }
  };
  look(doc.getXmlFragment(ROOT));
  return [...unknown];
}

/** Whether updates name something that the editor does not know, deleted or not, in whichever root. */
export function mayHoldUnknown(updates: readonly Uint8Array[], { nodes, marks }: Vocabulary): boolean {
  const isStrange = (content: Y.AbstractStruct): boolean => {
    if (!(content instanceof Y.Item)) return false;
    if (content.content instanceof Y.ContentFormat) {
      return !Object.hasOwn(marks, markOf(content.content.key));
    }
    if (!(content.content instanceof Y.ContentType)) return false;
    const { type } = content.content;
    return type instanceof Y.XmlElement && !Object.hasOwn(nodes, type.nodeName);
  };
  return updates.some((update) => Y.decodeUpdate(update).structs.some(isStrange));
}

/** A document with some more updates, apart from the one that an editor is bound to. */
export function withUpdates(doc: Y.Doc, updates: readonly Uint8Array[]): Y.Doc {
  const apart = new Y.Doc();
  for (const update of [Y.encodeStateAsUpdate(doc), ...updates]) Y.applyUpdate(apart, update);
  return apart;
}

/** Marks that may overlap themselves carry a hash: `comment--A1b2C3d4`. */
function markOf(key: string): string {
  return /^(.*)--[a-zA-Z0-9+/=]{8}$/.exec(key)?.[1] ?? key;
}
