/** The help sheet of the keyboard. */

import { memo } from "react";
import { Dialog } from "../ui/Dialog";
import { Keys } from "../ui/Keys";
import {
  alignments,
  blocks,
  clearFormatting,
  history,
  lists,
  marks,
  paragraphStyles,
  shifts,
} from "./commands";
import { keys } from "./keys";
import "./ShortcutsSheet.css";

interface Entry {
  readonly label: string;
  readonly shortcut?: string;
  /** Typed at the beginning of a line, or around words. */
  readonly typed?: string;
}

const GROUPS: readonly { readonly title: string; readonly entries: readonly Entry[] }[] = [
  {
    title: "Text",
    entries: [
      ...marks,
      ...shifts,
      { label: "Highlight", shortcut: "Mod+Shift+H" },
      { label: "Link", shortcut: "Mod+K" },
      clearFormatting,
    ],
  },
  {
    title: "Paragraphs",
    entries: [
      ...paragraphStyles.filter(({ shortcut }) => shortcut),
      ...blocks,
      { label: "Line break", shortcut: "Shift+Enter" },
    ],
  },
  {
    title: "Lists and blocks",
    entries: [
      ...lists,
      { label: "Tick a task", shortcut: "Mod+Enter" },
      { label: "Move up", shortcut: "Alt+↑" },
      { label: "Move down", shortcut: "Alt+↓" },
      { label: "Duplicate", shortcut: "Mod+Shift+D" },
    ],
  },
  {
    title: "Alignment",
    entries: [...alignments, { label: "Switch the writing direction", shortcut: "Mod+Shift+X" }],
  },
  {
    title: "Page",
    entries: [
      ...history,
      { label: "Find", shortcut: "Mod+F" },
      { label: "Find and replace", shortcut: "Mod+H" },
      { label: "Next hit", shortcut: "F3" },
      { label: "This sheet", shortcut: "Mod+/" },
      { label: "Next cell of a table", shortcut: "Tab" },
      { label: "To the tools at the cursor, then to the toolbar", shortcut: "Alt+F10" },
      { label: "Out of the text", shortcut: "Esc, Tab" },
    ],
  },
  {
    title: "While typing",
    entries: [
      { label: "Insert anything", typed: "/" },
      { label: "People, documents, days", typed: "@" },
      { label: "Emoji", typed: ":smile" },
      { label: "Heading", typed: "# " },
      { label: "Bulleted list", typed: "- " },
      { label: "Numbered list", typed: "1. 1) " },
      { label: "Task list", typed: "[ ] " },
      { label: "Quote", typed: "> " },
      { label: "Code block", typed: "``` " },
      { label: "Formula", typed: "$$x$$" },
      { label: "Horizontal line", typed: "---" },
      { label: "Bold, italic", typed: "**a** *b*" },
      { label: "Code, strikethrough", typed: "`a` ~~b~~" },
      { label: "Highlight", typed: "==a==" },
      { label: "Link", typed: "[a](b.org)" },
    ],
  },
];

export interface ShortcutsSheetProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
}

export const ShortcutsSheet = memo(function ShortcutsSheet(props: ShortcutsSheetProps) {
  return (
    <Dialog {...props} title="Keyboard shortcuts" size="large">
      <div className="page-shortcuts">
        {GROUPS.map(({ title, entries }) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {entries.map(({ label, shortcut, typed }) => (
                <div key={label}>
                  <dt>{label}</dt>
                  <dd>{shortcut ? <Keys shortcut={keys(shortcut)} /> : <code>{typed}</code>}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
});
