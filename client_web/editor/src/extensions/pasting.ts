/** Pasting and dropping: what comes from other programs is made to fit, and what cannot be kept is
 * said.
 *
 * 1. HTML is put into the schema's terms before it is read (pasted_html.ts), plain text line by
 *    line.
 * 2. Pictures in the words have an image with an `arriving:` address as their place. It is taken
 *    out of the change before the change is applied, so that no such address gets into a document,
 *    and the picture is uploaded to where it was.
 * 3. A change that would make the document larger or deeper than a page can draw, or than a server
 *    takes at once, is refused whole.
 */

import { isChangeOrigin } from "@manyhands/binding";
import { type Editor, Extension } from "@tiptap/core";
import { type Attrs, Fragment, type Node, type ResolvedPos, Slice } from "@tiptap/pm/model";
import { Plugin, PluginKey, type Transaction } from "@tiptap/pm/state";
import { TableMap } from "@tiptap/pm/tables";
import { t } from "../i18n/t";
import { LARGEST } from "./foreign";
import { ARRIVING, type PastedHtml, readPastedHtml } from "./pasted_html";
import { isPlainlyMarkdown, markdownHtml } from "./pasted_markdown";
import {
  fileIncoming,
  type Incoming,
  NO_PICTURE,
  PICTURE_TYPES,
  PictureGone,
  upload,
  uploadFiles,
} from "./uploads";

export interface PastingOptions {
  /**
   * The document that is written in; null where its pictures cannot be told from those of others.
   */
  readonly documentId: string | null;
  /** Says a sentence to the person. */
  readonly tell: (sentence: string) => void;
}

/**
 * A server takes 100,000 parts of the shared document and 16 MB in one change; these leave room for
 * what was there.
 */
export const LARGEST_CHANGE = { parts: 80_000, characters: 4_000_000 };
/**
 * In the shared document a line is an element, a text and its words; the beginning and the end of a
 * mark are parts too.
 */
const PARTS_OF = { line: 3, other: 2, mark: 2 };

/**
 * What one paste or drop has brought; the clipboard's own event comes first, then its HTML, then
 * the change.
 */
interface Brought {
  files: readonly File[];
  rtf: string;
  read: PastedHtml | null;
}

const NOTHING: Brought = { files: [], rtf: "", read: null };

export const Pasting = Extension.create<PastingOptions, { brought: Brought }>({
  name: "pasting",
  addOptions() {
    return { documentId: null, tell: () => undefined };
  },
  addStorage() {
    return { brought: NOTHING };
  },
  dispatchTransaction({ transaction, next }) {
    const { editor, options, storage } = this;
    const { brought } = storage;
    const isPaste = transaction.getMeta("paste") || transaction.getMeta("uiEvent") === "drop";
    // Cells are put into a table by a change that does not say where it comes from.
    if (!isPaste && (brought.read === null || !transaction.docChanged || isChangeOrigin(transaction))) {
      next(transaction);
      return;
    }
    storage.brought = NOTHING;
    const places = brought.read ? takeOutArriving(transaction) : [];
    const reason = tooLarge(transaction);
    if (reason) {
      options.tell(reason);
      return;
    }
    next(transaction);
    bringPictures(editor, options, brought, places);
  },
  addProseMirrorPlugins() {
    const { editor, options, storage } = this;
    const remember = (data: DataTransfer | null) => {
      storage.brought = { files: [...(data?.files ?? [])], rtf: data?.getData("text/rtf") ?? "", read: null };
    };
    /** Files by themselves; beside words they are a picture of the words, or pictures in them. */
    const takeFiles = (data: DataTransfer | null, at: number) => {
      const { files } = storage.brought;
      if (!editor.isEditable || files.length === 0 || hasContent(data, files.length)) return false;
      storage.brought = NOTHING;
      uploadFiles(editor, files, at);
      return true;
    };
    /** Shift asks for the text as it is. */
    let isShiftHeld = false;
    /** Plain text that is Markdown, unless it goes into code or comes with what it looks like. */
    const takeMarkdown = (data: DataTransfer | null) => {
      const text = data?.getData("text/plain") ?? "";
      const isCode = editor.isActive("code") || editor.state.selection.$from.parent.type.spec.code;
      if (isShiftHeld || isCode || !editor.isEditable || hasLooks(data) || !isPlainlyMarkdown(text))
        return false;
      void pasteMarkdown(editor, text);
      return true;
    };
    return [
      new Plugin({
        key: new PluginKey("pasting"),
        props: {
          handleDOMEvents: {
            keydown: (_view, { shiftKey }) => {
              isShiftHeld = shiftKey;
              return false;
            },
            keyup: (_view, { shiftKey }) => {
              isShiftHeld = shiftKey;
              return false;
            },
            paste: (_view, event) => {
              remember(event.clipboardData);
              return false;
            },
            drop: (_view, event) => {
              remember(event.dataTransfer);
              return false;
            },
          },
          transformPastedHTML: (html) => {
            storage.brought = { ...storage.brought, read: readPastedHtml(html, options.documentId) };
            return storage.brought.read?.html ?? "";
          },
          clipboardTextParser: (text, $context) => linesOf(text, $context),
          handlePaste: (view, event) =>
            takeFiles(event.clipboardData, view.state.selection.to) || takeMarkdown(event.clipboardData),
          handleDrop: (view, event, _slice, moved) => {
            const at = view.posAtCoords({ left: event.clientX, top: event.clientY })?.pos;
            return !moved && takeFiles(event.dataTransfer, at ?? view.state.selection.to);
          },
        },
      }),
    ];
  },
});

/** Whether words come with HTML of their own; programs for code put the colours of a Markdown file there. */
function hasLooks(data: DataTransfer | null): boolean {
  const isFromCode = data?.getData("vscode-editor-data").includes('"markdown"') ?? false;
  return !isFromCode && (data?.getData("text/html") ?? "").trim() !== "";
}

async function pasteMarkdown(editor: Editor, text: string): Promise<void> {
  try {
    const html = await markdownHtml(text);
    if (!editor.isDestroyed) editor.view.pasteHTML(html);
  } catch {
    // The reader of Markdown could not be loaded: the words are pasted all the same.
    if (!editor.isDestroyed) editor.view.pasteText(text);
  }
}

/**
 * Whether there is more to paste than so many files: an image that is copied in a browser comes as
 * HTML as well.
 */
function hasContent(data: DataTransfer | null, files: number): boolean {
  const { body } = new DOMParser().parseFromString(data?.getData("text/html") ?? "", "text/html");
  return (body.textContent ?? "").trim() !== "" || body.querySelectorAll("img").length > files;
}

/**
 * Each line is a paragraph, and an empty one an empty paragraph; a line end behind the last line
 * begins no further one.
 */
export function linesOf(text: string, $context: ResolvedPos): Slice {
  const { schema } = $context.parent.type;
  const { paragraph } = schema.nodes;
  const lines = text
    .replace(/\r\n?|\n$/g, (end, at: number) => (at + end.length === text.length ? "" : "\n"))
    .split("\n");
  const marks = $context.marks();
  const nodes = lines.map((line) => paragraph?.create(null, line === "" ? null : schema.text(line, marks)));
  return new Slice(Fragment.from(nodes.filter((node) => node !== undefined)), 0, 0);
}

/**
 * Takes the places of pictures out of a change; returns where each picture of the clipboard belongs
 * after it.
 */
function takeOutArriving(transaction: Transaction): readonly Place[] {
  const found: (Place & { readonly size: number })[] = [];
  transaction.doc.descendants(({ type, attrs, nodeSize }, at) => {
    const picture = type.name === "image" ? ARRIVING.exec(String(attrs.src))?.[1] : undefined;
    if (picture !== undefined) found.push({ picture: Number(picture), at, size: nodeSize, attrs });
  });
  const before = transaction.steps.length;
  for (const { at, size } of [...found].reverse()) {
    const place = transaction.doc.resolve(at);
    const isNeeded = !place.parent.canReplace(place.index(), place.index() + 1);
    const { paragraph } = transaction.doc.type.schema.nodes;
    if (isNeeded && paragraph) transaction.replaceWith(at, at + size, paragraph.create());
    else transaction.delete(at, at + size);
  }
  const removal = transaction.mapping.slice(before);
  return found.map(({ picture, at, attrs }) => ({ picture, attrs, at: removal.map(at, -1) }));
}

interface Place {
  readonly picture: number;
  readonly attrs: Attrs;
  readonly at: number;
}

/** Uploads the pictures that came with words, and says which have stayed away. */
function bringPictures(
  editor: Editor,
  options: PastingOptions,
  brought: Brought,
  places: readonly Place[],
): void {
  const { pictures, linked, leftOut } = brought.read ?? { pictures: [], linked: 0, leftOut: 0 };
  const inFiles = filesFor(pictures.filter(({ source }) => source === null).length, brought);
  const incoming: Incoming[] = [];
  let missing = 0;
  for (const { picture, at, attrs } of places) {
    const { name, source } = pictures[picture] ?? { name: "picture", source: null };
    const file =
      source === null
        ? inFiles[pictures.slice(0, picture).filter((each) => each.source === null).length]
        : null;
    if (file) incoming.push({ ...fileIncoming(file, at), name, attrs });
    else if (source !== null)
      incoming.push({ at, name, attrs, preview: source, load: () => fileAt(source, name) });
    else missing += 1;
  }
  void upload(editor, incoming);
  const losses = [
    linked > 0 &&
      t(
        "{count, plural, one {A picture or film on another server was pasted as a link.} other {# pictures or films on other servers were pasted as links.}}",
        { count: linked },
      ),
    missing > 0 &&
      t(
        "{count, plural, one {A picture was left out: it is not on the clipboard. Copy it by itself.} other {# pictures were left out: they are not on the clipboard. Copy each by itself.}}",
        { count: missing },
      ),
    leftOut > 0 &&
      t(
        "{count, plural, one {A drawing or film was left out: it cannot be kept here.} other {# drawings or films were left out: they cannot be kept here.}}",
        { count: leftOut },
      ),
  ].filter((loss) => loss !== false);
  if (losses.length > 0) options.tell(losses.join(" "));
}

/**
 * Word processors name pictures on their own disk, and put them beside the words: as files, or
 * within RTF.
 */
function filesFor(wanted: number, { files, rtf }: Brought): readonly File[] {
  const pictures = files.filter(({ type }) => type.startsWith("image/"));
  if (wanted === 0 || pictures.length === wanted) return wanted === 0 ? [] : pictures;
  const inRtf = [...rtf.matchAll(/\\(png|jpeg)blip[^{}]*?(?:\{[^{}]*\}[^{}]*?)*?\s([\da-f\s]{32,})\}/gi)];
  if (inRtf.length !== wanted) return [];
  return inRtf.map(([, kind = "png", digits = ""]) => {
    const bytes = Uint8Array.from(digits.match(/[\da-f]{2}/gi) ?? [], (byte) => Number.parseInt(byte, 16));
    return new File([bytes], `picture.${kind}`, { type: `image/${kind.toLowerCase()}` });
  });
}

async function fileAt(source: string, name: string): Promise<File> {
  const data = /^data:(image\/[\w.+-]+)((?:;[\w=-]+)*),(.*)$/is.exec(source);
  if (data) {
    const [, type = "", parameters = "", body = ""] = data;
    if (!PICTURE_TYPES.includes(type.toLowerCase())) throw new PictureGone(NO_PICTURE);
    const words = decodeURIComponent(body);
    const text = parameters.toLowerCase().endsWith(";base64") ? atob(words) : words;
    return new File([Uint8Array.from(text, (character) => character.charCodeAt(0))], name, { type });
  }
  // A picture of another document becomes one of this document, for as long as this document lives.
  const answer = await fetch(source);
  if (!answer.ok)
    throw new PictureGone(t("You may not see this picture in the document that it comes from."));
  const blob = await answer.blob();
  return new File([blob], name, { type: blob.type });
}

/** Returns the sentence why a change cannot be taken; null when it can. */
function tooLarge({ doc, steps, docs }: Transaction): string | null {
  const before = sizeOf(docs[0] ?? doc);
  const after = sizeOf(doc);
  const [parts, characters] = [after.parts - before.parts, after.characters - before.characters];
  if (steps.length === 0) return null;
  if (parts > LARGEST_CHANGE.parts || characters > LARGEST_CHANGE.characters)
    return t("Not pasted: this is more than fits at once. Paste it in several pieces.");
  if (after.nodes > LARGEST.parts && after.nodes > before.nodes)
    return t("Not pasted: the document would become too long to be drawn. Begin another document.");
  if (after.depth >= LARGEST.depth && after.depth > before.depth)
    return t("Not pasted: lists, quotes and tables would be too deep within each other.");
  return hasTooLargeTable(doc) ? t("Not pasted: a table in it is too large.") : null;
}

interface Size {
  readonly nodes: number;
  /** Of the shared document, about. */
  readonly parts: number;
  readonly characters: number;
  readonly depth: number;
}

function sizeOf(doc: Node): Size {
  let [nodes, parts, characters, deepest] = [0, 0, 0, 0];
  const look = (node: Node, depth: number) => {
    nodes += 1;
    deepest = Math.max(deepest, depth);
    characters += node.text?.length ?? 0;
    parts += node.isText
      ? node.marks.length * PARTS_OF.mark
      : node.isTextblock
        ? PARTS_OF.line
        : PARTS_OF.other;
    node.forEach((child) => {
      look(child, depth + 1);
    });
  };
  look(doc, 0);
  return { nodes, parts, characters, depth: deepest };
}

function hasTooLargeTable(doc: Node): boolean {
  let found = false;
  doc.descendants((node) => {
    if (node.type.spec.tableRole !== "table") return !found && !node.isTextblock;
    const { width, height } = TableMap.get(node);
    found ||= width > LARGEST.columns || width * height > LARGEST.tableWork;
    return !found;
  });
  return found;
}
