/** Colours of code, painted over the text by the browser (CSS highlights): neither the document nor its elements change.
 *
 * 1. Only blocks that a change touches are read again, after a pause that is longer for blocks that
 *    took longer. Typing never waits for colours.
 * 2. Blocks of more than `LONGEST` characters stay plain, and so does everything in browsers that
 *    know no highlights.
 * 3. After each change of the elements the stretches are put anew: a browser keeps a range beside a
 *    text that is gone.
 */

import { Extension } from "@tiptap/core";
import type { Node } from "@tiptap/pm/model";
import { type EditorState, Plugin, PluginKey, type Transaction } from "@tiptap/pm/state";
import { AttrStep } from "@tiptap/pm/transform";
import type { EditorView } from "@tiptap/pm/view";
import type { Stretch } from "./grammars";
import { isOffered, languageOf } from "./languages";

/** Characters of a block that is coloured. */
export const LONGEST = 50_000;
/** Milliseconds after a change: at least, at most, and as a multiple of what the block took. */
const LEAST_PAUSE = 60;
const MOST_PAUSE = 2_000;
const PAUSE_FACTOR = 10;
/** Milliseconds of work after which the page gets its turn. */
const SLICE = 8;

/** Scopes of highlight.js by the colour that they have here. */
const COLOURS: Readonly<Record<string, readonly string[]>> = {
  keyword: ["keyword", "selector-tag", "name", "tag", "section", "doctag"],
  string: ["string", "regexp", "quote", "char", "link", "code"],
  comment: ["comment", "meta"],
  number: ["number", "literal", "symbol", "bullet"],
  title: ["title", "built_in", "type", "class", "selector-class", "selector-id"],
  attribute: ["attr", "attribute", "property", "variable", "template-variable", "params", "selector-attr"],
  addition: ["addition"],
  deletion: ["deletion"],
};
const COLOUR_OF = new Map(
  Object.entries(COLOURS).flatMap(([colour, scopes]) => scopes.map((scope) => [scope, colour])),
);

interface Touched {
  /** Positions of code blocks that wait for colours. */
  readonly blocks: readonly number[];
}

const key = new PluginKey<Touched>("codeColours");
const NOTHING: Touched = { blocks: [] };

export const CodeColours = Extension.create({
  name: "codeColours",
  addProseMirrorPlugins() {
    if (typeof CSS === "undefined" || !("highlights" in CSS)) return [];
    return [
      new Plugin<Touched>({
        key,
        state: {
          init: (_, state) => ({ blocks: codeIn(state.doc, 0, state.doc.content.size) }),
          apply: (transaction) => (transaction.docChanged ? touchedBy(transaction) : NOTHING),
        },
        view: (view) => {
          const painter = new Painter(view);
          painter.take(view.state);
          return {
            update: (_, before) => {
              if (view.state !== before) painter.take(view.state);
            },
            destroy: () => painter.destroy(),
          };
        },
      }),
    ];
  },
});

/** The code blocks that a change touches, where they are after it. */
export function touchedBy({ mapping, doc, steps }: Transaction): Touched {
  const blocks = new Set<number>();
  mapping.maps.forEach((map, index) => {
    const rest = mapping.slice(index + 1);
    const step = steps[index];
    if (step instanceof AttrStep)
      for (const at of codeIn(doc, rest.map(step.pos), rest.map(step.pos + 1))) blocks.add(at);
    map.forEach((_from, _to, start, end) => {
      const [from, to] = [rest.map(start, -1), rest.map(end, 1)];
      for (const at of codeIn(doc, Math.max(from - 1, 0), Math.min(to + 1, doc.content.size))) blocks.add(at);
    });
  });
  return { blocks: [...blocks] };
}

function codeIn(doc: Node, from: number, to: number): readonly number[] {
  const found: number[] = [];
  doc.nodesBetween(from, to, (node, at) => {
    if (node.type.name === "codeBlock") found.push(at);
    return !node.isTextblock;
  });
  return found;
}

class Painter {
  readonly #view: EditorView;
  /** Elements that wait for colours. */
  readonly #waiting = new Set<HTMLElement>();
  readonly #painted = new Map<HTMLElement, readonly (readonly [Highlight, Range])[]>();
  /** Of painted elements whose texts are cut or joined, as by the caret of somebody who comes in. */
  readonly #observer = new MutationObserver((changes) => {
    for (const { target } of changes) {
      const element = target.parentElement?.closest("pre") ?? null;
      if (element && this.#painted.has(element)) this.#waiting.add(element);
    }
    this.#workSoon();
  });
  #timer: ReturnType<typeof setTimeout> | null = null;
  #pause = LEAST_PAUSE;

  constructor(view: EditorView) {
    this.#view = view;
  }

  take(state: EditorState): void {
    for (const at of key.getState(state)?.blocks ?? []) {
      const element = this.#view.nodeDOM(at);
      if (element instanceof HTMLElement) this.#waiting.add(element);
    }
    this.#workSoon();
  }

  #workSoon(): void {
    if (this.#waiting.size === 0) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#work(), this.#pause);
  }

  destroy(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#observer.disconnect();
    this.#waiting.clear();
    for (const element of [...this.#painted.keys()]) this.#clear(element);
  }

  async #work(): Promise<void> {
    this.#timer = null;
    for (const element of [...this.#painted.keys()]) if (!element.isConnected) this.#clear(element);
    const { stretchesOf } = await import("./grammars");
    const begun = performance.now();
    for (const element of this.#waiting) {
      if (performance.now() - begun > SLICE) {
        this.#timer ??= setTimeout(() => void this.#work(), LEAST_PAUSE);
        return;
      }
      this.#waiting.delete(element);
      const own = performance.now();
      this.#colour(element, stretchesOf);
      const taken = (performance.now() - own) * PAUSE_FACTOR;
      this.#pause = Math.min(Math.max(taken, LEAST_PAUSE), MOST_PAUSE);
    }
  }

  #colour(element: HTMLElement, stretchesOf: (code: string, language: string) => readonly Stretch[]): void {
    this.#clear(element);
    const language = languageOf(this.#nodeOf(element)?.attrs.language);
    const code = element.textContent ?? "";
    if (!isOffered(language) || code.length > LONGEST) return;
    this.#painted.set(element, [...rangesOf(element, stretchesOf(code, language))]);
    this.#observer.observe(element, { childList: true, subtree: true });
  }

  #nodeOf(element: HTMLElement): Node | null {
    if (!element.isConnected || this.#view.isDestroyed) return null;
    const { parent } = this.#view.state.doc.resolve(this.#view.posAtDOM(element, 0));
    return parent.type.name === "codeBlock" ? parent : null;
  }

  #clear(element: HTMLElement): void {
    for (const [highlight, range] of this.#painted.get(element) ?? []) highlight.delete(range);
    this.#painted.delete(element);
  }
}

/** Puts stretches over the text of an element, which carets of other people may have in several pieces. */
function* rangesOf(
  element: HTMLElement,
  stretches: readonly Stretch[],
): Iterable<readonly [Highlight, Range]> {
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let text = texts.nextNode() as Text | null;
  let start = 0;
  for (const { from, to, scope } of stretches) {
    const colour = COLOUR_OF.get(scope) ?? COLOUR_OF.get(scope.split(".")[0] ?? "");
    if (colour === undefined) continue;
    let at = from;
    while (text && at < to) {
      const end = start + text.length;
      if (at >= end) {
        start = end;
        text = texts.nextNode() as Text | null;
        continue;
      }
      const range = new Range();
      range.setStart(text, at - start);
      range.setEnd(text, Math.min(to, end) - start);
      const highlight = highlightOf(colour);
      highlight.add(range);
      yield [highlight, range];
      at = Math.min(to, end);
    }
  }
}

function highlightOf(colour: string): Highlight {
  const name = `code-${colour}`;
  const known = CSS.highlights.get(name);
  if (known) return known;
  const made = new Highlight();
  CSS.highlights.set(name, made);
  return made;
}
