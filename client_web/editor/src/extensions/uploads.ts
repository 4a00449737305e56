/** Images that are on their way to the server: pasted, dropped or chosen, with a placeholder where each will stand.
 *
 * A placeholder belongs to this page alone; the others see the image when the server has it. Its place is remembered relative
 * to the shared document, since a remote change replaces the whole document of the editor.
 */

import { type Editor, Extension } from "@tiptap/core";
import { isChangeOrigin } from "@tiptap/extension-collaboration";
import { type EditorState, Plugin, PluginKey, type Transaction } from "@tiptap/pm/state";
import { Decoration, DecorationSet } from "@tiptap/pm/view";
import {
  absolutePositionToRelativePosition,
  relativePositionToAbsolutePosition,
  ySyncPluginKey,
} from "@tiptap/y-tiptap";

export interface StoredImage {
  readonly url: string;
  readonly width: number | null;
  readonly height: number | null;
}

export interface UploadsOptions {
  /** Stores the bytes and says where; absent where nothing can be stored. */
  readonly store: ((file: File) => Promise<StoredImage>) | null;
  /** Told of a file that could not be stored, and why. */
  readonly onFailure: (file: File, reason: unknown) => void;
}

interface Placeholder {
  readonly id: number;
  /** A y-tiptap relative position; null while the editor is bound to no shared document. */
  readonly place: unknown;
}

interface Placeholders {
  readonly shown: DecorationSet;
  readonly places: readonly Placeholder[];
}

type Change =
  | { readonly begin: { readonly id: number; readonly at: number; readonly preview: string } }
  | { readonly end: number };

const key = new PluginKey<Placeholders>("uploads");
let lastId = 0;

export const Uploads = Extension.create<UploadsOptions>({
  name: "uploads",
  addOptions() {
    return { store: null, onFailure: () => undefined };
  },
  addProseMirrorPlugins() {
    const { editor, options } = this;
    const take = (files: readonly File[], at: number) => {
      if (!options.store || !editor.isEditable || files.length === 0) return false;
      for (const file of files) void upload(editor, options, file, at);
      return true;
    };
    return [
      new Plugin<Placeholders>({
        key,
        state: {
          init: () => ({ shown: DecorationSet.empty, places: [] }),
          apply: (transaction, held, _before, state) => follow(transaction, held, state),
        },
        props: {
          decorations: (state) => key.getState(state)?.shown,
          handlePaste: (view, event) => take(pastedImages(event), view.state.selection.to),
          handleDrop: (view, event, _slice, moved) => {
            const at = view.posAtCoords({ left: event.clientX, top: event.clientY })?.pos;
            return !moved && take(imagesOf(event.dataTransfer), at ?? view.state.selection.to);
          },
        },
      }),
    ];
  },
});

/** Stores files that the person chose and puts them at the selection. */
export function uploadImages(editor: Editor, files: readonly File[]): void {
  const options = editor.extensionManager.extensions.find(({ name }) => name === "uploads")?.options;
  if (!options?.store) return;
  for (const file of files) void upload(editor, options, file, editor.state.selection.to);
}

async function upload(editor: Editor, options: UploadsOptions, file: File, at: number): Promise<void> {
  lastId += 1;
  const id = lastId;
  const preview = URL.createObjectURL(file);
  change(editor, { begin: { id, at, preview } });
  try {
    const image = await options.store?.(file);
    if (image && !editor.isDestroyed) insert(editor, id, file, image);
  } catch (reason) {
    options.onFailure(file, reason);
  } finally {
    if (!editor.isDestroyed) change(editor, { end: id });
    URL.revokeObjectURL(preview);
  }
}

/** Puts the image where its placeholder is; a place that somebody deleted meanwhile gives way to the selection. */
function insert(editor: Editor, id: number, file: File, { url, width, height }: StoredImage): void {
  const shown = key.getState(editor.state)?.shown.find(undefined, undefined, (spec) => spec.id === id)[0];
  const at = editor.state.doc.resolve(shown?.from ?? editor.state.selection.to);
  const alt = file.name.replace(/\.\w+$/, "").slice(0, 200);
  // Above an empty line, so that the cursor stays on it; below a line with words.
  const isEmptyLine = at.parent.isTextblock && at.parent.content.size === 0;
  const below = at.parent.isTextblock ? at.after() : at.pos;
  const target = isEmptyLine ? at.before() : below;
  editor
    .chain()
    .insertContentAt(
      target,
      { type: "image", attrs: { src: url, width, height, alt } },
      { updateSelection: false },
    )
    .run();
}

function change(editor: Editor, change: Change): void {
  editor.view.dispatch(editor.state.tr.setMeta(key, change).setMeta("addToHistory", false));
}

function follow(transaction: Transaction, held: Placeholders, state: EditorState): Placeholders {
  let { shown, places } = held;
  if (transaction.docChanged) {
    shown = isChangeOrigin(transaction)
      ? placedAnew(held, state)
      : shown.map(transaction.mapping, transaction.doc);
  }
  const change: Change | undefined = transaction.getMeta(key);
  if (change === undefined) return shown === held.shown ? held : { shown, places };
  if ("end" in change) {
    shown = shown.remove(shown.find(undefined, undefined, (spec) => spec.id === change.end));
    return { shown, places: places.filter(({ id }) => id !== change.end) };
  }
  const { id, at, preview } = change.begin;
  places = [...places, { id, place: placeOf(at, state) }];
  return { shown: shown.add(transaction.doc, [placeholder(id, at, preview)]), places };
}

function placedAnew({ shown, places }: Placeholders, state: EditorState): DecorationSet {
  const moved = shown.find().flatMap((decoration) => {
    const { id, preview } = decoration.spec as { id: number; preview: string };
    const at = positionOf(places.find((candidate) => candidate.id === id)?.place, state);
    return at === null ? [] : [placeholder(id, at, preview)];
  });
  return DecorationSet.create(state.doc, moved);
}

function placeOf(at: number, state: EditorState): unknown {
  const shared = ySyncPluginKey.getState(state);
  return shared?.binding ? absolutePositionToRelativePosition(at, shared.type, shared.binding.mapping) : null;
}

function positionOf(place: unknown, state: EditorState): number | null {
  const shared = ySyncPluginKey.getState(state);
  if (!place || !shared?.binding) return null;
  const at = relativePositionToAbsolutePosition(shared.doc, shared.type, place, shared.binding.mapping);
  return at === null ? null : Math.min(at, state.doc.content.size);
}

function placeholder(id: number, at: number, preview: string): Decoration {
  return Decoration.widget(at, () => drawPlaceholder(preview), { id, preview, key: `upload-${id}` });
}

function drawPlaceholder(preview: string): HTMLElement {
  const frame = document.createElement("span");
  frame.className = "page-upload";
  frame.setAttribute("role", "status");
  frame.setAttribute("aria-label", "Uploading an image");
  const image = document.createElement("img");
  image.src = preview;
  image.alt = "";
  frame.append(image);
  return frame;
}

function pastedImages(event: ClipboardEvent): readonly File[] {
  const html = event.clipboardData?.getData("text/html") ?? "";
  const words = new DOMParser().parseFromString(html, "text/html").body.textContent ?? "";
  // Spreadsheets and word processors put a picture of the words beside the words: the words are wanted.
  return words.trim() === "" ? imagesOf(event.clipboardData) : [];
}

function imagesOf(data: DataTransfer | null): readonly File[] {
  return [...(data?.files ?? [])].filter((file) => file.type.startsWith("image/"));
}
