/** Focus of the keyboard among the cards. */

import { useEffect, useRef } from "react";

/** Gives a card the focus. The card may come with the next frames. */
export function focusCard(id: string, tries = 20): void {
  const card = document.querySelector<HTMLElement>(`[data-card="${CSS.escape(id)}"] article`);
  if (card) card.focus({ preventScroll: true });
  else if (tries > 0) requestAnimationFrame(() => focusCard(id, tries - 1));
}

const PLACES = ".margin, .threads-panel";

/** Keeps the focus from falling to nowhere when a card goes that has it: to the list, or back to the text. */
export function useFocusKept(leave: () => void): void {
  const focused = useRef<Element | null>(null);
  useEffect(() => {
    const follow = ({ target }: FocusEvent) => {
      focused.current = target instanceof Element && target.closest(PLACES) ? target : null;
    };
    document.addEventListener("focusin", follow);
    return () => document.removeEventListener("focusin", follow);
  }, []);
  useEffect(() => {
    if (focused.current === null || focused.current.isConnected) return;
    // A question that was asked before gives the focus back first.
    const frame = requestAnimationFrame(() => {
      const isLost = focused.current?.isConnected === false && document.activeElement === document.body;
      if (!isLost) return;
      const list = document.querySelector<HTMLElement>(".threads-panel [aria-pressed=true]");
      if (list) list.focus();
      else leave();
    });
    return () => cancelAnimationFrame(frame);
  });
}
