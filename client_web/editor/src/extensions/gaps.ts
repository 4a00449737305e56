/** Places between blocks that hold no line: between two tables, before a quote that begins a
 * document, behind code that ends it.
 *
 * A gap cursor stands there, and a letter typed begins a line. The arrow keys of tables and code
 * blocks would jump over it.
 */

import { Extension } from "@tiptap/core";
import { GapCursor } from "@tiptap/pm/gapcursor";
import type { ResolvedPos } from "@tiptap/pm/model";
import { type EditorState, Plugin, PluginKey, Selection, TextSelection } from "@tiptap/pm/state";
import { Mapping } from "@tiptap/pm/transform";
import type { EditorView } from "@tiptap/pm/view";
import { directionAt } from "./direction";

/** Beside these there are gaps even though the cursor can be in them. */
const WITH_GAPS = ["codeBlock", "blockquote", "callout", "details"];

export const Gaps = Extension.create({
  name: "gaps",
  // Before the keys of tables and code blocks.
  priority: 1_000,
  extendNodeSchema: ({ name }) => (WITH_GAPS.includes(name) ? { createGapCursor: true } : {}),
  addProseMirrorPlugins() {
    return [
      new Plugin({
        key: new PluginKey("gaps"),
        props: {
          handleKeyDown: (view, event) => {
            const target = event.isComposing ? null : (endBeside(view, event) ?? gapBeyond(view, event));
            if (target) view.dispatch(view.state.tr.setSelection(target).scrollIntoView());
            return target !== null;
          },
          // ProseMirror's own look at clicks takes a section (sections.ts) for the block that begins it.
          handleClick: (view, _position, { target, clientY }) => {
            const gap = gapAt(view, target, clientY);
            if (gap) view.dispatch(view.state.tr.setSelection(gap).scrollIntoView());
            return gap !== null;
          },
        },
      }),
    ];
  },
});

/**
 * Where Ctrl+Home or Ctrl+End leads, on a Mac Cmd+↑ or Cmd+↓. Chromium stays in the first cell of a
 * table that is there, and goes no farther than what is drawn of a long document (sections.ts).
 */
function endBeside(
  { state: { doc, selection } }: EditorView,
  { key, ctrlKey, shiftKey, altKey, metaKey }: KeyboardEvent,
): Selection | null {
  if (altKey || ctrlKey === metaKey) return null;
  const isStart = key === (ctrlKey ? "Home" : "ArrowUp");
  if (!isStart && key !== (ctrlKey ? "End" : "ArrowDown")) return null;
  const end = isStart ? Selection.atStart(doc) : Selection.atEnd(doc);
  return shiftKey ? TextSelection.between(selection.$anchor, end.$head) : end;
}

/**
 * The gap that an arrow key leads to from the edge of a block; null where it leads to a line, or
 * nowhere.
 */
function gapBeyond(
  view: EditorView,
  { key, shiftKey, ctrlKey, altKey, metaKey }: KeyboardEvent,
): GapCursor | null {
  const { state } = view;
  if (shiftKey || ctrlKey || altKey || metaKey) return null;
  const side = /^Arrow(Up|Down|Left|Right)$/.exec(key)?.[1]?.toLowerCase() as Side | undefined;
  if (!side || !(state.selection instanceof TextSelection) || !state.selection.empty) return null;
  if (!mayHaveGaps(state) || !view.endOfTextblock(side, state)) return null;
  const isVertical = side === "up" || side === "down";
  const isForward = isVertical ? side === "down" : (side === "right") === (directionAt(view) === "ltr");
  return gapAround(state, isForward, isVertical);
}

type Side = "up" | "down" | "left" | "right";

function gapAround(
  { doc, selection }: EditorState,
  isForward: boolean,
  isVertical: boolean,
): GapCursor | null {
  const { $head } = selection;
  for (let depth = $head.depth; depth > 0; depth -= 1) {
    const place = doc.resolve(isForward ? $head.after(depth) : $head.before(depth));
    if (isGap(place)) return new GapCursor(place);
    const { parent } = place;
    const isAtEdge = isForward ? place.index() === parent.childCount : place.index() === 0;
    // Up and down lead out of every cell of a row.
    if (!isAtEdge && !(isVertical && parent.type.spec.tableRole === "row")) return null;
  }
  return null;
}

/** The gap at this height between two blocks, when the click has met none of them but what they lie in. */
function gapAt(view: EditorView, within: EventTarget | null, height: number): GapCursor | null {
  if (!(within instanceof HTMLElement)) return null;
  const children = [...within.children];
  const at = children.findIndex((child) => child.getBoundingClientRect().top > height);
  const [above, below] = [children[at - 1], children[at]];
  if (!above || !below || above.getBoundingClientRect().bottom > height) return null;
  const place = beforeElement(view, below);
  return place && isGap(place) ? new GapCursor(place) : null;
}

/** The place before the block that an element shows, or the first one in a section; null for others. */
function beforeElement(view: EditorView, element: Element): ResolvedPos | null {
  const block = element.matches(".page-section") ? element.firstElementChild : element;
  if (!block) return null;
  const inside = view.state.doc.resolve(view.posAtDOM(block, 0));
  const places = inside.depth > 0 ? [inside.pos, inside.before()] : [inside.pos];
  const place = places.find((each) => view.nodeDOM(each) === block);
  return place === undefined ? null : view.state.doc.resolve(place);
}

/** Asking where a line ends on the screen takes a layout: not for plain lines at each key. */
function mayHaveGaps({ selection: { $head } }: EditorState): boolean {
  for (let depth = $head.depth; depth > 0; depth -= 1) {
    const { type } = $head.node(depth);
    if (type.spec.tableRole === "table" || WITH_GAPS.includes(type.name)) return true;
  }
  return false;
}

/**
 * ProseMirror's own test, which it keeps out of its types; a gap cursor that is mapped onto the
 * same document is tested.
 */
function isGap(place: ResolvedPos): boolean {
  return new GapCursor(place).map(place.doc, new Mapping()) instanceof GapCursor;
}
