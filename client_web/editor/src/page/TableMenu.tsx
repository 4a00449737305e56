/** The commands of a table, beside the table that the cursor is in. */

import type { Editor } from "@tiptap/core";
import { useEditorState } from "@tiptap/react";
import {
  BetweenHorizontalEnd,
  BetweenHorizontalStart,
  BetweenVerticalEnd,
  BetweenVerticalStart,
  type LucideIcon,
  PanelLeft,
  PanelTop,
  TableCellsMerge,
  TableCellsSplit,
  TableColumnsSplit,
  TableRowsSplit,
  Trash2,
} from "lucide-react";
import { Toolbar } from "radix-ui";
import { useCallback } from "react";
import { Floating } from "./Floating";
import { Tool } from "./toolbar/ToolButton";

type Chain = ReturnType<Editor["chain"]>;

interface TableCommand {
  readonly label: string;
  readonly icon: LucideIcon;
  readonly apply: (chain: Chain) => Chain;
  readonly isPossible?: (editor: Editor) => boolean;
}

const COMMANDS: readonly (readonly TableCommand[])[] = [
  [
    { label: "Row above", icon: BetweenHorizontalEnd, apply: (chain) => chain.addRowBefore() },
    { label: "Row below", icon: BetweenHorizontalStart, apply: (chain) => chain.addRowAfter() },
    { label: "Delete row", icon: TableRowsSplit, apply: (chain) => chain.deleteRow() },
  ],
  [
    { label: "Column before", icon: BetweenVerticalEnd, apply: (chain) => chain.addColumnBefore() },
    { label: "Column after", icon: BetweenVerticalStart, apply: (chain) => chain.addColumnAfter() },
    { label: "Delete column", icon: TableColumnsSplit, apply: (chain) => chain.deleteColumn() },
  ],
  [
    { label: "Header row", icon: PanelTop, apply: (chain) => chain.toggleHeaderRow() },
    { label: "Header column", icon: PanelLeft, apply: (chain) => chain.toggleHeaderColumn() },
    {
      label: "Merge cells",
      icon: TableCellsMerge,
      apply: (chain) => chain.mergeCells(),
      isPossible: (editor) => editor.can().mergeCells(),
    },
    {
      label: "Split cell",
      icon: TableCellsSplit,
      apply: (chain) => chain.splitCell(),
      isPossible: (editor) => editor.can().splitCell(),
    },
  ],
  [{ label: "Delete table", icon: Trash2, apply: (chain) => chain.deleteTable() }],
];

export function TableMenu({ editor }: { readonly editor: Editor }) {
  const isInTable = useEditorState({ editor, selector: () => editor.isEditable && editor.isActive("table") });
  const beside = useCallback(() => tableAt(editor)?.getBoundingClientRect() ?? null, [editor]);
  if (!isInTable) return null;
  return (
    <Floating editor={editor} label="Table" beside={beside} side="above">
      <Toolbar.Root className="page-floating-tools" aria-label="Table" loop>
        {COMMANDS.map((group) => (
          <div key={group[0]?.label} className="page-toolbar-group">
            {group.map((command) => (
              <TableButton key={command.label} editor={editor} command={command} />
            ))}
          </div>
        ))}
      </Toolbar.Root>
    </Floating>
  );
}

function TableButton({ editor, command }: { readonly editor: Editor; readonly command: TableCommand }) {
  const isPossible = useEditorState({ editor, selector: () => command.isPossible?.(editor) ?? true });
  return (
    <Tool
      icon={command.icon}
      iconSize={17}
      label={command.label}
      disabled={!isPossible}
      // A table that two people changed at once may lack a cell: it is mended before its shape changes again.
      onClick={() => command.apply(editor.chain().focus().fixTables()).run()}
    />
  );
}

function tableAt(editor: Editor): Element | null {
  if (editor.isDestroyed) return null;
  const { node } = editor.view.domAtPos(editor.state.selection.from);
  const element = node instanceof Element ? node : node.parentElement;
  return element?.closest("table") ?? null;
}
