/** Links: the card of the link at the cursor or under the pointer, and the form that makes or changes one. */

import { type Editor, getMarkRange } from "@tiptap/core";
import { lazy, Suspense, useCallback, useEffect, useState } from "react";
import { holdSelection } from "../features/links/held_selection";
import { t } from "../i18n/t";
import { Floating } from "./Floating";
import { useAtCursor } from "./useAtCursor";

const LinkCard = lazy(async () => ({ default: (await import("../features/links/LinkCard")).LinkCard }));
const LinkForm = lazy(async () => ({ default: (await import("../features/links/LinkForm")).LinkForm }));

export interface LinkMenuProps {
  readonly editor: Editor;
  readonly documentId: string;
  readonly isEditing: boolean;
  readonly onEditingChange: (isEditing: boolean) => void;
  readonly onCopy: (address: string) => void;
}

/** Milliseconds until a card comes under a resting pointer, and until it goes when the pointer has left. */
const RESTING = 300;
const LEAVING = 400;

export function LinkMenu({ editor, documentId, isEditing, onEditingChange, onCopy }: LinkMenuProps) {
  const atCursor = useAtCursor(editor, () => hrefAt(editor));
  const { pointed, stay } = usePointedLink(editor, !isEditing);
  const beside = useCallback(
    () => pointed?.getBoundingClientRect() ?? selectionRect(editor),
    [editor, pointed],
  );
  useEffect(() => {
    if (!isEditing) return;
    holdSelection(editor, true);
    return () => holdSelection(editor, false);
  }, [editor, isEditing]);
  const href = (isEditing ? null : pointed?.getAttribute("href")) ?? atCursor;
  if (!isEditing && !pointed && (!href || !editor.isFocused)) return null;
  const done = () => {
    onEditingChange(false);
    editor.commands.focus();
  };
  /** Puts the cursor into the link under the pointer, if the card is that one's. */
  const here = () => {
    const chain = editor.chain().focus(undefined, { scrollIntoView: false });
    return pointed ? chain.setTextSelection(editor.view.posAtDOM(pointed, 0) + 1) : chain;
  };
  return (
    <Floating editor={editor} label={t("Link")} beside={beside} side="below" {...stay}>
      <Suspense fallback={null}>
        {isEditing ? (
          <LinkForm editor={editor} documentId={documentId} href={href ?? ""} onDone={done} />
        ) : (
          <LinkCard
            editor={editor}
            href={href ?? ""}
            onCopy={onCopy}
            onEdit={() => {
              here().extendMarkRange("link").run();
              onEditingChange(true);
            }}
            onRemove={() => here().extendMarkRange("link").unsetLink().run()}
          />
        )}
      </Suspense>
    </Floating>
  );
}

/** The link that the pointer rests on, until it has left both the link and the card. */
function usePointedLink(editor: Editor, isWanted: boolean) {
  const [pointed, setPointed] = useState<HTMLAnchorElement | null>(null);
  const [timers] = useState(() => ({ timer: 0 }));
  const soon = useCallback(
    (link: HTMLAnchorElement | null) => {
      clearTimeout(timers.timer);
      timers.timer = window.setTimeout(() => setPointed(link), link ? RESTING : LEAVING);
    },
    [timers],
  );
  useEffect(() => {
    const { dom } = editor.view;
    const linkAt = (target: EventTarget | null) => (target instanceof Element ? target.closest("a") : null);
    const over = ({ target, pointerType }: PointerEvent) => {
      const link = pointerType === "mouse" ? linkAt(target) : null;
      if (link) soon(link);
    };
    const out = ({ target }: PointerEvent) => {
      if (linkAt(target)) soon(null);
    };
    dom.addEventListener("pointerover", over);
    dom.addEventListener("pointerout", out);
    return () => {
      clearTimeout(timers.timer);
      dom.removeEventListener("pointerover", over);
      dom.removeEventListener("pointerout", out);
    };
  }, [editor, soon, timers]);
  const isThere = isWanted && pointed?.isConnected;
  return {
    pointed: isThere ? pointed : null,
    stay: { onPointerEnter: () => pointed && soon(pointed), onPointerLeave: () => soon(null) },
  };
}

/** Returns where the link that the cursor is in leads, or null. */
function hrefAt({ state }: Editor): string | null {
  const { link } = state.schema.marks;
  const { $from, empty } = state.selection;
  if (
    !link ||
    !(empty ? getMarkRange($from, link) : state.doc.rangeHasMark($from.pos, state.selection.to, link))
  ) {
    return null;
  }
  const marks = [...($from.nodeAfter?.marks ?? []), ...$from.marks()];
  const href: unknown = marks.find(({ type }) => type === link)?.attrs.href;
  return typeof href === "string" ? href : null;
}

function selectionRect({ view, state, isDestroyed }: Editor): DOMRect | null {
  if (isDestroyed) return null;
  const start = view.coordsAtPos(state.selection.from);
  const end = view.coordsAtPos(state.selection.to, -1);
  const left = start.top === end.top ? start.left : Math.min(start.left, end.left);
  return new DOMRect(left, start.top, Math.max(0, end.left - left), end.bottom - start.top);
}
