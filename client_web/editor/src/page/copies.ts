/** Ways to take a document's content out of the page, that work also when the editor does not. */

import { prosemirrorToYXmlFragment } from "@manyhands/binding";
import type { Provider } from "@manyhands/provider";
import { documentSchema, FRAGMENT, isAllowedImage } from "@manyhands/schema";
import { DOMSerializer, type Node, type Schema, Slice } from "@tiptap/pm/model";
import * as Y from "yjs";
import type { Api } from "../api/api";
import { refusalWords } from "../api/refusals";
import { withoutComments } from "../extensions/comment_marks";
import { plainText } from "../extensions/copying";
import { readDocument } from "../extensions/reading";
import { readingSchema } from "../extensions/schema";
import { viewOf } from "../features/suggesting/settle";
import { t } from "../i18n/t";
import { chooseLanguageOf, languageOf } from "./documentLanguage";
import type { OpenDocument } from "./useProvider";

export interface Download {
  readonly filename: string;
  readonly content: Blob;
  /** How many pictures the file does not hold, but names by their address on the server. */
  readonly lostPictures: number;
}

/** Milliseconds for all pictures of a download together. */
const PICTURES_TIME = 20_000;
/** Bytes of all pictures in a download: as text they take a third more, and browsers bound a text's length. */
const PICTURES_BYTES = 100_000_000;

/**
 * Returns the document as a page of HTML that any browser shows, with its pictures in it; if even that fails, the bytes of the
 * Yjs update, from which everything can be rebuilt.
 */
export async function copyOf(update: Uint8Array, title: string): Promise<Download> {
  const name = fileName(title);
  try {
    const doc = docOf(update);
    const page = pageOf(textOf(doc, readingSchema()), title, languageOf(doc));
    await typesetFormulas(page);
    const lostPictures = await takeInPictures(page);
    const words = `<!doctype html>\n${page.documentElement.outerHTML}`;
    return { filename: `${name}.html`, content: new Blob([words], { type: "text/html" }), lostPictures };
  } catch {
    return {
      filename: `${name}.yjs`,
      content: new Blob([update.slice()], { type: "application/octet-stream" }),
      lostPictures: 0,
    };
  }
}

/** Returns the document as plain text: what it says without suggestions, as copying all of it would. */
export function textCopyOf(update: Uint8Array, title: string): Omit<Download, "lostPictures"> {
  const { content } = viewOf(textOf(docOf(update), readingSchema()), "without");
  return textFile(`${fileName(title)}.txt`, `${plainText(new Slice(content, 0, 0))}\n`);
}

export function markdownFile(words: string, title: string): Omit<Download, "lostPictures"> {
  return textFile(`${fileName(title)}.md`, words);
}

function textFile(filename: string, words: string) {
  return { filename, content: new Blob([words], { type: "text/plain;charset=utf-8" }) };
}

function fileName(title: string): string {
  return title.replace(/[^\p{L}\p{N} _.-]/gu, "").trim() || t("Document");
}

/** What to tell a person about pictures that a copy lacks. */
export function lossOf(pictures: number): string {
  return t(
    "{count, plural, one {One picture could not be copied: neither the server nor this device gives it. The place is kept.} other {# pictures could not be copied: neither the server nor this device gives them. The place is kept.}}",
    { count: pictures },
  );
}

export function save({ filename, content }: Pick<Download, "filename" | "content">): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = filename;
  link.click();
  URL.revokeObjectURL(url);
}

export interface NewDocument {
  readonly api: Api;
  readonly open: OpenDocument;
  readonly title: string;
  /** The language that it is written in; null when that is not known. */
  readonly language?: string | null;
}

export interface NewCopy extends NewDocument {
  readonly source: Provider;
}

export interface SavedCopy {
  readonly id: string;
  /** How many pictures did not come along: neither the server gives them, nor has this device a copy. */
  readonly lostPictures: number;
}

/**
 * Makes a new document with the local content and returns once the server holds it durably. The content is written
 * anew, so that what the server refused in the old document's history does not come along.
 */
export async function saveAsNew({ source, ...made }: NewCopy): Promise<SavedCopy> {
  const doc = docOf(source.copy());
  const old = textOf(doc, documentSchema());
  const pictures = picturesIn(old);
  const brought = new Map<string, string>();
  const language = languageOf(doc);
  const id = await writeNew({ ...made, language }, async (newId) => {
    for (const address of pictures) {
      const own = await bringPicture(address, newId, made.api);
      if (own !== null) brought.set(address, own);
    }
    return withPicturesAt(old, brought);
  });
  return { id, lostPictures: pictures.size - brought.size };
}

/** Makes a document with this content; returns its id once the server holds it durably. */
export async function writeNew(
  { api, open, title, language = null }: NewDocument,
  contentOf: (id: string) => Node | Promise<Node>,
): Promise<string> {
  const { id } = await api.createDocument(title);
  const doc = new Y.Doc();
  prosemirrorToYXmlFragment(await contentOf(id), doc.getXmlFragment(FRAGMENT));
  if (language !== null) chooseLanguageOf(doc, language);
  const provider = open({ documentId: id, user: { name: t("Copy|noun"), color: "#5d5a52" }, doc });
  try {
    await whenSaved(provider);
  } finally {
    await provider.destroy();
  }
  return id;
}

function picturesIn(document: Node): ReadonlySet<string> {
  const addresses = new Set<string>();
  document.descendants(({ type, attrs }) => {
    if (type.name === "image" && isAllowedImage(attrs.src)) addresses.add(attrs.src);
  });
  return addresses;
}

/** Returns the picture's address in the document `id`; null if the picture is not to be had. */
async function bringPicture(address: string, id: string, api: Api): Promise<string | null> {
  try {
    return await api.copyAttachment(id, address);
  } catch {
    // The old document may be gone, or closed to this person; the browser often holds its pictures still.
    try {
      const answer = await fetch(address);
      return answer.ok ? (await api.uploadAttachment(id, await answer.blob())).url : null;
    } catch {
      return null;
    }
  }
}

function withPicturesAt(node: Node, addresses: ReadonlyMap<string, string>): Node {
  if (node.isText) return node;
  const { type, attrs, marks } = node;
  const moved = type.name === "image" ? { ...attrs, src: addresses.get(attrs.src) ?? attrs.src } : attrs;
  return type.create(
    moved,
    node.children.map((child) => withPicturesAt(child, addresses)),
    marks,
  );
}

function whenSaved(provider: Provider): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const { status, unsaved, refusal, closed } = provider.snapshot();
      const failure = refusal ?? closed;
      const isSaved = status === "synced" && unsaved === 0;
      if (!failure && !isSaved) return;
      stop();
      if (failure) reject(new Error(refusalWords(failure)));
      else resolve();
    };
    const stop = provider.subscribe(look);
    look();
  });
}

function docOf(update: Uint8Array): Y.Doc {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, update);
  return doc;
}

/** The content without marks of comments, which stay with the document that they are about; suggestions come along. */
function textOf(doc: Y.Doc, schema: Schema): Node {
  const read = readDocument(doc.getXmlFragment(FRAGMENT), schema, Number.POSITIVE_INFINITY);
  return read.copy(withoutComments(read.content));
}

function pageOf(node: Node, title: string, language: string | null): Document {
  const page = document.implementation.createHTMLDocument(title);
  if (language !== null) page.documentElement.lang = language;
  const charset = page.createElement("meta");
  charset.setAttribute("charset", "utf-8");
  page.head.prepend(charset);
  const look = page.createElement("style");
  look.textContent = LOOK;
  page.head.append(look);
  const words = DOMSerializer.fromSchema(node.type.schema).serializeFragment(node.content, {
    document: page,
  });
  page.body.append(words);
  return page;
}

/** Draws formulas as MathML, which browsers show without a style sheet; what cannot be read stays LaTeX. */
async function typesetFormulas(page: Document): Promise<void> {
  const formulas = page.querySelectorAll<HTMLElement>("[data-latex]");
  if (formulas.length === 0) return;
  const { typeset } = await import("../features/formulas/typeset");
  for (const formula of formulas) {
    const made = typeset(formula.dataset.latex ?? "", formula.tagName === "DIV", "mathml");
    if ("html" in made) formula.innerHTML = made.html;
  }
}

/** As much of the sheet's look as a file by itself needs to be read. */
const LOOK = `
body { max-width: 51rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.6 sans-serif; }
img { max-width: 100%; height: auto; }
figure { margin: 1rem 0; }
figcaption { color: #555; font-size: 0.875em; }
pre { padding: 1rem; overflow-x: auto; background: #f2f1ec; }
table { border-collapse: collapse; }
[data-type="callout"] { margin: 1rem 0; padding: 0.5rem 1rem; border: 1px solid #bbb; border-inline-start-width: 4px; }
[data-type="callout"]::before { font-weight: bold; content: attr(aria-label); }
[data-look="title"] { font-size: 2.5em; font-weight: bold; line-height: 1.2; }
[data-look="subtitle"] { color: #555; font-size: 1.3em; }
summary { font-weight: bold; }
ol ol { list-style-type: lower-alpha; }
ol ol ol { list-style-type: lower-roman; }
ol ol ol ol { list-style-type: decimal; }
td, th { padding: 0.3rem 0.6rem; border: 1px solid #bbb; text-align: start; vertical-align: top; }
`;

/** Puts the pictures' bytes in the place of their addresses; returns how many stay addresses. */
async function takeInPictures(page: Document): Promise<number> {
  const signal = AbortSignal.timeout(PICTURES_TIME);
  let [room, lost] = [PICTURES_BYTES, 0];
  for (const image of page.querySelectorAll("img")) {
    const address = image.getAttribute("src") ?? "";
    try {
      const answer = await fetch(address, { signal });
      const picture = await answer.blob();
      room -= picture.size;
      if (!answer.ok || !picture.type.startsWith("image/") || room < 0) throw new Error(address);
      image.src = await dataAddress(picture);
    } catch {
      image.src = new URL(address, location.href).href;
      lost += 1;
    }
  }
  return lost;
}

function dataAddress(content: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(content);
  });
}
