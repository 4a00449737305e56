/** Documents of the editor as Yjs fragments, and back, without an editor. */

import type { Node, Schema } from "prosemirror-model";
import type * as Y from "yjs";
import { Reader } from "./reading.js";
import { elementFor } from "./writing.js";

/** Writes a document into an empty fragment. */
export function prosemirrorToYXmlFragment(doc: Node, fragment: Y.XmlFragment): Y.XmlFragment {
  const elements = doc.content.content.map((node) => elementFor(node, () => undefined));
  fragment.insert(0, elements);
  return fragment;
}

/** Reads a fragment; what the schema cannot build is left out. */
export function yXmlFragmentToProseMirrorRootNode(fragment: Y.XmlFragment, schema: Schema): Node {
  return new Reader(schema, () => undefined).read(fragment, new Map());
}
