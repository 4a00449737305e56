/** Menus at the caret: what is typed behind “/”, “@” or “:” is looked up, and the choice takes its place.
 *
 * 1. A menu begins with the sign itself, typed by this person at the beginning of a line or behind a blank. Signs that
 *    are in the text already, come with a paste, or from somebody else, begin none.
 * 2. Escape closes the menu and leaves what was typed. So does everything for which there is no choice.
 * 3. The menu is drawn by the page (CaretMenu.tsx), which hears of it from a `CaretMenuStore`.
 */

import { isChangeOrigin } from "@manyhands/binding";
import { type Editor, Extension, type Range } from "@tiptap/core";
import type { ResolvedPos } from "@tiptap/pm/model";
import { PluginKey, type Transaction } from "@tiptap/pm/state";
import Suggestion, { type SuggestionProps } from "@tiptap/suggestion";
import type { LucideIcon } from "lucide-react";

export interface Choice {
  readonly id: string;
  readonly label: string;
  /** What tells this choice from others with the same label. */
  readonly detail?: string;
  /** A heading over the first choice of a group. */
  readonly group?: string;
  readonly icon: LucideIcon | string;
  /** The range is what was typed, the sign included. */
  readonly run: (editor: Editor, range: Range) => void;
}

/** Where the choices for one sign come from. */
export interface CaretMenuSource {
  readonly sign: string;
  /** Read out before the choices. */
  readonly label: string;
  /** Whether choices have names of several words. */
  readonly allowSpaces: boolean;
  /** Letters behind the sign before anything is shown. */
  readonly leastQuery: number;
  /** Known at once. */
  readonly choices: (query: string, editor: Editor) => readonly Choice[];
  /** Known after a while; they are shown below the others. */
  readonly laterChoices?: (query: string, signal: AbortSignal) => Promise<readonly Choice[]>;
}

export interface CaretMenuShown {
  readonly label: string;
  readonly choices: readonly Choice[];
  readonly current: number;
  readonly mount: SuggestionProps["mount"];
  readonly choose: (choice: Choice) => void;
}

/** The menu that is open, if any, for whoever draws it. */
export class CaretMenuStore {
  #shown: CaretMenuShown | null = null;
  readonly #listeners = new Set<() => void>();

  readonly shown = (): CaretMenuShown | null => this.#shown;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  show(shown: CaretMenuShown | null): void {
    if (shown === this.#shown) return;
    this.#shown = shown;
    for (const listener of this.#listeners) listener();
  }

  /** Goes to the choice that is so many behind the current one, around the end. */
  move(by: number): void {
    if (!this.#shown) return;
    const { current, choices } = this.#shown;
    this.point((current + by + choices.length) % choices.length);
  }

  point(current: number): void {
    if (this.#shown && current !== this.#shown.current) this.show({ ...this.#shown, current });
  }
}

export interface CaretMenusOptions {
  readonly sources: readonly CaretMenuSource[];
  readonly store: CaretMenuStore | null;
}

export const CaretMenus = Extension.create<CaretMenusOptions>({
  name: "caretMenus",
  // Before the keys of lists and tables: Tab and Enter choose while a menu is open.
  priority: 1_100,
  addOptions() {
    return { sources: [], store: null };
  },
  addProseMirrorPlugins() {
    const { sources, store } = this.options;
    return store ? sources.map((source) => menuOf(this.editor, source, store)) : [];
  },
});

function menuOf(editor: Editor, source: CaretMenuSource, store: CaretMenuStore) {
  const key = new PluginKey(`caretMenu${source.sign}`);
  let later: readonly Choice[] = [];
  let mount: SuggestionProps["mount"] | null = null;
  const show = (props: SuggestionProps<Choice, Choice>) => {
    if (!props.loading) later = props.items;
    const { query } = props;
    const isAsked = query.length >= source.leastQuery && !/^\s/.test(query);
    const choices = isAsked ? [...source.choices(query, editor), ...later] : [];
    // The menu stays where it was put, and moves with what is typed.
    mount ??= props.mount;
    const { label } = source;
    store.show(choices.length > 0 ? { label, choices, current: 0, mount, choose: props.command } : null);
  };
  return Suggestion<Choice, Choice>({
    editor,
    pluginKey: key,
    char: source.sign,
    allowSpaces: source.allowSpaces,
    allowedPrefixes: [" ", "\u00a0"],
    decorationClass: "page-caret-query",
    items: async ({ query, signal }) =>
      query.length < source.leastQuery ? [] : [...((await source.laterChoices?.(query, signal)) ?? [])],
    debounce: source.laterChoices ? LOOKUP_PAUSE : 0,
    floatingUi: { strategy: "fixed" },
    allow: ({ state, range }) => mayStandAt(state.doc.resolve(range.from)),
    shouldShow: ({ transaction, text }) =>
      Boolean(key.getState(editor.state)?.active) || (text === source.sign && isTyped(transaction)),
    command: ({ range, props: choice }) => choice.run(editor, range),
    render: () => ({
      onStart: (props) => {
        [later, mount] = [[], null];
        show(props);
      },
      onUpdate: show,
      onExit: () => store.show(null),
      onKeyDown: ({ event }) => pressed(event, store),
    }),
  });
}

/** Milliseconds without a key before the server is asked. */
const LOOKUP_PAUSE = 150;

/** Returns whether the open menu takes the key. */
function pressed(event: KeyboardEvent, store: CaretMenuStore): boolean {
  const shown = store.shown();
  if (!shown || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return false;
  switch (event.key) {
    case "ArrowDown":
      store.move(1);
      return true;
    case "ArrowUp":
      store.move(-1);
      return true;
    case "Enter":
    case "Tab": {
      const choice = shown.choices[shown.current];
      if (event.shiftKey || !choice) return false;
      shown.choose(choice);
      return true;
    }
    default:
      return false;
  }
}

function isTyped(transaction: Transaction): boolean {
  const isElsewhere = transaction.getMeta("paste") || transaction.getMeta("uiEvent");
  return transaction.docChanged && !isElsewhere && !isChangeOrigin(transaction);
}

/** Whether a choice can take the place of what is typed here: not in code, nor in a summary. */
function mayStandAt(place: ResolvedPos): boolean {
  const isLine = ["paragraph", "heading"].includes(place.parent.type.name);
  return isLine && !place.marks().some(({ type }) => type.spec.code);
}
