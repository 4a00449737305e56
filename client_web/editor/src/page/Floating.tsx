/** Panels that stand in the text and scroll with it, beside a place or over a part; they never take the focus by themselves. */

import type { Editor } from "@tiptap/core";
import { type FocusEvent, type ReactNode, useLayoutEffect, useRef } from "react";

export interface FloatingProps {
  readonly editor: Editor;
  readonly label: string;
  /** The rectangle in the window to stand beside; null hides the panel. */
  readonly beside: () => DOMRect | null;
  readonly side: "above" | "below";
  readonly onPointerEnter?: () => void;
  readonly onPointerLeave?: () => void;
  readonly children: ReactNode;
}

const GAP = 8;

/** Must be rendered inside the positioned element that scrolls with the text. */
export function Floating({ editor, label, beside, side, children, ...pointer }: FloatingProps) {
  const panel = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const place = () => {
      if (panel.current) putBeside(panel.current, beside(), side);
    };
    place();
    editor.on("transaction", place);
    const observer = new ResizeObserver(place);
    observer.observe(editor.view.dom);
    if (panel.current) observer.observe(panel.current);
    return () => {
      editor.off("transaction", place);
      observer.disconnect();
    };
  }, [editor, beside, side]);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <div
      ref={panel}
      className="page-floating"
      role="group"
      aria-label={label}
      onFocus={showWhole}
      {...pointer}
    >
      {children}
    </div>
  );
}

/** A form is seen down to its buttons while somebody writes in it; below the last line, nothing else would scroll there. */
function showWhole({ currentTarget, target }: FocusEvent): void {
  if (target.matches("textarea, input:not([type=checkbox])"))
    currentTarget.scrollIntoView({ block: "nearest" });
}

function putBeside(panel: HTMLElement, target: DOMRect | null, side: "above" | "below"): void {
  const frame = panel.offsetParent?.getBoundingClientRect();
  panel.hidden = !target || !frame;
  if (!target || !frame) return;
  const above = target.top - frame.top - panel.offsetHeight - GAP;
  const top = side === "above" && above >= 0 ? above : target.bottom - frame.top + GAP;
  const most = frame.width - panel.offsetWidth - GAP;
  panel.style.top = `${top}px`;
  panel.style.left = `${Math.max(GAP, Math.min(target.left - frame.left, most))}px`;
}

export interface FramingProps {
  readonly editor: Editor;
  readonly label: string;
  /** The part of the sheet to lie over; null hides the frame. */
  readonly over: () => Element | null;
  /** Called when the frame has its place. */
  readonly onPlace?: (frame: HTMLElement) => void;
  readonly children: ReactNode;
}

/** Lies over a part of the sheet and lets everything through, but what its children take. */
export function Framing({ editor, label, over, onPlace, children }: FramingProps) {
  const frame = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    let observed: Element | null = null;
    let awaited = 0;
    const place = () => {
      awaited = 0;
      if (editor.isDestroyed || !frame.current) return;
      const part = over();
      if (part !== observed) {
        if (observed) observer.unobserve(observed);
        observed?.removeEventListener("scroll", placeSoon);
        if (part) observer.observe(part);
        part?.addEventListener("scroll", placeSoon);
        observed = part;
      }
      putOver(frame.current, part?.getBoundingClientRect() ?? null);
      if (part) onPlace?.(frame.current);
    };
    const placeSoon = () => {
      awaited ||= requestAnimationFrame(place);
    };
    const observer = new ResizeObserver(place);
    observer.observe(editor.view.dom);
    place();
    editor.on("transaction", placeSoon);
    return () => {
      editor.off("transaction", placeSoon);
      observed?.removeEventListener("scroll", placeSoon);
      cancelAnimationFrame(awaited);
      observer.disconnect();
    };
  }, [editor, over, onPlace]);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <div ref={frame} className="page-frame" role="group" aria-label={label}>
      {children}
    </div>
  );
}

function putOver(frame: HTMLElement, target: DOMRect | null): void {
  const around = frame.offsetParent?.getBoundingClientRect();
  frame.hidden = !target || !around;
  if (!target || !around) return;
  frame.style.top = `${target.top - around.top}px`;
  frame.style.left = `${target.left - around.left}px`;
  frame.style.width = `${target.width}px`;
  frame.style.height = `${target.height}px`;
  frame.toggleAttribute("data-low", target.height < LOW);
}

/** Pixels below which tools do not fit into what they belong to. */
const LOW = 64;
