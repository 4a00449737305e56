/** What can be inserted at the cursor: one list for “/”, for the toolbar's menu and for the “+” beside a block. */

import type { CalloutKind } from "@manyhands/schema";
import type { ChainedCommands, Editor, Range } from "@tiptap/core";
import {
  Heading1,
  Heading2,
  Heading3,
  Heading4,
  ImagePlus,
  Info,
  Lightbulb,
  List,
  ListCollapse,
  ListOrdered,
  ListTodo,
  type LucideIcon,
  Minus,
  Pilcrow,
  Quote,
  ScissorsLineDashed,
  Sigma,
  Smile,
  SquareCode,
  SquareSigma,
  Table,
  TextInitial,
  TriangleAlert,
  Type,
} from "lucide-react";
import type { CaretMenuSource, Choice } from "../../extensions/caret_menus";
import { openCollapsible } from "../../extensions/collapsibles";
import { mayUpload, PICTURE_TYPES, uploadFiles } from "../../extensions/uploads";

export interface Insert {
  readonly id: string;
  readonly label: string;
  readonly group: "Text" | "Lists" | "Blocks" | "Signs";
  readonly icon: LucideIcon;
  /** Other words by which people look for it. */
  readonly words: string;
  /** What does the same while typing. */
  readonly typed?: string;
  readonly apply: (chain: ChainedCommands) => ChainedCommands;
  /** What is done when the command has run. */
  readonly afterwards?: (editor: Editor) => void;
  /** Absent where it is always possible. */
  readonly isPossible?: (editor: Editor) => boolean;
}

export const inserts: readonly Insert[] = [
  {
    id: "text",
    label: "Text",
    group: "Text",
    icon: Pilcrow,
    words: "paragraph normal plain body",
    apply: (chain) => chain.setNode("paragraph", { look: null }),
  },
  {
    id: "title",
    label: "Title",
    group: "Text",
    icon: Type,
    words: "name headline big",
    apply: (chain) => chain.setNode("paragraph", { look: "title" }),
  },
  {
    id: "subtitle",
    label: "Subtitle",
    group: "Text",
    icon: TextInitial,
    words: "lead tagline",
    apply: (chain) => chain.setNode("paragraph", { look: "subtitle" }),
  },
  ...([Heading1, Heading2, Heading3, Heading4] as const).map(
    (icon, index): Insert => ({
      id: `heading-${index + 1}`,
      label: `Heading ${index + 1}`,
      group: "Text",
      icon,
      words: `h${index + 1} section chapter`,
      typed: `${"#".repeat(index + 1)} `,
      apply: (chain) => chain.setNode("heading", { level: index + 1 }),
    }),
  ),
  {
    id: "bulletList",
    label: "Bulleted list",
    group: "Lists",
    icon: List,
    words: "ul unordered dots points",
    typed: "- ",
    apply: (chain) => chain.toggleBulletList(),
  },
  {
    id: "orderedList",
    label: "Numbered list",
    group: "Lists",
    icon: ListOrdered,
    words: "ol ordered steps numbers",
    typed: "1. ",
    apply: (chain) => chain.toggleOrderedList(),
  },
  {
    id: "taskList",
    label: "Task list",
    group: "Lists",
    icon: ListTodo,
    words: "todo to-do checklist checkbox tick",
    typed: "[ ] ",
    apply: (chain) => chain.toggleTaskList(),
  },
  {
    id: "quote",
    label: "Quote",
    group: "Blocks",
    icon: Quote,
    words: "blockquote citation",
    typed: "> ",
    apply: (chain) => chain.toggleBlockquote(),
  },
  callout("info", "Note", Info, "callout info information aside box hint"),
  callout("tip", "Tip", Lightbulb, "callout advice box hint idea"),
  callout("warning", "Warning", TriangleAlert, "callout caution danger attention box"),
  {
    id: "collapsible",
    label: "Collapsible section",
    group: "Blocks",
    icon: ListCollapse,
    words: "details summary toggle fold accordion hide expand",
    apply: (chain) => chain.setDetails(),
    afterwards: openCollapsible,
    isPossible: (editor) => editor.can().setDetails(),
  },
  {
    id: "codeBlock",
    label: "Code block",
    group: "Blocks",
    icon: SquareCode,
    words: "pre program source snippet",
    typed: "```",
    apply: (chain) => chain.toggleCodeBlock(),
  },
  {
    id: "formula",
    label: "Formula",
    group: "Blocks",
    icon: SquareSigma,
    words: "mathematics math equation latex katex tex",
    apply: (chain) => chain.insertFormula("blockMath"),
  },
  {
    id: "inlineFormula",
    label: "Formula in the line",
    group: "Signs",
    icon: Sigma,
    words: "mathematics math equation latex katex tex inline",
    typed: "$$x$$",
    apply: (chain) => chain.insertFormula("inlineMath"),
  },
  {
    id: "table",
    label: "Table",
    group: "Blocks",
    icon: Table,
    words: "grid rows columns cells",
    apply: (chain) => chain.insertTable({ rows: 3, cols: 3, withHeaderRow: true }),
    isPossible: (editor) => !editor.isActive("table"),
  },
  {
    id: "picture",
    label: "Picture",
    group: "Blocks",
    icon: ImagePlus,
    words: "image photo upload file figure",
    apply: (chain) => chain,
    afterwards: choosePictures,
    isPossible: mayUpload,
  },
  {
    id: "rule",
    label: "Horizontal line",
    group: "Blocks",
    icon: Minus,
    words: "rule divider separator hr",
    typed: "---",
    apply: (chain) => chain.setHorizontalRule(),
  },
  {
    id: "pageBreak",
    label: "Page break",
    group: "Blocks",
    icon: ScissorsLineDashed,
    words: "new page print paper",
    apply: (chain) => chain.setPageBreak(),
    isPossible: ({ state }) => state.selection.$from.depth === 1,
  },
  {
    id: "emoji",
    label: "Emoji",
    group: "Signs",
    icon: Smile,
    words: "smiley emoticon symbol",
    typed: ":",
    apply: (chain) => chain.insertContent(":"),
  },
];

function callout(kind: CalloutKind, label: string, icon: LucideIcon, words: string): Insert {
  return { id: kind, label, group: "Blocks", icon, words, apply: (chain) => chain.setCallout(kind) };
}

/** Returns what is possible at the cursor and has all the words that were typed, the best matches first. */
export function insertsFor(query: string, editor: Editor): readonly Insert[] {
  const wanted = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = inserts.filter((insert) => insert.isPossible?.(editor) ?? true);
  if (wanted.length === 0) return found;
  const ranked = found.flatMap((insert) => {
    const label = insert.label.toLowerCase();
    const words = `${label} ${insert.words}`.split(/\s+/);
    if (!wanted.every((word) => words.some((each) => each.startsWith(word)))) return [];
    return [{ insert, rank: label.startsWith(wanted.join(" ")) ? 0 : 1 }];
  });
  return ranked.toSorted((one, other) => one.rank - other.rank).map(({ insert }) => insert);
}

/** Puts it at the cursor, or in the place of what was typed to find it. */
export function applyInsert(editor: Editor, insert: Insert, range: Range | null = null): void {
  const chain = editor.chain().focus();
  insert.apply(range ? chain.deleteRange(range) : chain).run();
  insert.afterwards?.(editor);
}

export const blockSource: CaretMenuSource = {
  sign: "/",
  label: "Insert",
  allowSpaces: true,
  leastQuery: 0,
  choices: (query, editor) => {
    const found = insertsFor(query, editor);
    return found.map(
      (insert): Choice => ({
        id: insert.id,
        label: insert.label,
        icon: insert.icon,
        // Ranked choices are in no order of groups.
        ...(query === "" ? { group: insert.group } : {}),
        ...(insert.typed === undefined ? {} : { detail: insert.typed.trim() }),
        run: (_editor, range) => applyInsert(_editor, insert, range),
      }),
    );
  },
};

/** Asks for files of this device. */
function choosePictures(editor: Editor): void {
  const input = document.createElement("input");
  input.type = "file";
  input.accept = PICTURE_TYPES.join(",");
  input.multiple = true;
  input.addEventListener("change", () => uploadFiles(editor, [...(input.files ?? [])]));
  input.click();
}
