/** Layers over the page, such as menus: whether they are open, and the landmark that they are put into.
 *
 * People who go through a page by its landmarks find a menu where its button is.
 */
import { type RefObject, useRef, useState } from "react";

export interface Layer<Trigger> {
  /** The element that opens the layer. */
  readonly trigger: RefObject<Trigger | null>;
  /** What Radix' root takes. */
  readonly root: { readonly open: boolean; readonly onOpenChange: (open: boolean) => void };
  /** What Radix' portal takes; null stands for the page. */
  readonly container: HTMLElement | null;
}

/** `open` is given by a caller who opens the layer by state. */
export function useLayer<Trigger extends HTMLElement>(
  open?: boolean,
  onOpenChange?: (open: boolean) => void,
): Layer<Trigger> {
  const trigger = useRef<Trigger>(null);
  const [isOpen, setOpen] = useState(false);
  return {
    trigger,
    root: {
      open: open ?? isOpen,
      onOpenChange: (wanted) => {
        setOpen(wanted);
        onOpenChange?.(wanted);
      },
    },
    // Read when the layer opens, which renders its component again.
    container: trigger.current?.closest<HTMLElement>(LANDMARKS) ?? null,
  };
}

const LANDMARKS = "main, header, section[aria-label], [role=dialog]";
