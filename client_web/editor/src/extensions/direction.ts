/** Writing directions: each block runs as its first strong letter does, unless a person has chosen
 * otherwise.
 *
 * What is chosen is stored as stock Tiptap does, in an attribute `dir`. What is found automatically
 * is stored nowhere: the view draws `dir="auto"`, and copies and exports do not have it. List items
 * and quotes follow their first line (sheet.css).
 */

import { AROUND_LINES, Direction as DirectionOfSchema, LINES } from "@manyhands/schema";
import { type Attrs, type DOMOutputSpec, DOMSerializer, type Node, type Schema } from "@tiptap/pm/model";
import type { EditorView } from "@tiptap/pm/view";

declare module "@tiptap/core" {
  interface Commands<ReturnType> {
    direction: {
      /** Sets the direction of the selected lines; null leaves it to their first strong letter. */
      setDirection: (direction: Direction | null) => ReturnType;
      /** Turns the selected lines around, from whichever side they run now. */
      switchDirection: () => ReturnType;
    };
  }
}

export type Direction = "ltr" | "rtl";

export const WritingDirection = DirectionOfSchema.extend({
  onBeforeCreate() {
    drawAutomatic(this.editor.schema);
  },
  addCommands() {
    return {
      setDirection:
        (direction) =>
        ({ tr, state, dispatch }) => {
          const { from, to } = state.selection;
          state.doc.nodesBetween(from, to, (node, at) => {
            if (!dispatch || !LINES.includes(node.type.name)) return;
            tr.setNodeAttribute(at, "dir", direction);
            // An item or a quote with a direction of its own follows its first line again.
            const place = state.doc.resolve(at);
            for (let depth = place.depth; depth > 0 && place.index(depth) === 0; depth -= 1) {
              const { type, attrs } = place.node(depth);
              if (AROUND_LINES.includes(type.name) && attrs.dir)
                tr.setNodeAttribute(place.before(depth), "dir", null);
            }
          });
          return true;
        },
      switchDirection:
        () =>
        ({ commands, editor }) =>
          commands.setDirection(directionAt(editor.view) === "rtl" ? "ltr" : "rtl"),
    };
  },
  addKeyboardShortcuts() {
    return { "Mod-Shift-x": () => this.editor.commands.switchDirection() };
  },
});

/** The direction in which the line with the cursor is shown. */
export function directionAt(view: EditorView): Direction {
  const { node } = view.domAtPos(view.state.selection.from);
  const element = node instanceof Element ? node : node.parentElement;
  return element && getComputedStyle(element).direction === "rtl" ? "rtl" : "ltr";
}

/** Lets views of this schema draw `dir="auto"` on lines for which nothing is chosen. */
function drawAutomatic(schema: Schema): void {
  // The schema keeps this serializer for copies and exports, with the ways to draw that the nodes
  // have now.
  DOMSerializer.fromSchema(schema);
  for (const name of LINES) {
    const spec = schema.nodes[name]?.spec;
    const draw = spec?.toDOM;
    if (spec && draw) spec.toDOM = sameForSame((node: Node) => withAutomatic(draw(node)));
  }
}

/** Lines with the same attributes look the same: those of a large document are drawn by few answers. */
function sameForSame(draw: (node: Node) => DOMOutputSpec): (node: Node) => DOMOutputSpec {
  const drawn = new WeakMap<Attrs, DOMOutputSpec>();
  return (node) => {
    const look = drawn.get(node.attrs) ?? draw(node);
    drawn.set(node.attrs, look);
    return look;
  };
}

function withAutomatic(drawn: DOMOutputSpec): DOMOutputSpec {
  if (!Array.isArray(drawn)) return drawn;
  const [tag, attributes, ...rest] = drawn;
  return [tag, { dir: "auto", ...attributes }, ...rest];
}
