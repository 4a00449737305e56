/** Chooses how many rows and columns a new table gets: by pointing, or with the arrow keys. */

import type { Editor } from "@tiptap/core";
import { Table } from "lucide-react";
import { type KeyboardEvent, useRef, useState } from "react";
import { t } from "../../i18n/t";
import { classes } from "../../ui/classes";
import { Popover } from "../../ui/Popover";
import { backIntoText } from "../backIntoText";
import { useAtCursor } from "../useAtCursor";
import { Tool } from "./ToolButton";

const ROWS = 6;
const COLUMNS = 8;
const EVERY_CELL = Array.from({ length: ROWS * COLUMNS }, (_, index) => ({
  row: Math.floor(index / COLUMNS) + 1,
  column: (index % COLUMNS) + 1,
}));

interface Size {
  readonly row: number;
  readonly column: number;
}

export function TableTool({ editor }: { readonly editor: Editor }) {
  const [isOpen, setOpen] = useState(false);
  const isPossible = useAtCursor(editor, () => editor.isEditable && !editor.isActive("table"));
  const insert = ({ row, column }: Size) => {
    setOpen(false);
    editor.chain().focus().insertTable({ rows: row, cols: column, withHeaderRow: true }).run();
  };
  return (
    <Popover
      label={t("Size of the table")}
      open={isOpen}
      onOpenChange={setOpen}
      align="start"
      className="page-table-picker"
      {...backIntoText(editor)}
      trigger={<Tool icon={Table} label={t("Insert a table")} disabled={!isPossible} />}
    >
      <Grid onChoose={insert} />
    </Popover>
  );
}

function Grid({ onChoose }: { readonly onChoose: (size: Size) => void }) {
  const [size, setSize] = useState<Size>({ row: 1, column: 1 });
  const grid = useRef<HTMLDivElement>(null);
  const point = (to: Size) => {
    const bounded = { row: within(to.row, ROWS), column: within(to.column, COLUMNS) };
    setSize(bounded);
    const cells = grid.current?.querySelectorAll("button");
    cells?.[(bounded.row - 1) * COLUMNS + bounded.column - 1]?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    point({ row: size.row + step.row, column: size.column + step.column });
  };
  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the buttons in it */}
      <div ref={grid} className="page-table-grid" onKeyDown={onKeyDown}>
        {EVERY_CELL.map((cell) => {
          const isIn = cell.row <= size.row && cell.column <= size.column;
          const isCurrent = cell.row === size.row && cell.column === size.column;
          return (
            <button
              key={`${cell.row}-${cell.column}`}
              type="button"
              tabIndex={isCurrent ? 0 : -1}
              aria-label={t("{rows} by {columns}", { rows: cell.row, columns: cell.column })}
              className={classes("page-table-cell", isIn && "page-table-cell--in")}
              onPointerEnter={() => setSize(cell)}
              onClick={() => onChoose(cell)}
            />
          );
        })}
      </div>
      <p className="page-table-size" aria-live="polite">
        {size.row} × {size.column}
      </p>
    </>
  );
}

const STEPS: Readonly<Record<string, Size>> = {
  ArrowUp: { row: -1, column: 0 },
  ArrowDown: { row: 1, column: 0 },
  ArrowLeft: { row: 0, column: -1 },
  ArrowRight: { row: 0, column: 1 },
};

function within(value: number, most: number): number {
  return Math.min(Math.max(value, 1), most);
}
