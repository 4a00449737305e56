/** The tools of what the cursor is at: each kind is loaded when the cursor gets to one for the first time. */

import { type Editor, isNodeSelection } from "@tiptap/core";
import { lazy, memo, Suspense } from "react";
import { useAtCursor } from "../page/useAtCursor";
import { isFormulaOpen } from "./formulas/formulas";
import { isDayAsked } from "./inserting/day_asking";

const PictureTools = lazy(async () => ({ default: (await import("./pictures/PictureTools")).PictureTools }));
const TableTools = lazy(async () => ({ default: (await import("./tables/TableTools")).TableTools }));
const FormulaForm = lazy(async () => ({ default: (await import("./formulas/FormulaForm")).FormulaForm }));
const DayForm = lazy(async () => ({ default: (await import("./inserting/DayForm")).DayForm }));
const CodeTools = lazy(async () => ({ default: (await import("./code/CodeTools")).CodeTools }));

export interface ObjectToolsProps {
  readonly editor: Editor;
  /** Says a sentence to the person. */
  readonly tell: (sentence: string) => void;
  /** Begins a comment on what is selected; null for people who may not. */
  readonly onComment: (() => void) | null;
}

export const ObjectTools = memo(function ObjectTools({ editor, tell, onComment }: ObjectToolsProps) {
  const kind = useAtCursor(editor, () => kindAt(editor));
  return (
    <Suspense fallback={null}>
      {kind === "picture" && <PictureTools editor={editor} tell={tell} onComment={onComment} />}
      {kind === "formula" && <FormulaForm editor={editor} />}
      {kind === "day" && <DayForm editor={editor} />}
      {kind === "code" && <CodeTools editor={editor} tell={tell} />}
      {kind === "table" && <TableTools editor={editor} />}
    </Suspense>
  );
});

function kindAt(editor: Editor): "picture" | "formula" | "table" | "code" | "day" | null {
  const { selection } = editor.state;
  if (isNodeSelection(selection) && selection.node.type.name === "image") return "picture";
  if (editor.isEditable && isFormulaOpen(editor)) return "formula";
  if (editor.isEditable && isDayAsked(editor)) return "day";
  if (selection.$from.parent.type.name === "codeBlock") return "code";
  return editor.isEditable && editor.isActive("table") ? "table" : null;
}
