/** The tools of the table that the cursor is in: handles of its row and column on the table's edges, and a menu of the whole. */

import { type Command, type Editor, findParentNode } from "@tiptap/core";
import { selectedRect } from "@tiptap/pm/tables";
import {
  ArrowDown,
  ArrowDownAZ,
  ArrowDownFromLine,
  ArrowDownZA,
  ArrowLeft,
  ArrowLeftFromLine,
  ArrowRight,
  ArrowRightFromLine,
  ArrowUp,
  ArrowUpFromLine,
  Ellipsis,
  GripHorizontal,
  GripVertical,
  type LucideIcon,
  PaintBucket,
  TableCellsMerge,
  TableCellsSplit,
  TextSelect,
  Trash2,
} from "lucide-react";
import { Toolbar } from "radix-ui";
import { memo, type ReactNode, useCallback, useState } from "react";
import { t } from "../../i18n/t";
import { Framing } from "../../page/Floating";
import { MARKER } from "../../page/toolbar/ColorTool";
import { useAtCursor } from "../../page/useAtCursor";
import { Menu, MenuCheckItem, MenuChoice, MenuItem, MenuSeparator, SubMenu } from "../../ui/Menu";
import { headersIn, move, paint, selectAll, sort, switchHeader } from "./table_commands";
import "./tables.css";

type Chain = ReturnType<Editor["chain"]>;
type Part = "cells" | "row" | "column";

interface TableCommand {
  readonly label: string;
  readonly icon: LucideIcon;
  readonly apply: (chain: Chain) => Chain;
}

const step = (label: string, icon: LucideIcon, command: Command): TableCommand => ({
  label,
  icon,
  apply: (chain) => chain.command(command),
});

const ROW: readonly (readonly TableCommand[])[] = [
  [step(t("Select"), TextSelect, selectAll("row"))],
  [
    { label: t("Insert above"), icon: ArrowUpFromLine, apply: (chain) => chain.addRowBefore() },
    { label: t("Insert below"), icon: ArrowDownFromLine, apply: (chain) => chain.addRowAfter() },
  ],
  [step(t("Move up"), ArrowUp, move("up")), step(t("Move down"), ArrowDown, move("down"))],
];

const COLUMN: readonly (readonly TableCommand[])[] = [
  [step(t("Select"), TextSelect, selectAll("column"))],
  [
    { label: t("Insert to the left"), icon: ArrowLeftFromLine, apply: (chain) => chain.addColumnBefore() },
    { label: t("Insert to the right"), icon: ArrowRightFromLine, apply: (chain) => chain.addColumnAfter() },
  ],
  [step(t("Move left"), ArrowLeft, move("left")), step(t("Move right"), ArrowRight, move("right"))],
  [step(t("Sort A to Z"), ArrowDownAZ, sort(false)), step(t("Sort Z to A"), ArrowDownZA, sort(true))],
];

const CELLS: readonly (readonly TableCommand[])[] = [
  [
    { label: t("Merge cells"), icon: TableCellsMerge, apply: (chain) => chain.mergeCells() },
    { label: t("Split cell"), icon: TableCellsSplit, apply: (chain) => chain.splitCell() },
  ],
];

const DELETE_ROW: TableCommand = {
  label: t("Delete row"),
  icon: Trash2,
  apply: (chain) => chain.deleteRow(),
};
const DELETE_COLUMN: TableCommand = {
  label: t("Delete column"),
  icon: Trash2,
  apply: (chain) => chain.deleteColumn(),
};
const DELETE_TABLE: TableCommand = {
  label: t("Delete table"),
  icon: Trash2,
  apply: (chain) => chain.deleteTable(),
};

export const TableTools = memo(function TableTools({ editor }: { readonly editor: Editor }) {
  const [shade, setShade] = useState<"row" | "column" | null>(null);
  const over = useCallback(() => wrapperIn(editor), [editor]);
  const onPlace = useCallback((frame: HTMLElement) => placeHandles(editor, frame), [editor]);
  const shading = (part: "row" | "column") => (isOpen: boolean) => setShade(isOpen ? part : null);
  return (
    <Framing editor={editor} label={t("Table")} over={over} onPlace={onPlace}>
      {shade && <div className={`page-table-shade page-table-shade--${shade}`} />}
      <Toolbar.Root
        className="page-table-tools page-object-tools"
        aria-label={t("Table")}
        loop
        onKeyDown={({ key, defaultPrevented }) => {
          if (key === "Escape" && !defaultPrevented) backToText(editor);
        }}
      >
        <HandleMenu editor={editor} part="row" icon={GripVertical} onOpenChange={shading("row")}>
          <Commands editor={editor} groups={ROW} />
          <Colours editor={editor} part="row" />
          <MenuSeparator />
          <Item editor={editor} command={DELETE_ROW} isDanger />
        </HandleMenu>
        <HandleMenu editor={editor} part="column" icon={GripHorizontal} onOpenChange={shading("column")}>
          <Commands editor={editor} groups={COLUMN} />
          <Colours editor={editor} part="column" />
          <MenuSeparator />
          <Item editor={editor} command={DELETE_COLUMN} isDanger />
        </HandleMenu>
        <HandleMenu editor={editor} part="table" icon={Ellipsis}>
          <HeaderItems editor={editor} />
          <MenuSeparator />
          <Commands editor={editor} groups={CELLS} />
          <Colours editor={editor} part="cells" />
          <MenuSeparator />
          <Item editor={editor} command={DELETE_TABLE} isDanger />
        </HandleMenu>
      </Toolbar.Root>
    </Framing>
  );
});

const PARTS = { row: t("Row"), column: t("Column"), table: t("Table") } as const;

interface HandleMenuProps {
  readonly editor: Editor;
  readonly part: keyof typeof PARTS;
  readonly icon: LucideIcon;
  readonly onOpenChange?: (isOpen: boolean) => void;
  readonly children: ReactNode;
}

function HandleMenu({ editor, part, icon: Icon, onOpenChange, children }: HandleMenuProps) {
  return (
    <Menu
      className="page-table-menu"
      {...(onOpenChange ? { onOpenChange } : {})}
      onCloseAutoFocus={(event) => {
        event.preventDefault();
        backToText(editor);
      }}
      trigger={
        <Toolbar.Button
          className={`page-table-handle page-table-handle--${part}`}
          aria-label={PARTS[part]}
          title={PARTS[part]}
          onMouseDown={(event) => event.preventDefault()}
        >
          <Icon aria-hidden="true" size={14} />
        </Toolbar.Button>
      }
    >
      {children}
    </Menu>
  );
}

interface CommandsProps {
  readonly editor: Editor;
  readonly groups: readonly (readonly TableCommand[])[];
}

function Commands({ editor, groups }: CommandsProps) {
  return groups.map((commands) => (
    <div key={commands[0]?.label}>
      {commands.map((command) => (
        <Item key={command.label} editor={editor} command={command} />
      ))}
      <MenuSeparator />
    </div>
  ));
}

interface ItemProps {
  readonly editor: Editor;
  readonly command: TableCommand;
  readonly isDanger?: boolean;
}

function Item({ editor, command, isDanger = false }: ItemProps) {
  const { label, icon, apply } = command;
  return (
    <MenuItem
      icon={icon}
      disabled={!apply(editor.can().chain()).run()}
      {...(isDanger ? { tone: "danger" } : {})}
      onSelect={() => run(editor, apply)}
    >
      {label}
    </MenuItem>
  );
}

function HeaderItems({ editor }: { readonly editor: Editor }) {
  const { row, column } = headersIn(editor.state);
  const change = (part: "row" | "column") => () => run(editor, (chain) => chain.command(switchHeader(part)));
  return (
    <>
      <MenuCheckItem checked={row} onCheckedChange={change("row")}>
        {t("Header row")}
      </MenuCheckItem>
      <MenuCheckItem checked={column} onCheckedChange={change("column")}>
        {t("Header column")}
      </MenuCheckItem>
    </>
  );
}

function Colours({ editor, part }: { readonly editor: Editor; readonly part: Part }) {
  const background: unknown = useAtCursor(editor, () => backgroundIn(editor));
  const options = [
    { value: "", label: <Swatch name={t("None")} color="transparent" /> },
    ...MARKER.swatches.map(({ name, color }) => ({
      value: color,
      label: <Swatch name={name} color={color} />,
    })),
  ];
  return (
    <SubMenu label={t("Colour")} icon={PaintBucket}>
      <MenuChoice
        label={t("Colour")}
        value={typeof background === "string" ? background : ""}
        options={options}
        onChange={(color) => run(editor, (chain) => chain.command(paint(part, color || null)))}
      />
    </SubMenu>
  );
}

function Swatch({ name, color }: { readonly name: string; readonly color: string }) {
  return (
    <span className="page-table-swatch">
      <span aria-hidden="true" style={{ backgroundColor: color }} />
      {name}
    </span>
  );
}

/** A table that two people changed at once may lack a cell: it is mended before its shape changes again. */
function run(editor: Editor, apply: TableCommand["apply"]): void {
  editor.commands.fixTables();
  apply(editor.chain().focus(undefined, { scrollIntoView: false })).run();
}

function backToText(editor: Editor): void {
  editor.commands.focus(undefined, { scrollIntoView: false });
}

function backgroundIn({ state }: Editor): unknown {
  const cell = findParentNode(({ type }) => /cell$/.test(String(type.spec.tableRole)))(state.selection);
  return cell?.node.attrs.background ?? null;
}

function tableAt(editor: Editor) {
  if (editor.isDestroyed) return null;
  return findParentNode(({ type }) => type.spec.tableRole === "table")(editor.state.selection) ?? null;
}

function wrapperIn(editor: Editor): Element | null {
  const table = tableAt(editor);
  const dom = table && editor.view.nodeDOM(table.pos);
  return dom instanceof Element ? dom : null;
}

/** Tells the style sheet where the rows and columns of the selection are in the frame. */
function placeHandles(editor: Editor, frame: HTMLElement): void {
  if (!tableAt(editor)) return;
  const { map, tableStart, left, right, top, bottom } = selectedRect(editor.state);
  const rectAt = (row: number, column: number) => {
    const at = map.map[row * map.width + column];
    const dom = at === undefined ? null : editor.view.nodeDOM(tableStart + at);
    return dom instanceof Element ? dom.getBoundingClientRect() : null;
  };
  const [first, last] = [rectAt(top, left), rectAt(bottom - 1, right - 1)];
  if (!first || !last) return;
  const around = frame.getBoundingClientRect();
  const from = Math.max(first.left - around.left, 0);
  const to = Math.min(last.right - around.left, around.width);
  frame.style.setProperty("--row-top", `${first.top - around.top}px`);
  frame.style.setProperty("--row-height", `${last.bottom - first.top}px`);
  frame.style.setProperty("--column-left", `${from}px`);
  frame.style.setProperty("--column-width", `${Math.max(to - from, 0)}px`);
}
