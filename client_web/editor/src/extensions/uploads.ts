/** Pictures that are on their way to the server: pasted, dropped or chosen, with a placeholder
 * where each will stand.
 *
 * A placeholder belongs to this page alone; the others see the image when the server has it. Its
 * place is remembered relative to the shared document, since a remote change replaces the whole
 * document of the editor. Pictures that come together are stored one after the other, so that they
 * stand in their order.
 */

import {
  absolutePositionToRelativePosition,
  isChangeOrigin,
  relativePositionToAbsolutePosition,
  ySyncPluginKey,
} from "@manyhands/binding";
import { MOST_PIXELS, wholeNumber } from "@manyhands/schema";
import { type Editor, Extension } from "@tiptap/core";
import type { Attrs } from "@tiptap/pm/model";
import { type EditorState, Plugin, PluginKey, type Transaction } from "@tiptap/pm/state";
import { Decoration, DecorationSet } from "@tiptap/pm/view";
import type { RelativePosition } from "yjs";
import { t } from "../i18n/t";

export interface StoredImage {
  readonly url: string;
  readonly width: number | null;
  readonly height: number | null;
}

export interface UploadsOptions {
  /** Stores the bytes and says where; absent where nothing can be stored. */
  readonly store: ((file: File) => Promise<StoredImage>) | null;
  /** Told of pictures that are in the document now and that nobody has described yet. */
  readonly onUndescribed?: (editor: Editor, addresses: readonly string[]) => void;
  /** Told of a picture that could not be stored, and why. */
  readonly onFailure: (name: string, reason: unknown) => void;
  /** Says a sentence to the person. */
  readonly tell: (sentence: string) => void;
}

/** The kinds of pictures that the server keeps, as a file dialog names them. */
export const PICTURE_TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp"];
export const NO_PICTURE = t("Only pictures can be: PNG, JPEG, GIF or WebP.");

/** A picture and its place: behind the line at this position, or before an empty one. */
export interface Incoming {
  readonly at: number;
  readonly name: string;
  /** An address that this page can show meanwhile; empty when there is none. */
  readonly preview: string;
  readonly load: () => Promise<File>;
  /** What is known of the picture already: its description, its caption, its size. */
  readonly attrs?: Attrs;
}

interface Placeholder {
  readonly id: number;
  /** A place in the shared document; null while the editor is bound to none. */
  readonly place: RelativePosition | null;
}

interface Placeholders {
  readonly shown: DecorationSet;
  readonly places: readonly Placeholder[];
}

type Change = { readonly begin: readonly Begun[] } | { readonly end: number };

interface Begun {
  readonly id: number;
  readonly at: number;
  readonly preview: string;
}

const key = new PluginKey<Placeholders>("uploads");
let lastId = 0;

export const Uploads = Extension.create<UploadsOptions>({
  name: "uploads",
  addOptions() {
    return { store: null, onFailure: () => undefined, tell: () => undefined };
  },
  addProseMirrorPlugins() {
    return [
      new Plugin<Placeholders>({
        key,
        state: {
          init: () => ({ shown: DecorationSet.empty, places: [] }),
          apply: (transaction, held, _before, state) => follow(transaction, held, state),
        },
        props: {
          decorations: (state) => key.getState(state)?.shown,
        },
      }),
    ];
  },
});

/**
 * Stores files and puts the pictures among them at `at`, the selection if it is not given; says
 * which are none.
 */
export function uploadFiles(editor: Editor, files: readonly File[], at = editor.state.selection.to): void {
  const options = optionsOf(editor);
  const isPicture = (file: File) => PICTURE_TYPES.includes(file.type);
  const others = files.filter((file) => !isPicture(file)).map(({ name }) => t("“{name}”", { name }));
  if (others.length > 0) {
    const words = { count: others.length, names: others.join(", ") };
    options?.tell(`${t("{names} {count, plural, one {was} other {were}} not added.", words)} ${NO_PICTURE}`);
  }
  const incoming = files.filter(isPicture).map((file) => fileIncoming(file, at));
  void upload(editor, incoming);
}

export function fileIncoming(file: File, at: number): Incoming {
  return { at, name: file.name, preview: URL.createObjectURL(file), load: () => Promise.resolve(file) };
}

/** Thrown by \`load\`, with a sentence for the person. */
export class PictureGone extends Error {}

/** Stores pictures and puts each in its place; a picture that fails does not hold up the others. */
export async function upload(editor: Editor, incoming: readonly Incoming[]): Promise<void> {
  const options = optionsOf(editor);
  if (!options?.store || incoming.length === 0) return;
  const begun = incoming.map(({ at, preview }) => {
    lastId += 1;
    return { id: lastId, at: placeFor(at, editor.state), preview };
  });
  change(editor, { begin: begun });
  const undescribed: string[] = [];
  for (const [index, { name, preview, load, attrs = {} }] of incoming.entries()) {
    const id = begun[index]?.id ?? 0;
    try {
      const image = await options.store(await load());
      if (editor.isDestroyed) continue;
      insert(editor, id, image, attrs);
      if (typeof attrs.alt !== "string") undescribed.push(image.url);
    } catch (reason) {
      if (reason instanceof PictureGone)
        options.tell(`${t("“{name}” was not added.", { name })} ${reason.message}`);
      else options.onFailure(name, reason);
    } finally {
      if (!editor.isDestroyed) change(editor, { end: id });
      if (preview.startsWith("blob:")) URL.revokeObjectURL(preview);
    }
  }
  if (undescribed.length > 0 && !editor.isDestroyed) options.onUndescribed?.(editor, undescribed);
}

/**
 * Puts another picture in the place of the one at `at`, in the same width; what was written about
 * it stays. The place is found again, wherever it has moved to until the file is on the server.
 */
export async function replacePicture(editor: Editor, at: number, file: File): Promise<void> {
  const options = optionsOf(editor);
  if (!options?.store) return;
  if (!PICTURE_TYPES.includes(file.type)) {
    options.tell(`${t("“{name}” was not added.", { name: file.name })} ${NO_PICTURE}`);
    return;
  }
  const place = placeOf(at, editor.state);
  try {
    const { url, width, height } = await options.store(file);
    if (editor.isDestroyed) return;
    const now = place ? positionOf(place, editor.state) : at;
    const before = now === null ? null : editor.state.doc.nodeAt(now);
    if (now === null || before?.type.name !== "image") {
      options.tell(
        t("“{name}” was not added. Somebody has deleted the picture that it was for.", { name: file.name }),
      );
      return;
    }
    const kept = wholeNumber(before.attrs.width, 1, MOST_PIXELS);
    const size =
      kept && width && height
        ? { width: kept, height: Math.round((kept * height) / width) }
        : { width, height };
    const attrs = { ...before.attrs, ...size, src: url };
    editor
      .chain()
      .command(({ tr }) => Boolean(tr.setNodeMarkup(now, null, attrs)))
      .setNodeSelection(now)
      .run();
  } catch (reason) {
    options.onFailure(file.name, reason);
  }
}

/** Whether pictures can be stored from here. */
export function mayUpload(editor: Editor): boolean {
  return Boolean(optionsOf(editor)?.store);
}

function optionsOf(editor: Editor): UploadsOptions | undefined {
  return editor.extensionManager.extensions.find(({ name }) => name === "uploads")?.options;
}

/** Between lines: above an empty one, so that the cursor stays on it, and below one with words. */
function placeFor(at: number, { doc, schema }: EditorState): number {
  const place = doc.resolve(at);
  if (!place.parent.isTextblock) return at;
  const around = place.node(-1);
  const index = place.index(-1);
  const isEmptyLine = place.parent.content.size === 0;
  const mayStandAbove = schema.nodes.image && around.canReplaceWith(index, index, schema.nodes.image);
  return isEmptyLine && mayStandAbove ? place.before() : place.after();
}

/**
 * Puts the image where its placeholder is; a place that somebody deleted meanwhile gives way to the
 * selection.
 */
function insert(editor: Editor, id: number, { url, width, height }: StoredImage, known: Attrs): void {
  const shown = key.getState(editor.state)?.shown.find(undefined, undefined, (spec) => spec.id === id)[0];
  const at = placeFor(shown?.from ?? editor.state.selection.to, editor.state);
  const size = known.width ? {} : { width, height };
  const image = { type: "image", attrs: { ...known, ...size, src: url } };
  const end: Change = { end: id };
  // In one change with the end of the placeholder: a reader's place is kept around each change.
  editor.chain().insertContentAt(at, image, { updateSelection: false }).setMeta(key, end).run();
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
  places = [...places, ...change.begin.map(({ id, at }) => ({ id, place: placeOf(at, state) }))];
  const begun = change.begin.map(({ id, at, preview }) => placeholder(id, at, preview));
  return { shown: shown.add(transaction.doc, begun), places };
}

function placedAnew({ shown, places }: Placeholders, state: EditorState): DecorationSet {
  const moved = shown.find().flatMap((decoration) => {
    const { id, preview } = decoration.spec as { id: number; preview: string };
    const at = positionOf(places.find((candidate) => candidate.id === id)?.place, state);
    return at === null ? [] : [placeholder(id, at, preview)];
  });
  return DecorationSet.create(state.doc, moved);
}

function placeOf(at: number, state: EditorState): RelativePosition | null {
  const shared = ySyncPluginKey.getState(state);
  return shared?.binding ? absolutePositionToRelativePosition(at, shared.type, shared.binding.mapping) : null;
}

function positionOf(place: RelativePosition | null | undefined, state: EditorState): number | null {
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
  frame.setAttribute("aria-label", t("Uploading a picture"));
  const image = document.createElement("img");
  image.src = preview;
  image.alt = "";
  if (preview) frame.append(image);
  return frame;
}
