/** The tools of what the cursor is at: each kind is loaded when the cursor gets to one for the first time. */

import { type Editor, isNodeSelection } from "@tiptap/core";
import { useEditorState } from "@tiptap/react";
import { lazy, memo, Suspense } from "react";

const PictureTools = lazy(async () => ({ default: (await import("./pictures/PictureTools")).PictureTools }));

export interface ObjectToolsProps {
  readonly editor: Editor;
  /** Says a sentence to the person. */
  readonly tell: (sentence: string) => void;
}

export const ObjectTools = memo(function ObjectTools({ editor, tell }: ObjectToolsProps) {
  const kind = useEditorState({ editor, selector: () => kindAt(editor) });
  return (
    <Suspense fallback={null}>{kind === "picture" && <PictureTools editor={editor} tell={tell} />}</Suspense>
  );
});

function kindAt({ state: { selection } }: Editor): "picture" | null {
  return isNodeSelection(selection) && selection.node.type.name === "image" ? "picture" : null;
}
