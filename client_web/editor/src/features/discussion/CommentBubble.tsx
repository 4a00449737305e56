/** The button over selected words of a text that one may comment on, and not change. */

import type { Editor } from "@tiptap/core";
import { MessageSquarePlus } from "lucide-react";
import { useCallback } from "react";
import { t } from "../../i18n/t";
import { Floating } from "../../page/Floating";
import { keys } from "../../page/keys";
import { useAtCursor } from "../../page/useAtCursor";
import { IconButton } from "../../ui/IconButton";

export interface CommentBubbleProps {
  readonly editor: Editor;
  readonly onComment: () => void;
}

export function CommentBubble({ editor, onComment }: CommentBubbleProps) {
  const isWanted = useAtCursor(editor, () => {
    const { selection, doc } = editor.state;
    return !selection.empty && doc.textBetween(selection.from, selection.to).trim() !== "";
  });
  const beside = useCallback(() => {
    if (editor.isDestroyed) return null;
    const { from, to } = editor.state.selection;
    const [start, end] = [editor.view.coordsAtPos(from), editor.view.coordsAtPos(to, -1)];
    return new DOMRect(start.left, start.top, 0, end.bottom - start.top);
  }, [editor]);
  if (!isWanted) return null;
  return (
    <Floating editor={editor} label={t("Selected words")} beside={beside} side="above">
      <div className="page-floating-tools">
        <IconButton
          icon={MessageSquarePlus}
          size="small"
          label={t("Comment on the selected words")}
          shortcut={keys("Mod+Alt+M")}
          onMouseDown={(event) => event.preventDefault()}
          onClick={onComment}
        />
      </div>
    </Floating>
  );
}
