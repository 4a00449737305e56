/** What the toolbar and the menus can do to the text: one table for buttons, shortcuts and the help sheet. */

import type { Look } from "@manyhands/schema";
import type { Editor } from "@tiptap/core";
import {
  AlignCenter,
  AlignJustify,
  AlignLeft,
  AlignRight,
  Bold,
  Code,
  IndentDecrease,
  IndentIncrease,
  Italic,
  List,
  ListOrdered,
  ListTodo,
  type LucideIcon,
  Minus,
  PilcrowLeft,
  PilcrowRight,
  Quote,
  Redo2,
  RemoveFormatting,
  SquareCode,
  Strikethrough,
  Subscript,
  Superscript,
  Underline,
  Undo2,
} from "lucide-react";
import type { Direction } from "../extensions/direction";
import { kindOfStep } from "../extensions/undo_steps";
import { hideStep, showStep } from "../features/undo/place";
import { REDO, UNDO } from "../features/undo/words";
import { t } from "../i18n/t";

export interface Command {
  readonly id: string;
  readonly label: string;
  /** What it would do at the moment, where that can be said. */
  readonly labelNow?: (editor: Editor) => string;
  /** Shows where it would act, while somebody points at its button. */
  readonly show?: (editor: Editor) => void;
  readonly hide?: () => void;
  readonly icon: LucideIcon;
  /** Keys as in "Mod+Shift+7"; the editor's extensions bind them. */
  readonly shortcut?: string;
  readonly run: (editor: Editor) => void;
  /** Present on what can be on or off. */
  readonly isOn?: (editor: Editor) => boolean;
  /** Absent where it is always possible. */
  readonly isPossible?: (editor: Editor) => boolean;
}

const chain = (editor: Editor) => editor.chain().focus();

export const history: readonly Command[] = [
  {
    id: "undo",
    label: UNDO.change,
    labelNow: ({ state }) => UNDO[kindOfStep(state, "undo") ?? "change"],
    show: (editor) => showStep(editor, "undo"),
    hide: hideStep,
    icon: Undo2,
    shortcut: "Mod+Z",
    run: (editor) => chain(editor).undo().run(),
    isPossible: (editor) => editor.can().undo(),
  },
  {
    id: "redo",
    label: REDO.change,
    labelNow: ({ state }) => REDO[kindOfStep(state, "redo") ?? "change"],
    show: (editor) => showStep(editor, "redo"),
    hide: hideStep,
    icon: Redo2,
    shortcut: "Mod+Y",
    run: (editor) => chain(editor).redo().run(),
    isPossible: (editor) => editor.can().redo(),
  },
];

export const marks: readonly Command[] = [
  mark("bold", t("Bold"), Bold, "Mod+B", (editor) => chain(editor).toggleBold().run()),
  mark("italic", t("Italic"), Italic, "Mod+I", (editor) => chain(editor).toggleItalic().run()),
  mark("underline", t("Underline"), Underline, "Mod+U", (editor) => chain(editor).toggleUnderline().run()),
  mark("strike", t("Strikethrough"), Strikethrough, "Mod+Shift+S", (editor) =>
    chain(editor).toggleStrike().run(),
  ),
  mark("code", t("Inline code"), Code, "Mod+E", (editor) => chain(editor).toggleCode().run()),
];

/** Above and below the line. */
export const shifts: readonly Command[] = [
  mark("superscript", t("Superscript"), Superscript, "Mod+.", (editor) =>
    chain(editor).toggleSuperscript().run(),
  ),
  mark("subscript", t("Subscript"), Subscript, "Mod+,", (editor) => chain(editor).toggleSubscript().run()),
];

export const alignments: readonly Command[] = [
  alignment("left", t("Align left"), AlignLeft, "Mod+Shift+L"),
  alignment("center", t("Align centre"), AlignCenter, "Mod+Shift+E"),
  alignment("right", t("Align right"), AlignRight, "Mod+Shift+R"),
  alignment("justify", t("Justify"), AlignJustify, "Mod+Shift+J"),
];

/** Pressed again, each leaves the direction to the words, as it was. */
export const directions: readonly Command[] = [
  direction("ltr", t("Write from left to right"), PilcrowRight),
  direction("rtl", t("Write from right to left"), PilcrowLeft),
];

export const lists: readonly Command[] = [
  block("bulletList", t("Bulleted list"), List, "Mod+Shift+8", (editor) =>
    chain(editor).toggleBulletList().run(),
  ),
  block("orderedList", t("Numbered list"), ListOrdered, "Mod+Shift+7", (editor) =>
    chain(editor).toggleOrderedList().run(),
  ),
  block("taskList", t("Task list"), ListTodo, "Mod+Shift+9", (editor) =>
    chain(editor).toggleTaskList().run(),
  ),
  {
    id: "outdent",
    label: t("Decrease indent"),
    icon: IndentDecrease,
    shortcut: "Shift+Tab",
    run: (editor) => chain(editor).outdent().run(),
    isPossible: (editor) => editor.can().outdent(),
  },
  {
    id: "indent",
    label: t("Increase indent"),
    icon: IndentIncrease,
    shortcut: "Tab",
    run: (editor) => chain(editor).indent().run(),
    isPossible: (editor) => editor.can().indent(),
  },
];

export const blocks: readonly Command[] = [
  block("blockquote", t("Quote"), Quote, "Mod+Shift+B", (editor) => chain(editor).toggleBlockquote().run()),
  block("codeBlock", t("Code block"), SquareCode, "Mod+Alt+C", (editor) =>
    chain(editor).toggleCodeBlock().run(),
  ),
];

export const rule: Command = {
  id: "rule",
  label: t("Horizontal line"),
  icon: Minus,
  run: (editor) => chain(editor).setHorizontalRule().run(),
};

const PLAIN = { look: null, indent: null, lineHeight: null };

export const clearFormatting: Command = {
  id: "clear",
  label: t("Clear formatting"),
  icon: RemoveFormatting,
  shortcut: "Mod+\\",
  run: (editor) => {
    const isLine = editor.isActive("heading") || editor.isActive("paragraph");
    const plain = chain(editor).unsetAllMarks().unsetTextAlign();
    (isLine ? plain.setNode("paragraph", PLAIN) : plain).run();
  },
};

export interface ParagraphStyle {
  readonly id: string;
  readonly label: string;
  readonly shortcut?: string;
  readonly run: (editor: Editor) => void;
  readonly isOn: (editor: Editor) => boolean;
}

/** Level 5 and 6 headings of other editors are kept and shown, but not offered. */
export const paragraphStyles: readonly ParagraphStyle[] = [
  {
    id: "normal",
    label: t("Normal text"),
    shortcut: "Mod+Alt+0",
    run: (editor) => chain(editor).setNode("paragraph", { look: null }).run(),
    isOn: (editor) => editor.isActive("paragraph", { look: null }),
  },
  look("title", t("Title")),
  look("subtitle", t("Subtitle")),
  ...([1, 2, 3, 4] as const).map((level) => ({
    id: `heading-${level}`,
    label: t("Heading {level}", { level }),
    shortcut: `Mod+Alt+${level}`,
    run: (editor: Editor) => chain(editor).setHeading({ level }).run(),
    isOn: (editor: Editor) => editor.isActive("heading", { level }),
  })),
];

function mark(
  id: string,
  label: string,
  icon: LucideIcon,
  shortcut: string,
  run: (editor: Editor) => void,
): Command {
  return {
    id,
    label,
    icon,
    shortcut,
    run,
    isOn: (editor) => editor.isActive(id),
    isPossible: (editor) => editor.can().toggleMark(id),
  };
}

function block(
  id: string,
  label: string,
  icon: LucideIcon,
  shortcut: string,
  run: (editor: Editor) => void,
): Command {
  return { id, label, icon, shortcut, run, isOn: (editor) => editor.isActive(id), isPossible: hasLine };
}

function look(id: Look, label: string): ParagraphStyle {
  return {
    id,
    label,
    run: (editor) => chain(editor).setNode("paragraph", { look: id }).run(),
    isOn: (editor) => editor.isActive("paragraph", { look: id }),
  };
}

function alignment(side: string, label: string, icon: LucideIcon, shortcut: string): Command {
  return {
    id: `align-${side}`,
    label,
    icon,
    shortcut,
    run: (editor) => chain(editor).setTextAlign(side).run(),
    isOn: (editor) => editor.isActive({ textAlign: side }),
    isPossible: (editor) => hasAligned(editor, side),
  };
}

function direction(side: Direction, label: string, icon: LucideIcon): Command {
  const isOn = (editor: Editor) => editor.isActive({ dir: side });
  return {
    id: `direction-${side}`,
    label,
    icon,
    run: (editor) =>
      chain(editor)
        .setDirection(isOn(editor) ? null : side)
        .run(),
    isOn,
    isPossible: hasLine,
  };
}

/** Whether words are at the selection: not a picture, a line or a page break alone. */
function hasLine({ state: { selection } }: Editor): boolean {
  return selection.$from.parent.isTextblock;
}

/** Whether lines or pictures are at the selection that can stand so; pictures have no text to justify. */
function hasAligned({ state: { selection, doc } }: Editor, side: string): boolean {
  const kinds = ["paragraph", "heading", ...(side === "justify" ? [] : ["image"])];
  let found = false;
  doc.nodesBetween(selection.from, selection.to, ({ type }) => {
    found ||= kinds.includes(type.name);
    return !found;
  });
  return found;
}
