/** Handles on both sides of a picture: they are dragged, or moved with the arrow keys; the ratio stays. */

import type { Editor } from "@tiptap/core";
import { type KeyboardEvent, type PointerEvent, useState } from "react";
import { t } from "../../i18n/t";
import { classes } from "../../ui/classes";
import { PictureView } from "./picture_view";

/** Pixels: the least width, and a step of the arrow keys, without Shift and with it. */
const LEAST = 48;
const STEP = 10;
const LARGE_STEP = 50;

export function SizeHandles({ editor }: { readonly editor: Editor }) {
  const view = viewOf(editor);
  const [shown, setShown] = useState<number | null>(null);
  if (!view) return null;
  const width = shown ?? view.width;
  const choose = (wanted: number) => {
    const size = sizeOf(view, wanted);
    if (size) editor.commands.updateAttributes("image", size);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const wanted = wantedBy(event, view);
    if (wanted === null) return;
    event.preventDefault();
    choose(wanted);
  };
  const drag = (side: -1 | 1) => ({
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      if (event.button !== 0) return;
      event.preventDefault();
      event.currentTarget.setPointerCapture(event.pointerId);
      const begun = { x: event.clientX, width: view.width };
      // A picture in the middle grows on both sides.
      const factor = side * (view.isCentred ? 2 : 1);
      const element = event.currentTarget;
      let wanted = begun.width;
      const move = ({ clientX }: globalThis.PointerEvent) => {
        wanted = within(begun.width + (clientX - begun.x) * factor, view);
        view.showWidth(wanted);
        setShown(wanted);
      };
      const end = (isKept: boolean) => {
        element.removeEventListener("pointermove", move);
        element.removeEventListener("pointerup", keep);
        element.removeEventListener("pointercancel", drop);
        window.removeEventListener("keydown", onEscape, true);
        setShown(null);
        if (isKept && wanted !== begun.width && !editor.isDestroyed) choose(wanted);
        view.showWidth(null);
      };
      const keep = () => end(true);
      const drop = () => end(false);
      const onEscape = (pressed: globalThis.KeyboardEvent) => {
        if (pressed.key !== "Escape") return;
        pressed.stopPropagation();
        end(false);
      };
      element.addEventListener("pointermove", move);
      element.addEventListener("pointerup", keep);
      element.addEventListener("pointercancel", drop);
      window.addEventListener("keydown", onEscape, true);
    },
  });
  return (
    <>
      <div aria-hidden="true" className="page-picture-handle page-picture-handle--left" {...drag(-1)} />
      <div
        role="slider"
        tabIndex={0}
        aria-label={t("Width of the picture")}
        aria-valuemin={LEAST}
        aria-valuemax={Math.round(view.most)}
        aria-valuenow={Math.round(width)}
        aria-valuetext={t("{width, number} pixels", { width: Math.round(width) })}
        className="page-picture-handle page-picture-handle--right"
        onKeyDown={onKeyDown}
        {...drag(1)}
      />
      <output
        aria-hidden="true"
        className={classes("page-picture-size", shown !== null && "page-picture-size--shown")}
      >
        {t("{width, number} px", { width: Math.round(width) })}
      </output>
    </>
  );
}

function wantedBy({ key, shiftKey }: KeyboardEvent, view: PictureView): number | null {
  const step = shiftKey ? LARGE_STEP : STEP;
  switch (key) {
    case "ArrowRight":
    case "ArrowUp":
      return view.width + step;
    case "ArrowLeft":
    case "ArrowDown":
      return view.width - step;
    case "Home":
      return LEAST;
    case "End":
      return view.most;
    default:
      return null;
  }
}

function within(width: number, { most }: PictureView): number {
  return Math.min(Math.max(width, Math.min(LEAST, most)), most);
}

/** Whole pixels in the picture's own ratio, never wider than the sheet; null while the picture is not there. */
function sizeOf(view: PictureView, wanted: number): { width: number; height: number } | null {
  const { ratio } = view;
  if (ratio === null) return null;
  const width = Math.round(within(wanted, view));
  return { width, height: Math.max(1, Math.round(width / ratio)) };
}

function viewOf(editor: Editor): PictureView | null {
  return editor.isDestroyed ? null : PictureView.of(editor.view.nodeDOM(editor.state.selection.from));
}
