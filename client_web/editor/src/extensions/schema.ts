/** The editor's extensions: what a document may hold, what the page adds, and how the shared document is bound to it. */

import {
  Callout,
  documentSchema,
  extensions,
  FRAGMENT,
  Image as ImageOfSchema,
  isAllowedImage,
  Link as LinkOfSchema,
  PageBreak,
  pictureRules,
  STARTER_KIT,
} from "@manyhands/schema";
import { type AnyExtension, getExtensionField } from "@tiptap/core";
import { Placeholder } from "@tiptap/extensions";
import type { Schema } from "@tiptap/pm/model";
import StarterKit from "@tiptap/starter-kit";
import type { Awareness } from "y-protocols/awareness";
import type * as Y from "yjs";
import { CodeKeys } from "../features/code/code_keys";
import { CodeColours } from "../features/code/colours";
import { BlockFormula, InlineFormula } from "../features/formulas/formulas";
import { DayAsking } from "../features/inserting/day_asking";
import { HeldSelection } from "../features/links/held_selection";
import { PictureAsking } from "../features/pictures/asking";
import { ELSEWHERE, PictureView } from "../features/pictures/picture_view";
import { t } from "../i18n/t";
import { Binding } from "./binding";
import { Blocks } from "./blocks";
import { CaretMenus, type CaretMenusOptions } from "./caret_menus";
import { Carets } from "./carets";
import { Details } from "./collapsibles";
import { CommentMark } from "./comment_marks";
import { Copying } from "./copying";
import { CursorMoves } from "./cursor_moves";
import { WritingDirection } from "./direction";
import { EmptyLines } from "./empty_lines";
import { Gaps } from "./gaps";
import { IndentBackspace, Indenting } from "./indenting";
import { LateFocus } from "./late_focus";
import { LineBreaks } from "./line_breaks";
import { LineEnds } from "./line_ends";
import { answeringOwnEditsOnly } from "./own_edits";
import { ARRIVING } from "./pasted_html";
import { Pasting, type PastingOptions } from "./pasting";
import { placeholders } from "./reading";
import { ReadingPlace } from "./reading_place";
import { Sections } from "./sections";
import { drawnSuggestions, SuggestedTable } from "./suggested";
import { type Suggester, Suggesting } from "./suggesting";
import { mending } from "./table_shapes";
import { Task } from "./tasks";
import { MarkdownRules, SmartTyping } from "./typing_rules";
import { UndoSteps } from "./undo_steps";
import { Uploads, type UploadsOptions } from "./uploads";

/** What the page adds to parts of the schema. */
const own: readonly AnyExtension[] = [
  StarterKit.configure({ ...STARTER_KIT, dropcursor: { color: "var(--accent)", width: 2 } }),
  LinkOfSchema.extend({
    addProseMirrorPlugins() {
      return (this.parent?.() ?? []).map(answeringOwnEditsOnly);
    },
  }),
  ImageOfSchema.extend({
    parseHTML() {
      // What is pasted keeps its place by an address that never gets into a document; see pasting.ts.
      return pictureRules(isKept);
    },
    addNodeView() {
      return ({ node, editor, getPos }) => new PictureView(node, editor, getPos);
    },
  }).configure({ elsewhere: ELSEWHERE }),
  Callout.configure({ labels: { info: t("Note"), tip: t("Tip"), warning: t("Warning") } }),
  PageBreak.configure({ label: t("Page break") }),
  InlineFormula,
  BlockFormula,
  Task,
  Details,
  CommentMark,
  WritingDirection,
  ...drawnSuggestions,
];

function isKept(src: string | null): boolean {
  return isAllowedImage(src) || ARRIVING.test(src ?? "");
}

/** Merges the options of an extension once; Tiptap does so at each look, 4,500 times for one editor. */
function settled(extension: AnyExtension): AnyExtension {
  return Object.defineProperty(extension, "options", { value: extension.options });
}

/** Parts of a kit; the kit itself would make them anew for each editor. */
function partsOf(kit: AnyExtension): readonly AnyExtension[] {
  const { name, options, storage } = kit;
  return getExtensionField<() => AnyExtension[]>(kit, "addExtensions", { name, options, storage })();
}

/** What a document may hold, with what the page adds. */
export const content: readonly AnyExtension[] = [
  ...extensions
    .map((each) => own.find(({ name }) => name === each.name) ?? each)
    .flatMap((each) => (each.name === StarterKit.name ? partsOf(each) : each))
    .map((each) => (each.name === "table" ? mending(each.configure({ View: SuggestedTable })) : each)),
  Gaps,
  Sections,
].map(settled);

/** What a stored document may hold, for looking at one without an editor. */
export const storedSchema: Schema = documentSchema();

/** The nodes that hold words, or nodes that do. */
const HOLDERS: readonly string[] = Object.values(storedSchema.nodes)
  .filter((type) => !type.isLeaf)
  .map(({ name }) => name);

export interface BindingOptions {
  readonly doc: Y.Doc;
  readonly awareness: Awareness | null;
  readonly placeholder?: string;
  readonly uploads?: UploadsOptions & PastingOptions;
  readonly menus?: CaretMenusOptions;
  /** Whether quotes and dashes are set as printers do; asked at each of them. */
  readonly isSmartTypingOn?: () => boolean;
  /** Who suggests at the moment, instead of editing. */
  readonly suggester?: () => Suggester | null;
}

/** Everything that an editor of a shared document is made of. */
export function editorExtensions(options: BindingOptions): AnyExtension[] {
  const { doc, awareness, placeholder, uploads, menus, isSmartTypingOn } = options;
  return [
    ...content,
    // Undoing a heading, a list or a table that somebody else has written in since leaves what holds their words.
    Binding.configure({ fragment: doc.getXmlFragment(FRAGMENT), protectedNodes: new Set(HOLDERS) }),
    Suggesting.configure({ suggester: options.suggester ?? (() => null) }),
    EmptyLines,
    UndoSteps,
    Carets.configure({ awareness }),
    CursorMoves,
    LateFocus,
    ReadingPlace,
    Blocks,
    Indenting,
    IndentBackspace,
    LineBreaks,
    LineEnds,
    MarkdownRules,
    SmartTyping.configure({ isOn: isSmartTypingOn ?? (() => false) }),
    CaretMenus.configure(menus ?? {}),
    Pasting.configure(uploads ?? {}),
    Copying,
    CodeKeys,
    CodeColours,
    HeldSelection,
    PictureAsking,
    DayAsking,
    Uploads.configure(uploads ?? {}),
    Placeholder.configure({ placeholder: placeholder ?? "" }),
  ].map(settled);
}

/** What shows a document that no editor may be bound to; see reading.ts. */
export const readingExtensions: readonly AnyExtension[] = [...content, ...placeholders];

export function readingSchema(): Schema {
  return documentSchema(readingExtensions);
}
