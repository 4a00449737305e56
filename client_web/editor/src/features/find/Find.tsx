/** The search of a document, whose code comes when it is opened. */

import type { Editor } from "@tiptap/core";
import { lazy, Suspense } from "react";
import { type FindSwitch, loadFindPanel } from "./useFind";

const FindPanel = lazy(async () => ({ default: (await loadFindPanel()).FindPanel }));

export interface FindProps {
  readonly editor: Editor;
  readonly find: FindSwitch;
}

export function Find({ editor, find }: FindProps) {
  return (
    find.open && (
      <div className="find-place">
        <Suspense>
          <FindPanel editor={editor} asked={find.open} onClose={find.close} />
        </Suspense>
      </div>
    )
  );
}
