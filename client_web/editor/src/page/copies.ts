/** Ways to take a document's content out of the page, that work also when the editor does not. */

import { prosemirrorToYXmlFragment } from "@manyhands/binding";
import type { Provider } from "@manyhands/provider";
import { documentSchema, FRAGMENT } from "@manyhands/schema";
import { DOMSerializer, type Node, type Schema } from "@tiptap/pm/model";
import * as Y from "yjs";
import type { Api } from "../api/api";
import { readDocument } from "../extensions/reading";
import { readingSchema } from "../extensions/schema";
import type { OpenDocument } from "./useProvider";

export interface Download {
  readonly filename: string;
  readonly content: Blob;
}

/**
 * Returns the document as a page of HTML that any browser shows; if even that fails, the bytes of the Yjs update, from which
 * everything can be rebuilt.
 */
export function copyOf(update: Uint8Array, title: string): Download {
  const name = title.replace(/[^\p{L}\p{N} _.-]/gu, "").trim() || "Document";
  try {
    const words = htmlOf(readUpdate(update, readingSchema()), title);
    return { filename: `${name}.html`, content: new Blob([words], { type: "text/html" }) };
  } catch {
    return {
      filename: `${name}.yjs`,
      content: new Blob([update.slice()], { type: "application/octet-stream" }),
    };
  }
}

export function save({ filename, content }: Download): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = filename;
  link.click();
  URL.revokeObjectURL(url);
}

export interface NewCopy {
  readonly api: Api;
  readonly open: OpenDocument;
  readonly source: Provider;
  readonly title: string;
}

/**
 * Makes a new document with the local content and returns its id once the server holds it durably. The content is written
 * anew, so that what the server refused in the old document's history does not come along.
 */
export async function saveAsNew({ api, open, source, title }: NewCopy): Promise<string> {
  const node = readUpdate(source.copy(), documentSchema());
  const doc = new Y.Doc();
  prosemirrorToYXmlFragment(node, doc.getXmlFragment(FRAGMENT));
  const { id } = await api.createDocument(title);
  const user = { name: "Copy", color: "#5d5a52" };
  const provider = open({ documentId: id, user, doc });
  try {
    await whenSaved(provider);
  } finally {
    await provider.destroy();
  }
  return id;
}

function whenSaved(provider: Provider): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const { status, unsaved, refusal, closed } = provider.snapshot();
      const failure = refusal ?? closed;
      const isSaved = status === "synced" && unsaved === 0;
      if (!failure && !isSaved) return;
      stop();
      if (failure) reject(new Error(failure.message));
      else resolve();
    };
    const stop = provider.subscribe(look);
    look();
  });
}

function readUpdate(update: Uint8Array, schema: Schema): Node {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, update);
  return readDocument(doc.getXmlFragment(FRAGMENT), schema, Number.POSITIVE_INFINITY);
}

function htmlOf(node: Node, title: string): string {
  const page = document.implementation.createHTMLDocument(title);
  const charset = page.createElement("meta");
  charset.setAttribute("charset", "utf-8");
  page.head.prepend(charset);
  const words = DOMSerializer.fromSchema(node.type.schema).serializeFragment(node.content, {
    document: page,
  });
  page.body.append(words);
  return `<!doctype html>\n${page.documentElement.outerHTML}`;
}
