/** Commands that change the shape of a table, which is mended before.
 *
 * When one person adds a row while another adds a column, a row of the merged table lacks a cell, and the stock commands go wrong there.
 * The column may be a proposal. Then an editor's command proposes the missing cell too, in the name of the column's author, and so it does
 * for the cell of a new row. Whoever suggests adds the cells of their own columns alone: what needs more is refused.
 */

import type { AnyExtension, RawCommands } from "@tiptap/core";
import type { Node } from "@tiptap/pm/model";
import { EditorState, type Transaction } from "@tiptap/pm/state";
import { fixTables } from "@tiptap/pm/tables";
import { decidedIn, type Suggester, type SuggestingOptions, suggestingKey } from "./suggesting";

const SHAPES = [
  "addRowBefore",
  "addRowAfter",
  "deleteRow",
  "addColumnBefore",
  "addColumnAfter",
  "deleteColumn",
] as const;

/** The extension of tables with commands that mend. */
export function mending(table: AnyExtension): AnyExtension {
  return table.extend({
    addCommands() {
      const stock: Partial<RawCommands> = this.parent?.() ?? {};
      const suggesterNow = (): Suggester | null => {
        const found = this.editor.extensionManager.extensions.find(({ name }) => name === "suggesting");
        return (found?.options as SuggestingOptions | undefined)?.suggester() ?? null;
      };
      const shapes = SHAPES.map((name) => [
        name,
        (): ReturnType<RawCommands[typeof name]> => (props) => {
          const { tr, dispatch } = props;
          const act = stock[name]?.();
          if (!act || !dispatch) return act?.(props) ?? false;
          if (!suggesterNow()) propose(tr);
          replay(tr, fixTables(alone(tr)));
          const isDone = act({ ...props, state: alone(tr), dispatch: (made) => replay(tr, made) });
          if (isDone && !suggesterNow()) propose(tr);
          return isDone;
        },
      ]);
      return {
        ...stock,
        ...Object.fromEntries(shapes),
        fixTables:
          () =>
          ({ tr, dispatch }) => {
            const suggester = suggesterNow();
            if (!dispatch) return true;
            propose(tr, suggester?.user);
            if (suggester) tr.setMeta(suggestingKey, "suggested");
            else replay(tr, fixTables(alone(tr)));
            return true;
          },
      };
    },
  });
}

/** What a transaction has made so far. The stock commands map their places through all steps of theirs, also those before them. */
function alone({ doc, selection }: Transaction): EditorState {
  return EditorState.create({ doc, selection });
}

function replay(tr: Transaction, made: Transaction | undefined): void {
  for (const step of made?.steps ?? []) tr.step(step);
}

/** Proposes the cells that are missing in proposed columns, and those that are empty and not proposed; for a user, only what is theirs. */
function propose(tr: Transaction, user?: string): void {
  const tables: { table: Node; at: number }[] = [];
  tr.doc.descendants((node, at) => {
    if (node.type.spec.tableRole === "table") tables.push({ table: node, at });
    return !node.inlineContent;
  });
  for (const { table, at } of tables.reverse()) {
    const proposed = decidedIn(table)?.proposedCells(table) ?? [];
    for (const { place, cell, suggestion } of proposed.reverse()) {
      if (user !== undefined && (cell || suggestion.user !== user)) continue;
      if (cell) tr.setNodeAttribute(at + 1 + place, "suggestion", suggestion);
      else tr.insert(at + 1 + place, table.type.schema.nodes.tableCell?.createAndFill({ suggestion }) ?? []);
    }
  }
}
