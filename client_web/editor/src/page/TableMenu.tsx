/** The commands of a table, beside the table that the cursor is in. */

import type { Editor } from "@tiptap/core";
import {
  ArrowDownFromLine,
  ArrowLeftFromLine,
  ArrowRightFromLine,
  ArrowUpFromLine,
  ChevronDown,
  Columns3,
  type LucideIcon,
  PanelLeft,
  PanelTop,
  Rows3,
  TableCellsMerge,
  TableCellsSplit,
  Trash2,
} from "lucide-react";
import { Toolbar } from "radix-ui";
import { memo, useCallback } from "react";
import { Menu, MenuItem, MenuSeparator } from "../ui/Menu";
import { Floating } from "./Floating";
import { Tool } from "./toolbar/ToolButton";
import { useAtCursor } from "./useAtCursor";

type Chain = ReturnType<Editor["chain"]>;

interface TableCommand {
  readonly label: string;
  readonly icon: LucideIcon;
  readonly apply: (chain: Chain) => Chain;
  readonly isPossible?: (editor: Editor) => boolean;
}

interface CommandMenu {
  readonly label: string;
  readonly icon: LucideIcon;
  readonly commands: readonly TableCommand[];
  readonly remove: TableCommand;
}

const MENUS: readonly CommandMenu[] = [
  {
    label: "Row",
    icon: Rows3,
    commands: [
      { label: "Insert above", icon: ArrowUpFromLine, apply: (chain) => chain.addRowBefore() },
      { label: "Insert below", icon: ArrowDownFromLine, apply: (chain) => chain.addRowAfter() },
      { label: "Header row on or off", icon: PanelTop, apply: (chain) => chain.toggleHeaderRow() },
    ],
    remove: { label: "Delete row", icon: Trash2, apply: (chain) => chain.deleteRow() },
  },
  {
    label: "Column",
    icon: Columns3,
    commands: [
      { label: "Insert to the left", icon: ArrowLeftFromLine, apply: (chain) => chain.addColumnBefore() },
      { label: "Insert to the right", icon: ArrowRightFromLine, apply: (chain) => chain.addColumnAfter() },
      { label: "Header column on or off", icon: PanelLeft, apply: (chain) => chain.toggleHeaderColumn() },
    ],
    remove: { label: "Delete column", icon: Trash2, apply: (chain) => chain.deleteColumn() },
  },
];

const BUTTONS: readonly TableCommand[] = [
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
  { label: "Delete table", icon: Trash2, apply: (chain) => chain.deleteTable() },
];

export const TableMenu = memo(function TableMenu({ editor }: { readonly editor: Editor }) {
  const isInTable = useAtCursor(editor, () => editor.isEditable && editor.isActive("table"));
  const beside = useCallback(() => tableAt(editor)?.getBoundingClientRect() ?? null, [editor]);
  if (!isInTable) return null;
  return (
    <Floating editor={editor} label="Table" beside={beside} side="above">
      <Toolbar.Root className="page-floating-tools" aria-label="Table" loop>
        {MENUS.map((menu) => (
          <TableCommandMenu key={menu.label} editor={editor} menu={menu} />
        ))}
        <div className="page-toolbar-group">
          {BUTTONS.map((command) => (
            <TableButton key={command.label} editor={editor} command={command} />
          ))}
        </div>
      </Toolbar.Root>
    </Floating>
  );
});

function TableCommandMenu({ editor, menu }: { readonly editor: Editor; readonly menu: CommandMenu }) {
  const { label, icon: Icon, commands, remove } = menu;
  return (
    <Menu
      onCloseAutoFocus={(event) => {
        event.preventDefault();
        editor.commands.focus(undefined, { scrollIntoView: false });
      }}
      trigger={
        <Toolbar.Button className="page-table-menu" onMouseDown={(event) => event.preventDefault()}>
          <Icon aria-hidden="true" size={16} />
          {label}
          <ChevronDown aria-hidden="true" size={14} />
        </Toolbar.Button>
      }
    >
      {commands.map((command) => (
        <MenuItem key={command.label} icon={command.icon} onSelect={() => run(editor, command)}>
          {command.label}
        </MenuItem>
      ))}
      <MenuSeparator />
      <MenuItem icon={remove.icon} tone="danger" onSelect={() => run(editor, remove)}>
        {remove.label}
      </MenuItem>
    </Menu>
  );
}

function TableButton({ editor, command }: { readonly editor: Editor; readonly command: TableCommand }) {
  const isPossible = useAtCursor(editor, () => command.isPossible?.(editor) ?? true);
  return (
    <Tool
      icon={command.icon}
      iconSize={17}
      label={command.label}
      disabled={!isPossible}
      onClick={() => run(editor, command)}
    />
  );
}

/** A table that two people changed at once may lack a cell: it is mended before its shape changes again. */
function run(editor: Editor, { apply }: TableCommand): void {
  apply(editor.chain().focus().fixTables()).run();
}

function tableAt(editor: Editor): Element | null {
  if (editor.isDestroyed) return null;
  const { node } = editor.view.domAtPos(editor.state.selection.from);
  const element = node instanceof Element ? node : node.parentElement;
  return element?.closest("table") ?? null;
}
