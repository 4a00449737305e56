/** The help sheet of the keyboard. */

import { memo } from "react";
import { t } from "../i18n/t";
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
    title: t("Text"),
    entries: [
      ...marks,
      ...shifts,
      { label: t("Highlight"), shortcut: "Mod+Shift+H" },
      { label: t("Link"), shortcut: "Mod+K" },
      clearFormatting,
    ],
  },
  {
    title: t("Paragraphs"),
    entries: [
      ...paragraphStyles.filter(({ shortcut }) => shortcut),
      ...blocks,
      { label: t("Line break"), shortcut: "Shift+Enter" },
    ],
  },
  {
    title: t("Lists and blocks"),
    entries: [
      ...lists,
      { label: t("Tick a task"), shortcut: "Mod+Enter" },
      { label: t("Move up"), shortcut: "Alt+↑" },
      { label: t("Move down"), shortcut: "Alt+↓" },
      { label: t("Duplicate"), shortcut: "Mod+Shift+D" },
    ],
  },
  {
    title: t("Alignment"),
    entries: [...alignments, { label: t("Switch the writing direction"), shortcut: "Mod+Shift+X" }],
  },
  {
    title: t("Page"),
    entries: [
      ...history,
      { label: t("Find"), shortcut: "Mod+F" },
      { label: t("Find and replace"), shortcut: "Mod+H" },
      { label: t("Next hit"), shortcut: "F3" },
      { label: t("Comment on the selected words"), shortcut: "Mod+Alt+M" },
      { label: t("Next comment"), shortcut: "Mod+Alt+." },
      { label: t("Comment before"), shortcut: "Mod+Alt+," },
      { label: t("Suggest changes"), shortcut: "Mod+Alt+Shift+X" },
      { label: t("Edit again"), shortcut: "Mod+Alt+Shift+Z" },
      { label: t("Only read"), shortcut: "Mod+Alt+Shift+C" },
      { label: t("Next suggestion"), shortcut: "Mod+Alt+Shift+." },
      { label: t("Previous suggestion"), shortcut: "Mod+Alt+Shift+," },
      { label: t("This sheet"), shortcut: "Mod+/" },
      { label: t("Next cell of a table"), shortcut: "Tab" },
      { label: t("To the tools at the cursor, then to the toolbar"), shortcut: "Alt+F10" },
      { label: t("Out of the text"), shortcut: "Esc, Tab" },
    ],
  },
  {
    title: t("While typing"),
    entries: [
      { label: t("Insert anything"), typed: "/" },
      { label: t("People, documents, days"), typed: "@" },
      { label: t("Emoji"), typed: ":smile" },
      { label: t("Heading"), typed: "# " },
      { label: t("Bulleted list"), typed: "- " },
      { label: t("Numbered list"), typed: "1. 1) " },
      { label: t("Task list"), typed: "[ ] " },
      { label: t("Quote"), typed: "> " },
      { label: t("Code block"), typed: "``` " },
      { label: t("Formula"), typed: "$$x$$" },
      { label: t("Horizontal line"), typed: "---" },
      { label: t("Bold, italic"), typed: "**a** *b*" },
      { label: t("Code, strikethrough"), typed: "`a` ~~b~~" },
      { label: t("Highlight"), typed: "==a==" },
      { label: t("Link"), typed: "[a](b.org)" },
    ],
  },
];

export interface ShortcutsSheetProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
}

export const ShortcutsSheet = memo(function ShortcutsSheet(props: ShortcutsSheetProps) {
  return (
    <Dialog {...props} title={t("Keyboard shortcuts")} size="large">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: keys scroll it */}
      <div className="page-shortcuts" tabIndex={0}>
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
