/** The carets and selections of the other people, with name labels that show while a caret moves.
 *
 * Presence comes from other people: a state whose cursor or user is malformed is left out, because
 * the binding would throw on it in the middle of drawing the document.
 */

import { yCursorPlugin } from "@manyhands/binding";
import { Extension } from "@tiptap/core";
import { Plugin, PluginKey } from "@tiptap/pm/state";
import type { DecorationAttrs, EditorView } from "@tiptap/pm/view";
import type { Awareness } from "y-protocols/awareness";
import { inkOn } from "../ui/color";

export interface CaretsOptions {
  readonly awareness: Awareness | null;
}

interface ShownUser {
  readonly id?: unknown;
  readonly name: string;
  readonly color: string;
}

export const Carets = Extension.create<CaretsOptions>({
  name: "carets",
  priority: 999,
  addOptions() {
    return { awareness: null };
  },
  addProseMirrorPlugins() {
    const { awareness } = this.options;
    if (!awareness) return [];
    return [
      yCursorPlugin(awareness, {
        // A mirror has a client id of its own; the awareness knows which caret is this page's.
        awarenessStateFilter: (_: number, id: number, state: unknown) =>
          id !== awareness.clientID && isDrawable(state),
        cursorBuilder: (user: ShownUser, clientId: number) => {
          const ownId: unknown = awareness.getLocalState()?.user?.id;
          const isSelf = ownId !== undefined && user.id === ownId;
          return drawCaret(isSelf ? { ...user, name: `${user.name} (you)` } : user, clientId);
        },
        selectionBuilder: drawSelection,
      }),
      showLabelsOfMoved(awareness),
    ];
  },
});

/** Whether a presence state is sound enough to be drawn. */
export function isDrawable(state: unknown): boolean {
  if (!isRecord(state) || !isRecord(state.user) || !isRecord(state.cursor)) return false;
  const { name, color } = state.user;
  const isPerson = typeof name === "string" && typeof color === "string" && /^#[0-9a-f]{6}$/i.test(color);
  return isPerson && isPosition(state.cursor.anchor) && isPosition(state.cursor.head);
}

function isPosition(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { type = null, tname = null, item = null, assoc = 0 } = value;
  const isPlaced = isItemId(type) && isItemId(item) && (tname === null || tname === "default");
  return isPlaced && typeof assoc === "number" && (type ?? tname ?? item) !== null;
}

function isItemId(value: unknown): boolean {
  return (
    value === null || (isRecord(value) && Number.isInteger(value.client) && Number.isInteger(value.clock))
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/**
 * A caret without any text: a style sheet draws the name, so that nothing that reads the words of a
 * page meets it.
 */
function drawCaret(user: ShownUser, clientId: number): HTMLElement {
  const caret = document.createElement("span");
  caret.className = "page-caret";
  caret.dataset.clientId = String(clientId);
  caret.style.setProperty("--caret-color", user.color);
  // Generated content is read out by some screen readers, and a translated page may move what
  // stands in its words.
  caret.setAttribute("aria-hidden", "true");
  caret.translate = false;
  const label = document.createElement("span");
  label.className = "page-caret-label";
  label.style.setProperty("--caret-ink", inkOn(user.color));
  label.dataset.name = user.name;
  caret.append(label);
  return caret;
}

function drawSelection(user: ShownUser): DecorationAttrs {
  return { class: "page-caret-selection", style: `--caret-color: ${user.color}` };
}

/** Shows a caret's label again when the caret moves. */
function showLabelsOfMoved(awareness: Awareness): Plugin {
  return new Plugin({
    key: new PluginKey("labelsOfMoved"),
    view: () => {
      const moved = new Set<number>();
      const onChange = ({ added, updated }: { added: number[]; updated: number[] }) => {
        for (const clientId of [...added, ...updated]) moved.add(clientId);
      };
      awareness.on("change", onChange);
      return {
        update: (view) => {
          for (const clientId of moved) if (showLabel(view, clientId)) moved.delete(clientId);
        },
        destroy: () => awareness.off("change", onChange),
      };
    },
  });
}

/** How long a label is readable before it fades, and until it is gone. */
const LABEL_MS = 2400;

/** Returns whether there is a label to show. Each begun animation costs a frame of its own, more than the key. */
function showLabel(view: EditorView, clientId: number): boolean {
  const label = view.dom.querySelector(`.page-caret[data-client-id="${clientId}"] .page-caret-label`);
  const running = label?.getAnimations?.() ?? [];
  if (running.some(({ currentTime }) => Number(currentTime) < LABEL_MS / 3)) return true;
  for (const each of running) each.cancel();
  label?.animate?.([{ opacity: 1 }, { opacity: 1, offset: 0.8 }, { opacity: 0 }], LABEL_MS);
  return label !== null;
}
