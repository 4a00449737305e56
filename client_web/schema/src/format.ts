/** The format of documents that Manyhands' editor writes: what their rich text may hold, as extensions of Tiptap. */

import { type AnyExtension, Extension, getSchema } from "@tiptap/core";
import { TaskItem, TaskList } from "@tiptap/extension-list";
import { TableRow } from "@tiptap/extension-table";
import type { Schema } from "@tiptap/pm/model";
import StarterKit, { type StarterKitOptions } from "@tiptap/starter-kit";
import { annotations, Code, CodeBlock } from "./annotations.js";
import { containers } from "./containers.js";
import { Direction } from "./direction.js";
import { BlockMath, InlineMath } from "./formulas.js";
import { Image } from "./images.js";
import { inserts } from "./inserts.js";
import { Lines } from "./lines.js";
import { styling } from "./styling.js";
import { suggestions } from "./suggestions.js";
import { Table, TableCell, TableHeader } from "./tables.js";
import { readTolerantly } from "./tolerance.js";

/**
 * The name and version under which documents say what they hold. Raise the version when anything is added to the schema:
 * pages of an earlier release then read such documents, and delete nothing.
 */
export const FORMAT = { name: "manyhands", version: 5 } as const;

/** The root `XmlFragment` that holds the rich text, as stock Tiptap names it. */
export const FRAGMENT = "default";

/** The root map of a document that says something about the document as a whole. */
export const SETTINGS = "settings";

/** Undo belongs to the shared document, and a trailing paragraph would be written by everybody who opens it. */
export const STARTER_KIT: Partial<StarterKitOptions> = {
  undoRedo: false,
  trailingNode: false,
  link: false,
  code: false,
  codeBlock: false,
  heading: { levels: [1, 2, 3, 4, 5, 6] },
};

/** All nodes, marks and attributes, with the commands and keys of stock Tiptap. */
export const extensions: readonly AnyExtension[] = [
  StarterKit.configure(STARTER_KIT),
  Code,
  CodeBlock,
  ...styling,
  TaskList,
  TaskItem.configure({ nested: true }),
  Table.configure({ resizable: true, renderWrapper: true, cellMinWidth: 48 }),
  TableRow,
  TableHeader,
  TableCell,
  Image,
  InlineMath,
  BlockMath,
  ...containers,
  ...inserts,
  ...suggestions,
  ...annotations,
  Direction,
  Lines,
  Extension.create({
    name: "tolerance",
    onBeforeCreate() {
      readTolerantly(this.editor.schema);
    },
  }),
];

/** The schema of `extensions`, or of more extensions, for looking at a document without an editor. */
export function documentSchema(of: readonly AnyExtension[] = extensions): Schema {
  const schema = getSchema([...of]);
  readTolerantly(schema);
  return schema;
}
