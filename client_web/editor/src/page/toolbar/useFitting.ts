/** How many of a strip's groups fit beside each other; a phone's strip is scrolled instead. */

import { type RefObject, useLayoutEffect, useRef, useState } from "react";

/** The button behind which the rest hides. */
const MORE_WIDTH = 44;

/** Returns the number of the strip's children to show; all of them on the first rendering, to be measured. */
export function useFitting(strip: RefObject<HTMLElement | null>, count: number): number {
  const [fitting, setFitting] = useState(count);
  const widths = useRef<readonly number[]>([]);
  useLayoutEffect(() => {
    const element = strip.current;
    if (!element) return;
    const measure = () => {
      if (widths.current.length !== count) {
        widths.current = [...element.children].map((group) => group.getBoundingClientRect().width);
      }
      const isScrolled = getComputedStyle(element).overflowX === "auto";
      const room = element.parentElement?.clientWidth ?? 0;
      setFitting(isScrolled || room === 0 ? count : fittingIn(room, widths.current));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element.parentElement ?? element);
    return () => observer.disconnect();
  }, [strip, count]);
  return fitting;
}

/** Returns how many of the first `widths` fit into `room`, with a place kept for the button unless all fit. */
export function fittingIn(room: number, widths: readonly number[]): number {
  const all = widths.reduce((sum, width) => sum + width, 0);
  if (all <= room) return widths.length;
  let used = MORE_WIDTH;
  const firstOut = widths.findIndex((width) => {
    used += width;
    return used > room;
  });
  return Math.max(firstOut, 1);
}
