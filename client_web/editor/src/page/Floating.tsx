/** A small panel that stands beside a place in the text and scrolls with it; it never takes the focus by itself. */

import type { Editor } from "@tiptap/core";
import { type ReactNode, useLayoutEffect, useRef } from "react";

export interface FloatingProps {
  readonly editor: Editor;
  readonly label: string;
  /** The rectangle in the window to stand beside; null hides the panel. */
  readonly beside: () => DOMRect | null;
  readonly side: "above" | "below";
  readonly children: ReactNode;
}

const GAP = 8;

/** Must be rendered inside the positioned element that scrolls with the text. */
export function Floating({ editor, label, beside, side, children }: FloatingProps) {
  const panel = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const place = () => {
      if (panel.current) putBeside(panel.current, beside(), side);
    };
    place();
    editor.on("transaction", place);
    const observer = new ResizeObserver(place);
    observer.observe(editor.view.dom);
    return () => {
      editor.off("transaction", place);
      observer.disconnect();
    };
  }, [editor, beside, side]);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <div ref={panel} className="page-floating" role="group" aria-label={label}>
      {children}
    </div>
  );
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
