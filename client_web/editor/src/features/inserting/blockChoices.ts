/** What can be inserted at the cursor: one list for “/”, for the toolbar's menu and for the “+” beside a block. */

import type { CalloutKind } from "@manyhands/schema";
import type { ChainedCommands, Editor, Range } from "@tiptap/core";
import {
  CalendarDays,
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
import { t } from "../../i18n/t";

import { askForDay } from "./day_asking";

export const GROUPS = {
  text: t("Text"),
  lists: t("Lists"),
  blocks: t("Blocks"),
  signs: t("Signs"),
} as const;

export interface Insert {
  readonly id: string;
  readonly label: string;
  readonly group: keyof typeof GROUPS;
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
    label: t("Text"),
    group: "text",
    icon: Pilcrow,
    words: t("paragraph normal plain body"),
    apply: (chain) => chain.setNode("paragraph", { look: null }),
  },
  {
    id: "title",
    label: t("Title"),
    group: "text",
    icon: Type,
    words: t("name headline big"),
    apply: (chain) => chain.setNode("paragraph", { look: "title" }),
  },
  {
    id: "subtitle",
    label: t("Subtitle"),
    group: "text",
    icon: TextInitial,
    words: t("lead tagline"),
    apply: (chain) => chain.setNode("paragraph", { look: "subtitle" }),
  },
  ...([Heading1, Heading2, Heading3, Heading4] as const).map(
    (icon, index): Insert => ({
      id: `heading-${index + 1}`,
      label: t("Heading {level}", { level: index + 1 }),
      group: "text",
      icon,
      words: `h${index + 1} ${t("section chapter")}`,
      typed: `${"#".repeat(index + 1)} `,
      apply: (chain) => chain.setNode("heading", { level: index + 1 }),
    }),
  ),
  {
    id: "bulletList",
    label: t("Bulleted list"),
    group: "lists",
    icon: List,
    words: t("ul unordered dots points"),
    typed: "- ",
    apply: (chain) => chain.toggleBulletList(),
  },
  {
    id: "orderedList",
    label: t("Numbered list"),
    group: "lists",
    icon: ListOrdered,
    words: t("ol ordered steps numbers"),
    typed: "1. ",
    apply: (chain) => chain.toggleOrderedList(),
  },
  {
    id: "taskList",
    label: t("Task list"),
    group: "lists",
    icon: ListTodo,
    words: t("todo to-do checklist checkbox tick"),
    typed: "[ ] ",
    apply: (chain) => chain.toggleTaskList(),
  },
  {
    id: "quote",
    label: t("Quote"),
    group: "blocks",
    icon: Quote,
    words: t("blockquote citation"),
    typed: "> ",
    apply: (chain) => chain.toggleBlockquote(),
  },
  callout("info", t("Note"), Info, t("callout info information aside box hint")),
  callout("tip", t("Tip"), Lightbulb, t("callout advice box hint idea")),
  callout("warning", t("Warning"), TriangleAlert, t("callout caution danger attention box")),
  {
    id: "collapsible",
    label: t("Collapsible section"),
    group: "blocks",
    icon: ListCollapse,
    words: t("details summary toggle fold accordion hide expand"),
    apply: (chain) => chain.setDetails(),
    afterwards: openCollapsible,
    isPossible: (editor) => editor.can().setDetails(),
  },
  {
    id: "codeBlock",
    label: t("Code block"),
    group: "blocks",
    icon: SquareCode,
    words: t("pre program source snippet"),
    typed: "```",
    apply: (chain) => chain.toggleCodeBlock(),
  },
  {
    id: "formula",
    label: t("Formula"),
    group: "blocks",
    icon: SquareSigma,
    words: t("mathematics math equation latex katex tex"),
    apply: (chain) => chain.insertFormula("blockMath"),
  },
  {
    id: "inlineFormula",
    label: t("Formula in the line"),
    group: "signs",
    icon: Sigma,
    words: t("mathematics math equation latex katex tex inline"),
    typed: "$$x$$",
    apply: (chain) => chain.insertFormula("inlineMath"),
  },
  {
    id: "table",
    label: t("Table"),
    group: "blocks",
    icon: Table,
    words: t("grid rows columns cells"),
    apply: (chain) => chain.insertTable({ rows: 3, cols: 3, withHeaderRow: true }),
    isPossible: (editor) => !editor.isActive("table"),
  },
  {
    id: "picture",
    label: t("Picture"),
    group: "blocks",
    icon: ImagePlus,
    words: t("image photo upload file figure"),
    apply: (chain) => chain,
    afterwards: choosePictures,
    isPossible: mayUpload,
  },
  {
    id: "rule",
    label: t("Horizontal line"),
    group: "blocks",
    icon: Minus,
    words: t("rule divider separator hr"),
    typed: "---",
    apply: (chain) => chain.setHorizontalRule(),
  },
  {
    id: "pageBreak",
    label: t("Page break"),
    group: "blocks",
    icon: ScissorsLineDashed,
    words: t("new page print paper"),
    apply: (chain) => chain.setPageBreak(),
    isPossible: ({ state }) => state.selection.$from.depth === 1,
  },
  {
    id: "date",
    label: t("Date…"),
    group: "signs",
    icon: CalendarDays,
    words: t("choose date day calendar"),
    typed: "@",
    apply: (chain) => chain,
    afterwards: askForDay,
  },
  {
    id: "emoji",
    label: t("Emoji"),
    group: "signs",
    icon: Smile,
    words: t("smiley emoticon symbol"),
    typed: ":",
    apply: (chain) => chain.insertContent(":"),
  },
];

function callout(kind: CalloutKind, label: string, icon: LucideIcon, words: string): Insert {
  return { id: kind, label, group: "blocks", icon, words, apply: (chain) => chain.setCallout(kind) };
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
  label: t("Insert"),
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
        ...(query === "" ? { group: GROUPS[insert.group] } : {}),
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
