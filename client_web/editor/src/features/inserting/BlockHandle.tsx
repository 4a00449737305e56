/** The handle beside the block under the pointer: “+” begins a line below, the grip drags the block and opens its menu.
 *
 * It is for the mouse alone and stands in the margin. Keys have Alt+↑ and Alt+↓, and a finger a long press (BlockPress.tsx).
 */

import type { Editor } from "@tiptap/core";
import { GripVertical, Plus } from "lucide-react";
import { type DragEvent, type RefObject, useEffect, useRef, useState } from "react";
import { type Block, blockAt, enterBlock, selectBlock } from "../../extensions/blocks";
import { t } from "../../i18n/t";
import { backIntoText } from "../../page/backIntoText";
import { Menu } from "../../ui/Menu";
import { BlockMenuItems } from "./BlockMenu";

export interface BlockHandleProps {
  readonly editor: Editor;
  /** The positioned element that the text stands on. */
  readonly sheet: RefObject<HTMLElement | null>;
}

/** How far beside the text the pointer may be. */
const REACH_PX = 88;

interface Shown extends Block {
  /** In the sheet. */
  readonly top: number;
  readonly left: number;
}

export function BlockHandle({ editor, sheet }: BlockHandleProps) {
  const [shown, setShown] = useState<Shown | null>(null);
  const [isOpen, setOpen] = useState(false);
  const [isDragged, setDragged] = useState(false);
  /** The menu is open for this block, or the block is dragged, whatever the pointer does. */
  const isHeld = useRef(false);
  isHeld.current = isOpen || isDragged;
  useEffect(() => {
    const frame = sheet.current;
    if (!frame) return;
    const hide = () => {
      if (!isHeld.current) setShown(null);
    };
    const point = ({ pointerType, clientX, clientY, target }: PointerEvent) => {
      if (isHeld.current || pointerType !== "mouse") return;
      if (target instanceof Element && target.closest(".page-block-handle")) return;
      const found = blockBeside(editor, frame, clientX, clientY);
      setShown((before) => (isSame(before, found) ? before : found));
    };
    // What is written moves blocks: the next movement of the pointer finds the one that is there.
    const onTransaction = ({ transaction }: { readonly transaction: { readonly docChanged: boolean } }) => {
      if (transaction.docChanged) hide();
    };
    frame.addEventListener("pointermove", point);
    frame.addEventListener("pointerleave", hide);
    editor.on("transaction", onTransaction);
    return () => {
      frame.removeEventListener("pointermove", point);
      frame.removeEventListener("pointerleave", hide);
      editor.off("transaction", onTransaction);
    };
  }, [editor, sheet]);
  if (!shown) return null;
  const open = (wanted: boolean) => {
    if (wanted) enterBlock(editor, shown);
    setOpen(wanted);
    if (!wanted) setShown(null);
  };
  return (
    <div className="page-block-handle" style={{ top: shown.top, left: shown.left }}>
      <button
        type="button"
        tabIndex={-1}
        aria-label={t("Insert below")}
        title={t("Insert below")}
        onMouseDown={(event) => event.preventDefault()}
        onClick={() => {
          insertBelow(editor, shown);
          setShown(null);
        }}
      >
        <Plus aria-hidden="true" size={17} />
      </button>
      {/* biome-ignore lint/a11y/useSemanticElements lint/a11y/useFocusableInteractive lint/a11y/useKeyWithClickEvents: Firefox drags no buttons; keys have the toolbar's menu */}
      <div
        role="button"
        draggable
        className="page-block-grip"
        aria-label={t("Move this block")}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        title={t("Drag to move, click for more")}
        onClick={() => open(!isOpen)}
        onDragStart={(event) => {
          // At once: a handle that goes away ends the drag.
          isHeld.current = true;
          setDragged(true);
          drag(editor, shown, event);
        }}
        onDragEnd={() => {
          setDragged(false);
          setShown(null);
        }}
      >
        <GripVertical aria-hidden="true" size={17} />
      </div>
      <Menu
        open={isOpen}
        onOpenChange={open}
        side="left"
        {...backIntoText(editor)}
        // The press on a trigger would open the menu before the block can be dragged.
        trigger={
          // biome-ignore lint/a11y/useSemanticElements lint/a11y/useFocusableInteractive: it is there for its place and its name
          <span
            role="button"
            aria-hidden="true"
            aria-label={t("Move this block")}
            className="page-block-anchor"
          />
        }
      >
        <BlockMenuItems editor={editor} />
      </Menu>
    </div>
  );
}

function isSame(one: Shown | null, other: Shown | null): boolean {
  return one?.at === other?.at && one?.node === other?.node && one?.top === other?.top;
}

function blockBeside(editor: Editor, frame: HTMLElement, x: number, y: number): Shown | null {
  const chosen = blockUnder(editor, x, y);
  if (!chosen) return null;
  const { view } = editor;
  const element = view.nodeDOM(chosen.at);
  if (!(element instanceof HTMLElement)) return null;
  const text = view.dom.getBoundingClientRect();
  const origin = frame.getBoundingClientRect();
  // A narrow window has no margin to stand in; its toolbar has the menu.
  const width = element.closest(".tableWrapper") ? WIDTH_PX + ROW_HANDLE_PX : WIDTH_PX;
  if (text.left - origin.left < width) return null;
  const isRtl = getComputedStyle(view.dom).direction === "rtl";
  return {
    ...chosen,
    top: element.getBoundingClientRect().top - origin.top + (firstLine(element) - HANDLE_PX) / 2,
    left: isRtl ? text.right - origin.left + 6 : text.left - origin.left - width,
  };
}

/** Returns the block at a place of the window, or beside it. */
export function blockUnder(editor: Editor, x: number, y: number): Block | null {
  if (editor.isDestroyed) return null;
  const { view } = editor;
  const text = view.dom.getBoundingClientRect();
  if (y < text.top || y > text.bottom || x < text.left - REACH_PX || x > text.right + REACH_PX) return null;
  const found = view.posAtCoords({ left: Math.min(Math.max(x, text.left + 1), text.right - 1), top: y });
  if (!found) return null;
  const block = blockAt(view.state.doc.resolve(found.inside >= 0 ? found.inside : found.pos));
  const inner = found.inside >= 0 ? blockAt(view.state.doc.resolve(found.pos)) : null;
  return inner ?? block;
}

const HANDLE_PX = 26;
const WIDTH_PX = 56;
/** The part of a row's handle that stands in the margin (tables.css). */
const ROW_HANDLE_PX = 14;

/** The height of a block's first line, beside whose middle the handle stands. */
function firstLine(block: HTMLElement): number {
  const { lineHeight, paddingTop } = getComputedStyle(block);
  const height = Number.parseFloat(lineHeight);
  const line = Number.isFinite(height) ? height : HANDLE_PX;
  return Math.min(line, block.offsetHeight) + 2 * Number.parseFloat(paddingTop);
}

/** A line with a “/” in it: the menu at the caret opens. */
function insertBelow(editor: Editor, { at, node }: Block): void {
  const isItem = node.type.name === "listItem" || node.type.name === "taskItem";
  const line = { type: "paragraph" };
  const end = at + node.nodeSize;
  const isEmpty = node.isTextblock && node.content.size === 0;
  const chain = editor.chain();
  if (isEmpty) chain.setTextSelection(at + 1);
  else if (isItem)
    chain.insertContentAt(end, { type: node.type.name, content: [line] }).setTextSelection(end + 2);
  else chain.insertContentAt(end, line).setTextSelection(end + 1);
  chain.insertContent("/").focus().run();
}

/** ProseMirror drops what it believes to be dragged out of its own text. */
function drag(editor: Editor, block: Block, event: DragEvent): void {
  const { view } = editor;
  selectBlock(editor, block);
  const { selection, doc } = view.state;
  const slice = doc.slice(block.at, block.at + block.node.nodeSize);
  const { dom, text } = view.serializeForClipboard(slice);
  event.dataTransfer.clearData();
  event.dataTransfer.setData("text/html", dom.innerHTML);
  event.dataTransfer.setData("text/plain", text);
  event.dataTransfer.effectAllowed = "copyMove";
  const element = view.nodeDOM(block.at);
  if (element instanceof HTMLElement) event.dataTransfer.setDragImage(element, 0, 0);
  view.dragging = { slice, move: true, node: selection } as typeof view.dragging;
}
