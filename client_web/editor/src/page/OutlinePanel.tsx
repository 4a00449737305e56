/** The table of contents beside the sheet: press a heading to go there; the one being read is marked. */

import type { Editor } from "@tiptap/core";
import { PanelLeftClose } from "lucide-react";
import { memo, type RefObject, useEffect, useState } from "react";
import { bringIntoView } from "../extensions/sections";
import { t } from "../i18n/t";
import { classes } from "../ui/classes";
import { IconButton } from "../ui/IconButton";
import type { Heading } from "./outline";

export interface OutlinePanelProps {
  readonly editor: Editor;
  readonly headings: readonly Heading[];
  /** What scrolls the sheet. */
  readonly desk: RefObject<HTMLElement | null>;
  readonly onClose: () => void;
  /** After a heading was chosen, for layouts where the panel covers the sheet. */
  readonly onGone: () => void;
}

/** A heading counts as reached this far below the upper edge. */
const REACHED_PX = 96;

export const OutlinePanel = memo(function OutlinePanel({
  editor,
  headings,
  desk,
  onClose,
  onGone,
}: OutlinePanelProps) {
  const current = useCurrentHeading(editor, headings, desk);
  const goTo = ({ at }: Heading) => {
    editor.commands.setTextSelection(at + 1);
    const heading = elementAt(editor, at);
    if (heading) bringIntoView(heading, "start");
    editor.commands.focus(undefined, { scrollIntoView: false });
    onGone();
  };
  return (
    <nav className="page-outline" aria-label={t("Outline")} id="outline">
      <header className="page-outline-header">
        <h2>{t("Outline")}</h2>
        <IconButton
          icon={PanelLeftClose}
          iconSize={17}
          size="small"
          label={t("Hide the outline")}
          onClick={onClose}
        />
      </header>
      {headings.length === 0 ? (
        <p className="page-outline-empty">{t("Headings that you add to the document appear here.")}</p>
      ) : (
        <ol className="page-outline-list">
          {headings.map((heading, index) => (
            <li key={`${heading.at}-${heading.text}`}>
              <button
                type="button"
                dir="auto"
                className={classes("page-outline-item", index === current && "page-outline-item--current")}
                aria-current={index === current ? "location" : undefined}
                style={{ paddingInlineStart: `calc(${heading.depth} * 0.875rem + 0.75rem)` }}
                onClick={() => goTo(heading)}
              >
                {heading.text}
              </button>
            </li>
          ))}
        </ol>
      )}
    </nav>
  );
});

/** Returns the index of the last heading above what is being read; -1 before the first. */
function useCurrentHeading(
  editor: Editor,
  headings: readonly Heading[],
  desk: RefObject<HTMLElement | null>,
): number {
  const [current, setCurrent] = useState(-1);
  useEffect(() => {
    const scroller = desk.current;
    if (!scroller) return;
    let frame = 0;
    const look = () => {
      frame = 0;
      const edge = scroller.getBoundingClientRect().top + REACHED_PX;
      // Headings stand below each other: of a thousand, ten are measured.
      let [first, end] = [0, headings.length];
      while (first < end) {
        const middle = (first + end) >> 1;
        const top = elementAt(editor, headings[middle]?.at ?? 0)?.getBoundingClientRect().top ?? 0;
        if (top > edge) end = middle;
        else first = middle + 1;
      }
      setCurrent(first - 1);
    };
    const later = () => {
      frame ||= requestAnimationFrame(look);
    };
    look();
    scroller.addEventListener("scroll", later, { passive: true });
    return () => {
      cancelAnimationFrame(frame);
      scroller.removeEventListener("scroll", later);
    };
  }, [editor, headings, desk]);
  return current;
}

function elementAt(editor: Editor, at: number): Element | null {
  if (editor.isDestroyed) return null;
  const node = editor.view.nodeDOM(at);
  return node instanceof Element ? node : null;
}
