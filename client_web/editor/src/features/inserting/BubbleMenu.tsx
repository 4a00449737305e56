/** The bubble over selected words: their marks, a link, and what their line is.
 *
 * On a phone the toolbar lies under the thumb, and the system has a bubble of its own: there is none of ours.
 */

import { type Editor, isNodeSelection } from "@tiptap/core";
import { ChevronDown, Link, MessageSquarePlus } from "lucide-react";
import { Toolbar } from "radix-ui";
import { memo, useCallback, useEffect, useState } from "react";
import { t } from "../../i18n/t";
import { backIntoText } from "../../page/backIntoText";
import { marks } from "../../page/commands";
import { Floating } from "../../page/Floating";
import { keys } from "../../page/keys";
import { Tool, ToolButton } from "../../page/toolbar/ToolButton";
import { useAtCursor } from "../../page/useAtCursor";
import { useNarrow } from "../../page/useNarrow";
import { Menu } from "../../ui/Menu";
import { KindItems } from "./BlockMenu";

export interface BubbleMenuProps {
  readonly editor: Editor;
  readonly onEditLink: () => void;
  readonly onComment: () => void;
}

export const BubbleMenu = memo(function BubbleMenu({ editor, onEditLink, onComment }: BubbleMenuProps) {
  const isNarrow = useNarrow();
  const isPressed = usePressed(editor);
  const isElsewhere = useFocusElsewhere(editor);
  const isWanted = useAtCursor(editor, () => hasWords(editor));
  const beside = useCallback(() => selectedRect(editor), [editor]);
  if (!isWanted || isPressed || isElsewhere || isNarrow) return null;
  return (
    <Floating editor={editor} label={t("Selected words")} beside={beside} side="above">
      <Toolbar.Root className="page-floating-tools" aria-label={t("Selected words")} loop>
        <Menu
          {...backIntoText(editor)}
          trigger={
            <Toolbar.Button className="page-floating-menu" onMouseDown={(event) => event.preventDefault()}>
              {t("Turn into")}
              <ChevronDown aria-hidden="true" size={14} />
            </Toolbar.Button>
          }
        >
          <KindItems editor={editor} />
        </Menu>
        {marks.map((command) => (
          <ToolButton key={command.id} editor={editor} command={command} />
        ))}
        <Tool icon={Link} label={t("Link")} shortcut={keys("Mod+K")} onClick={onEditLink} />
        <Tool
          icon={MessageSquarePlus}
          label={t("Comment on the selected words")}
          shortcut={keys("Mod+Alt+M")}
          onClick={onComment}
        />
      </Toolbar.Root>
    </Floating>
  );
});

/** Whether words are selected that can have marks: not code, nor whole pictures or cells. */
function hasWords(editor: Editor): boolean {
  const { selection, doc } = editor.state;
  const { empty, from, to, $from, ranges } = selection;
  if (empty || !editor.isEditable || isNodeSelection(selection) || ranges.length > 1) return false;
  return !$from.parent.type.spec.code && doc.textBetween(from, to).trim() !== "";
}

/** Whether the focus is neither in the text nor in a panel or a menu of it. */
function useFocusElsewhere(editor: Editor): boolean {
  const [isElsewhere, setElsewhere] = useState(!editor.isFocused);
  useEffect(() => {
    const look = ({ target }: FocusEvent) => {
      // The next editor takes the focus while this one still hears of it.
      if (!(target instanceof Element) || editor.isDestroyed) return;
      const isNear = editor.view.dom.contains(target) || target.closest(".page-floating, .ui-menu") !== null;
      setElsewhere(!isNear);
    };
    document.addEventListener("focusin", look);
    return () => document.removeEventListener("focusin", look);
  }, [editor]);
  return isElsewhere;
}

/** While the mouse selects, the bubble would come and go under it. */
function usePressed(editor: Editor): boolean {
  const [isPressed, setPressed] = useState(false);
  useEffect(() => {
    const { dom } = editor.view;
    const press = ({ button }: PointerEvent) => setPressed(button === 0);
    const release = () => setPressed(false);
    dom.addEventListener("pointerdown", press);
    window.addEventListener("pointerup", release);
    window.addEventListener("pointercancel", release);
    return () => {
      dom.removeEventListener("pointerdown", press);
      window.removeEventListener("pointerup", release);
      window.removeEventListener("pointercancel", release);
    };
  }, [editor]);
  return isPressed;
}

/** The lines of the selection, as wide as its first one. */
function selectedRect({ view, state, isDestroyed }: Editor): DOMRect | null {
  if (isDestroyed) return null;
  const start = view.coordsAtPos(state.selection.from);
  const end = view.coordsAtPos(state.selection.to, -1);
  const left = start.top === end.top ? Math.min(start.left, end.left) : view.dom.getBoundingClientRect().left;
  return new DOMRect(left, start.top, 0, end.bottom - start.top);
}
