/** Tables that are mended when a person changes their shape, never by themselves. */

import type { Attribute } from "@tiptap/core";
import {
  type TableOptions,
  TableCell as TiptapCell,
  TableHeader as TiptapHeader,
  Table as TiptapTable,
} from "@tiptap/extension-table";
import { NodeSelection, type Plugin, type Selection } from "@tiptap/pm/state";
import { TableMap, tableEditingKey } from "@tiptap/pm/tables";
import { isAllowedColor } from "./allowed.js";

/**
 * When one person adds a row while another adds a column, the merged table lacks a cell. The stock extension mends it on
 * every screen at once, which adds the cell twice, makes the other rows too short, and so on without end. Here the page mends
 * a table before a command that changes its shape (editor/src/extensions/table_shapes.ts); until then the row is shown as it is.
 */
export const Table = TiptapTable.extend<TableOptions>({
  addProseMirrorPlugins() {
    return (this.parent?.() ?? []).map((plugin) =>
      plugin.spec.key === tableEditingKey ? withoutMending(plugin) : plugin,
    );
  },
});

/** A colour behind a cell: `--ink` lets the style sheet adapt it to dark paper. */
const background: Attribute = {
  default: null,
  parseHTML: ({ dataset }) => (isAllowedColor(dataset.background) ? dataset.background : null),
  renderHTML: ({ background: color }) =>
    isAllowedColor(color)
      ? { "data-background": color, style: `background-color: ${color}; --ink: ${color}` }
      : {},
};

export const TableCell = TiptapCell.extend({
  addAttributes() {
    return { ...this.parent?.(), background };
  },
});

export const TableHeader = TiptapHeader.extend({
  addAttributes() {
    return { ...this.parent?.(), background };
  },
});

function withoutMending(plugin: Plugin): Plugin {
  const append = plugin.spec.appendTransaction;
  if (append) {
    // With equal states there is nothing to mend; what remains is to keep the selection of cells in order.
    plugin.spec.appendTransaction = (transactions, _before, after) =>
      isOfCells(after.selection) ? append.call(plugin, transactions, after, after) : undefined;
  }
  return plugin;
}

/** Whether cells can be selected in the place of a table or a row: not while a row of the table is too short. */
function isOfCells(selection: Selection): boolean {
  if (!(selection instanceof NodeSelection)) return true;
  const { node, $from } = selection;
  const role: unknown = node.type.spec.tableRole;
  if (role !== "table" && role !== "row") return true;
  const { map } = TableMap.get(role === "table" ? node : $from.parent);
  return map.length > 0 && map.every((cell) => cell > 0);
}
