/** A long press on a block, which opens its menu under the finger: a finger has no pointer that brings the handle.
 *
 * A press on a letter is left to the system, which selects the word. So the menu opens beside the words of a line, in its
 * margin, and on what has no letters. The tests prove that a press on a letter opens and prevents nothing, and that one beside
 * letters selects nothing. They cannot prove that the system selects the word: no browser that they steer does so.
 */

import type { Editor } from "@tiptap/core";
import { type RefObject, useEffect, useState } from "react";
import { enterBlock } from "../../extensions/blocks";
import { Menu } from "../../ui/Menu";
import { blockUnder } from "./BlockHandle";
import { BlockMenuItems } from "./BlockMenu";

export interface BlockPressProps {
  readonly editor: Editor;
  /** The positioned element that the text stands on. */
  readonly sheet: RefObject<HTMLElement | null>;
}

/** Shorter than the system's own long press, whose menu would come first. */
const LONG_PRESS_MS = 450;
/** A finger that moves farther scrolls. */
const STILL_PX = 10;

interface Place {
  readonly x: number;
  readonly y: number;
}

export function BlockPress({ editor, sheet }: BlockPressProps) {
  const [place, setPlace] = useState<Place | null>(null);
  useEffect(() => {
    const frame = sheet.current;
    if (!frame) return;
    const open = ({ x, y }: Place): boolean => {
      const block = isOnLetter(x, y) ? null : blockUnder(editor, x, y);
      if (!block) return false;
      enterBlock(editor, block);
      const origin = frame.getBoundingClientRect();
      setPlace({ x: x - origin.left, y: y - origin.top });
      return true;
    };
    return onLongPress(frame, open);
  }, [editor, sheet]);
  if (!place) return null;
  return (
    <Menu
      open
      onOpenChange={(isOpen) => !isOpen && setPlace(null)}
      // The keyboard of the screen would cover what the menu has changed.
      onCloseAutoFocus={(event) => event.preventDefault()}
      trigger={<span className="page-block-press" style={{ left: place.x, top: place.y }} />}
    >
      <BlockMenuItems editor={editor} />
    </Menu>
  );
}

/** Calls `open` when a finger rests; if that opens something, the press does nothing else. Returns the way to stop. */
function onLongPress(frame: HTMLElement, open: (place: Place) => boolean): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let began: Place | null = null;
  let isTaken = false;
  const end = () => {
    clearTimeout(timer);
    began = null;
  };
  const begin = ({ pointerType, isPrimary, clientX, clientY, target }: PointerEvent) => {
    end();
    isTaken = false;
    const isTool =
      target instanceof Element && target.closest("button, input, label, summary, a, [role=group]");
    if (pointerType !== "touch" || !isPrimary || isTool) return;
    const place = { x: clientX, y: clientY };
    began = place;
    timer = setTimeout(() => {
      isTaken = open(place);
    }, LONG_PRESS_MS);
  };
  const move = ({ clientX, clientY }: PointerEvent) => {
    if (began && Math.hypot(clientX - began.x, clientY - began.y) > STILL_PX) end();
  };
  // What the system does at the end of a press: its menu, the cursor, the keyboard.
  const keep = (event: Event) => {
    if (isTaken) event.preventDefault();
  };
  const listeners = { pointerdown: begin, pointermove: move, pointerup: end, pointercancel: end } as const;
  for (const [name, listener] of Object.entries(listeners))
    frame.addEventListener(name, listener as EventListener);
  frame.addEventListener("contextmenu", keep);
  frame.addEventListener("touchend", keep);
  return () => {
    end();
    for (const [name, listener] of Object.entries(listeners))
      frame.removeEventListener(name, listener as EventListener);
    frame.removeEventListener("contextmenu", keep);
    frame.removeEventListener("touchend", keep);
  };
}

function isOnLetter(x: number, y: number): boolean {
  const caret = document.caretPositionFromPoint?.(x, y);
  const old = caret ? null : document.caretRangeFromPoint?.(x, y);
  const node = caret?.offsetNode ?? old?.startContainer;
  const offset = caret?.offset ?? old?.startOffset ?? 0;
  if (!(node instanceof Text)) return false;
  const around = document.createRange();
  around.setStart(node, Math.max(0, offset - 1));
  around.setEnd(node, Math.min(node.length, offset + 1));
  return [...around.getClientRects()].some(
    ({ left, right, top, bottom }) => x >= left && x <= right && y >= top && y <= bottom,
  );
}
