/** The editor's vocabulary, in one place: what a document may hold, and how the shared document is bound to it. */

import { type AnyExtension, Extension, getSchema } from "@tiptap/core";
import { TaskList } from "@tiptap/extension-list";
import { TableCell, TableHeader, TableRow } from "@tiptap/extension-table";
import { Placeholder } from "@tiptap/extensions";
import type { Schema } from "@tiptap/pm/model";
import StarterKit from "@tiptap/starter-kit";
import type { Awareness } from "y-protocols/awareness";
import type * as Y from "yjs";
import { Binding } from "./binding";
import { Carets } from "./carets";
import { Copying } from "./copying";
import { CursorMoves } from "./cursor_moves";
import { WritingDirection } from "./direction";
import { EmptyLines } from "./empty_lines";
import { Gaps } from "./gaps";
import { Image } from "./images";
import { Pasting, type PastingOptions } from "./pasting";
import { placeholders } from "./reading";
import { ReadingPlace } from "./reading_place";
import { styling } from "./styling";
import { Table } from "./tables";
import { Task } from "./tasks";
import { readTolerantly } from "./tolerance";
import { UndoSteps } from "./undo_steps";
import { Uploads, type UploadsOptions } from "./uploads";

/** The root `XmlFragment` that holds the rich text, as stock Tiptap names it. */
export const FRAGMENT = "default";

/** What a document may hold. Changing this changes what other editors of the document must understand. */
export const content: readonly AnyExtension[] = [
  StarterKit.configure({
    // Undo belongs to the shared document, and a trailing paragraph would be written by everybody who opens it.
    undoRedo: false,
    trailingNode: false,
    link: false,
    heading: { levels: [1, 2, 3, 4, 5, 6] },
    dropcursor: { color: "var(--accent)", width: 2 },
  }),
  ...styling,
  TaskList,
  Task,
  Table.configure({ resizable: true, renderWrapper: true, cellMinWidth: 48 }),
  TableRow,
  TableHeader,
  TableCell,
  Image,
  WritingDirection,
  Gaps,
  Extension.create({
    name: "tolerance",
    onBeforeCreate() {
      readTolerantly(this.editor.schema);
    },
  }),
];

/** The nodes that hold words, or nodes that do. */
const HOLDERS: readonly string[] = Object.values(getSchema([...content]).nodes)
  .filter((type) => !type.isLeaf)
  .map(({ name }) => name);

export interface BindingOptions {
  readonly doc: Y.Doc;
  readonly awareness: Awareness | null;
  readonly placeholder?: string;
  readonly uploads?: UploadsOptions & PastingOptions;
}

/** Everything that an editor of a shared document is made of. */
export function editorExtensions({ doc, awareness, placeholder, uploads }: BindingOptions): AnyExtension[] {
  return [
    ...content,
    // Undoing a heading, a list or a table that somebody else has written in since leaves what holds their words.
    Binding.configure({ fragment: doc.getXmlFragment(FRAGMENT), protectedNodes: new Set(HOLDERS) }),
    EmptyLines,
    UndoSteps,
    Carets.configure({ awareness }),
    CursorMoves,
    ReadingPlace,
    Pasting.configure(uploads ?? {}),
    Copying,
    Uploads.configure(uploads ?? {}),
    Placeholder.configure({ placeholder: placeholder ?? "" }),
  ];
}

/** What shows a document that no editor may be bound to; see reading.ts. */
export const readingExtensions: readonly AnyExtension[] = [...content, ...placeholders];

/** A schema of its own for looking at a document without an editor. */
export function documentSchema(): Schema {
  return tolerant(content);
}

export function readingSchema(): Schema {
  return tolerant(readingExtensions);
}

function tolerant(extensions: readonly AnyExtension[]): Schema {
  const schema = getSchema([...extensions]);
  readTolerantly(schema);
  return schema;
}
