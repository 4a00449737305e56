/** The margin beside the sheet: cards that follow their words, pushed apart, of several kinds.
 *
 * A kind says which cards it has and where their words stand. Of thousands of cards, those near the
 * part of the text that is seen are in the page. They scroll with the text: only when the window has
 * moved far, others come. After a change their places are measured once per frame, and written in
 * one go.
 */

import type { Editor } from "@tiptap/core";
import type { Node } from "@tiptap/pm/model";
import type { EditorState } from "@tiptap/pm/state";
import type { EditorView } from "@tiptap/pm/view";
import { memo, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import { type Anchored, Anchoring, type ReadBlock } from "../../extensions/anchoring";
import { activating } from "./activating";
import { MOST, NEAR, type Near, nearOf } from "./near";
import { arranged } from "./places";
import "./margin.css";

export interface CardKind {
  readonly ids: ReadonlySet<string>;
  /** Where words of cards stand in a block. Cards without words are not in the margin. */
  readonly inBlock?: ReadBlock;
  /** Where cards stand whose words the editor's state knows, and not the document. */
  readonly inState?: (state: EditorState) => readonly Anchored[];
  readonly render: (id: string, isActive: boolean) => ReactNode;
}

export interface MarginProps {
  readonly editor: Editor;
  readonly label: string;
  readonly kinds: readonly CardKind[];
  readonly active: string | null;
  readonly onActivate: (id: string) => void;
}

const GAP = 10;
/** The height of a card that was not measured yet. */
const USUAL_HEIGHT = 104;
/** Pixels by which the window moves before other cards come; less where cards are crowded. */
const FAR = NEAR / 2;
const FAR_CROWDED = 100;

export const Margin = memo(function Margin({ editor, label, kinds, active, onActivate }: MarginProps) {
  const frame = useRef<HTMLElement>(null);
  const [near, setNear] = useState<readonly string[]>([]);
  const latest = useRef({ kinds, active });
  latest.current = { kinds, active };
  const layout = useRef<Layout | null>(null);

  useEffect(() => {
    if (!frame.current) return;
    const made = new Layout(editor, frame.current, latest, setNear);
    layout.current = made;
    return () => {
      layout.current = null;
      made.destroy();
    };
  }, [editor]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: other cards, or another active one, have other places
  useLayoutEffect(() => layout.current?.place(), [kinds, active, near]);

  return (
    <section ref={frame} className="margin" aria-label={label}>
      {near.map((id) => {
        const kind = kinds.find(({ ids }) => ids.has(id));
        return (
          kind && (
            <div
              key={id}
              data-card={id}
              className="margin-card"
              data-active={id === active || undefined}
              {...activating(() => onActivate(id))}
            >
              {kind.render(id, id === active)}
            </div>
          )
        );
      })}
    </section>
  );
});

interface Wanted {
  readonly current: { readonly kinds: readonly CardKind[]; readonly active: string | null };
}

class Layout {
  readonly #editor: Editor;
  readonly #frame: HTMLElement;
  readonly #scroller: HTMLElement | null;
  readonly #wanted: Wanted;
  readonly #tell: (near: readonly string[]) => void;
  readonly #observer: ResizeObserver;
  #near: readonly string[] = [];
  /** Where the scroller was when the cards were chosen, and how far it may move from there. */
  #chosen = { at: 0, far: 0 };
  /** The card around which the others stand; see `arranged`. */
  #beside: string | null = null;
  #watched: ReadonlySet<HTMLElement> = new Set();
  #awaited = 0;
  readonly #anchorings = new Map<ReadBlock, Anchoring>();
  #known: {
    readonly doc: Node;
    readonly kinds: readonly CardKind[];
    readonly lists: readonly (readonly Anchored[])[];
    readonly all: Anchored[];
  } | null = null;

  constructor(editor: Editor, frame: HTMLElement, wanted: Wanted, tell: (near: readonly string[]) => void) {
    this.#editor = editor;
    this.#frame = frame;
    this.#wanted = wanted;
    this.#tell = tell;
    this.#scroller = frame.closest(".page-desk");
    this.#observer = new ResizeObserver(this.#later);
    this.#observer.observe(editor.view.dom);
    editor.on("transaction", this.#afterTransaction);
    this.#scroller?.addEventListener("scroll", this.#afterScroll, { passive: true });
    this.place();
  }

  destroy(): void {
    cancelAnimationFrame(this.#awaited);
    this.#observer.disconnect();
    this.#editor.off("transaction", this.#afterTransaction);
    this.#scroller?.removeEventListener("scroll", this.#afterScroll);
  }

  readonly #afterTransaction = ({ transaction }: { transaction: { docChanged: boolean } }): void => {
    if (transaction.docChanged) this.#later();
  };

  /** Drawing a card is dear, and so is each turn of React's: it walks through all that has the focus, here the text. */
  readonly #afterScroll = (): void => {
    const { at, far } = this.#chosen;
    if (Math.abs((this.#scroller?.scrollTop ?? 0) - at) >= far) this.#later();
  };

  readonly #later = (): void => {
    this.#awaited ||= requestAnimationFrame(() => {
      this.#awaited = 0;
      this.place();
    });
  };

  place(): void {
    const { view, state, isDestroyed } = this.#editor;
    if (isDestroyed) return;
    const { kinds, active } = this.#wanted.current;
    const {
      cards: shown,
      seen,
      isActiveSeen,
      isCrowded,
    } = this.#nearOf(view, this.#anchoredIn(kinds, state));
    const ids = shown.map(({ id }) => id);
    if (ids.length !== this.#near.length || ids.some((id, at) => id !== this.#near[at])) {
      this.#near = ids;
      // Once the cards are there, they are placed: to do so now as well would lay out the page twice in a frame.
      this.#tell(ids);
      return;
    }
    const edge = this.#frame.getBoundingClientRect().top;
    const cards = this.#cards();
    const placed = shown.map(({ id, at }) => ({
      id,
      top: (topAt(view, at) ?? edge) - edge,
      height: cards.get(id)?.offsetHeight ?? USUAL_HEIGHT,
    }));
    const { places, beside } = arranged(placed, { active, isActiveSeen, seen, before: this.#beside }, GAP);
    this.#beside = beside;
    this.#chosen = {
      at: this.#scroller?.scrollTop ?? 0,
      far: isCrowded || beside !== null ? FAR_CROWDED : FAR,
    };
    for (const [id, top] of places) {
      const card = cards.get(id);
      const transform = `translateY(${top}px)`;
      if (card && card.style.transform !== transform) card.style.transform = transform;
      card?.toggleAttribute("data-placed", true);
    }
  }

  /** The cards of all kinds, in the order of their words. A key moves them, and makes no other list. */
  #anchoredIn(kinds: readonly CardKind[], state: EditorState): readonly Anchored[] {
    const { doc } = state;
    const lists = kinds.map(({ inBlock }) => (inBlock ? this.#anchoring(inBlock).firsts(doc) : NOTHING));
    const known = this.#known;
    const isKnown = known?.kinds === kinds && lists.every((list, at) => list === known.lists[at]);
    const all = isKnown
      ? known.all
      : lists.flatMap((list, at) => list.filter(({ id }) => kinds[at]?.ids.has(id)));
    // A list is in order. Of two, a change may bring words past those of the other.
    if (!(isKnown && doc === known.doc) && lists.filter(({ length }) => length > 0).length > 1)
      all.sort(byPlace);
    this.#known = { doc, kinds, lists, all };
    const more = kinds.flatMap(({ inState }) => inState?.(state) ?? NOTHING);
    return more.length === 0 ? all : [...all, ...more].sort(byPlace);
  }

  #anchoring(inBlock: ReadBlock): Anchoring {
    const anchoring = this.#anchorings.get(inBlock) ?? new Anchoring(inBlock);
    this.#anchorings.set(inBlock, anchoring);
    return anchoring;
  }

  /** The cards that are in the page; whichever changes its height moves others. */
  #cards(): ReadonlyMap<string, HTMLElement> {
    const cards = new Map<string, HTMLElement>();
    for (const card of this.#frame.children) {
      if (card instanceof HTMLElement && card.dataset.card) cards.set(card.dataset.card, card);
    }
    const here = new Set(cards.values());
    for (const card of this.#watched) if (!here.has(card)) this.#observer.unobserve(card);
    // To watch one that is watched would tell of its height again, and so in each frame.
    for (const card of here) if (!this.#watched.has(card)) this.#observer.observe(card);
    this.#watched = here;
    return cards;
  }

  /** The cards whose words are near the window. */
  #nearOf(view: EditorView, all: readonly Anchored[]): Near {
    const { active } = this.#wanted.current;
    const window = this.#scroller?.getBoundingClientRect();
    if (!window)
      return { cards: all.slice(0, MOST), seen: null, isActiveSeen: active !== null, isCrowded: false };
    return nearOf(all, active, window, {
      section: (at) => elementAt(view, at)?.closest(".page-section")?.getBoundingClientRect() ?? null,
      line: (at) => topAt(view, at) ?? 0,
    });
  }
}

const NOTHING: readonly Anchored[] = [];

const byPlace = (one: Anchored, other: Anchored) => one.at - other.at;

/** The element that a position is in, or before. */
export function elementAt(view: EditorView, at: number): Element | null {
  const { node, offset } = view.domAtPos(Math.min(at, view.state.doc.content.size), 1);
  if (!(node instanceof Element)) return node.parentElement;
  const child = node.childNodes[offset];
  return child instanceof Element ? child : node;
}

/** Where the line of a position begins in the window; of what is hidden, where that is hidden in. */
function topAt(view: EditorView, at: number): number | null {
  let element = elementAt(view, at);
  while (element && element !== view.dom && element.getClientRects().length === 0)
    element = element.parentElement;
  return element ? (element.getClientRects()[0]?.top ?? null) : null;
}
