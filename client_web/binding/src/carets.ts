/** The plugin that tells others where one's own caret is, and draws theirs. */

import { type EditorState, Plugin, type Selection } from "prosemirror-state";
import { Decoration, type DecorationAttrs, DecorationSet, type EditorView } from "prosemirror-view";
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { isChangeOrigin, yCursorPluginKey, ySyncPluginKey } from "./keys.js";
import { absolutePositionToRelativePosition, relativePositionToAbsolutePosition } from "./positions.js";

// biome-ignore lint/suspicious/noExplicitAny: what applications put into their presence is theirs
type User = any;

export interface CaretOptions {
  readonly awarenessStateFilter?: (ownClient: number, client: number, state: unknown) => boolean;
  readonly cursorBuilder?: (user: User, client: number) => HTMLElement;
  readonly selectionBuilder?: (user: User, client: number) => DecorationAttrs;
  readonly getSelection?: (state: EditorState) => Selection;
}

export function yCursorPlugin(
  awareness: Awareness,
  options: CaretOptions = {},
  field = "cursor",
): Plugin<DecorationSet> {
  const draw = (state: EditorState) => drawn(state, awareness, options);
  return new Plugin<DecorationSet>({
    key: yCursorPluginKey,
    state: {
      init: (_config, state) => draw(state),
      apply: (transaction, before, _old, state) => {
        if (isChangeOrigin(transaction) || transaction.getMeta(yCursorPluginKey)?.awarenessUpdated) {
          return draw(state);
        }
        return transaction.docChanged ? before.map(transaction.mapping, transaction.doc) : before;
      },
    },
    props: { decorations: (state) => yCursorPluginKey.getState(state) },
    view: (view) => {
      const redraw = () => ySyncPluginKey.getState(view.state)?.binding.redrawCarets();
      const tell = () => tellCaret(view, awareness, options, field);
      const onChange = (change: Readonly<Record<"added" | "updated" | "removed", readonly number[]>>) => {
        const clients = [...change.added, ...change.updated, ...change.removed];
        if (clients.some((client) => client !== awareness.clientID)) redraw();
      };
      awareness.on("change", onChange);
      view.dom.addEventListener("focusin", tell);
      view.dom.addEventListener("focusout", tell);
      return {
        update: (_view, before) => {
          if (before.selection === view.state.selection && before.doc === view.state.doc) return;
          tell();
          // One's own edit may have taken what a caret stood in; the shared document says where it is.
          if (drawnIn(view.state) < drawnIn(before)) redraw();
        },
        destroy: () => {
          awareness.off("change", onChange);
          view.dom.removeEventListener("focusin", tell);
          view.dom.removeEventListener("focusout", tell);
          awareness.setLocalStateField(field, null);
        },
      };
    },
  });
}

function drawnIn(state: EditorState): number {
  return yCursorPluginKey.getState(state)?.find().length ?? 0;
}

interface Caret {
  readonly anchor: unknown;
  readonly head: unknown;
}

function tellCaret(view: EditorView, awareness: Awareness, options: CaretOptions, field: string): void {
  const shared = ySyncPluginKey.getState(view.state);
  const nodes = shared?.binding.mapping;
  if (!shared || !nodes?.get(shared.type)) return;
  const told: Caret | null = awareness.getLocalState()?.[field] ?? null;
  if (!view.hasFocus()) {
    // Another editor may share the awareness.
    const isOwn = told && positionOf(told.anchor, shared) !== null;
    if (isOwn) awareness.setLocalStateField(field, null);
    return;
  }
  const { anchor, head } = options.getSelection?.(view.state) ?? view.state.selection;
  const placeOf = (position: number) => absolutePositionToRelativePosition(position, shared.type, nodes);
  const anchorPlace = placeOf(anchor);
  const headPlace = head === anchor ? anchorPlace : placeOf(head);
  if (told && isSame(told.anchor, anchorPlace) && isSame(told.head, headPlace)) return;
  awareness.setLocalStateField(field, { anchor: anchorPlace, head: headPlace });
}

function isSame(told: unknown, place: Y.RelativePosition): boolean {
  return Y.compareRelativePositions(Y.createRelativePositionFromJSON(told), place);
}

type Shared = NonNullable<ReturnType<typeof ySyncPluginKey.getState>>;

function positionOf(told: unknown, { doc, type, binding }: Shared): number | null {
  return relativePositionToAbsolutePosition(
    doc,
    type,
    Y.createRelativePositionFromJSON(told),
    binding.mapping,
  );
}

function drawn(state: EditorState, awareness: Awareness, options: CaretOptions): DecorationSet {
  const shared = ySyncPluginKey.getState(state);
  if (!shared?.binding.mapping.get(shared.type)) return DecorationSet.empty;
  const isDrawn = options.awarenessStateFilter ?? defaultAwarenessStateFilter;
  const decorations: Decoration[] = [];
  for (const [client, told] of awareness.getStates()) {
    const caret: Caret | null = told?.cursor ?? null;
    if (!caret || !isDrawn(shared.doc.clientID, client, told)) continue;
    const anchor = positionOf(caret.anchor, shared);
    const head = positionOf(caret.head, shared);
    if (anchor === null || head === null) continue;
    const { size } = state.doc.content;
    decorations.push(...caretOf(client, told.user, Math.min(anchor, size), Math.min(head, size), options));
  }
  return decorations.length > 0 ? DecorationSet.create(state.doc, decorations) : DecorationSet.empty;
}

function caretOf(
  client: number,
  given: User,
  anchor: number,
  head: number,
  options: CaretOptions,
): Decoration[] {
  const user = { color: "#ffa500", name: `User: ${client}`, ...given };
  const build = options.cursorBuilder ?? defaultCursorBuilder;
  const caret = Decoration.widget(head, () => build(user, client), { key: String(client), side: 10 });
  if (anchor === head) return [caret];
  const attributes = (options.selectionBuilder ?? defaultSelectionBuilder)(user, client);
  const [from, to] = [Math.min(anchor, head), Math.max(anchor, head)];
  return [caret, Decoration.inline(from, to, attributes, { inclusiveEnd: true, inclusiveStart: false })];
}

export function defaultAwarenessStateFilter(ownClient: number, client: number): boolean {
  return ownClient !== client;
}

export function defaultCursorBuilder(user: User): HTMLElement {
  const caret = document.createElement("span");
  caret.classList.add("ProseMirror-yjs-cursor");
  caret.style.borderColor = user.color;
  const label = document.createElement("div");
  label.style.backgroundColor = user.color;
  label.append(user.name);
  caret.append("\u2060", label, "\u2060");
  return caret;
}

export function defaultSelectionBuilder(user: User): DecorationAttrs {
  return { style: `background-color: ${user.color}70`, class: "ProseMirror-yjs-selection" };
}
