/**
 * A clipboard in a page without a browser: what is pasted passes the whole editor, from the event
 * to the shared document.
 */

import { type Editor, Editor as TiptapEditor } from "@tiptap/core";
import * as Y from "yjs";
import { editorExtensions } from "../../src/extensions/schema";

export interface Clipboard {
  readonly html?: string;
  readonly text?: string;
  readonly rtf?: string;
  readonly files?: readonly File[];
}

/**
 * Somebody who pastes, with a server that keeps pictures; `said` is what the page has told them.
 */
export class Paster {
  readonly editor: Editor;
  readonly doc = new Y.Doc();
  readonly said: string[] = [];
  /** What the server was given, in order. */
  readonly stored: File[] = [];
  /** Names of files that the server refuses. */
  readonly refused = new Set<string>();

  constructor(readonly documentId = "document-1") {
    this.editor = new TiptapEditor({
      element: document.body.appendChild(document.createElement("div")),
      injectCSS: false,
      extensions: editorExtensions({
        doc: this.doc,
        awareness: null,
        uploads: {
          documentId,
          store: (file) => this.#store(file),
          onFailure: (name, reason) =>
            void this.said.push(`“${name}” was not added. ${(reason as Error).message}`),
          tell: (sentence) => void this.said.push(sentence),
        },
      }),
    });
  }

  async #store(file: File) {
    if (this.refused.has(file.name)) throw new Error("It is too large.");
    this.stored.push(file);
    return { url: attachment(this.documentId, this.stored.length), width: 4, height: 3 };
  }

  /** Pastes at the selection; returns what the document is then, when every picture has arrived. */
  async pastes({ html = "", text = "", rtf = "", files = [] }: Clipboard): Promise<string> {
    const kinds: Record<string, string> = { "text/html": html, "text/plain": text, "text/rtf": rtf };
    const event = new Event("paste", { bubbles: true, cancelable: true });
    Object.assign(event, {
      clipboardData: { files, getData: (kind: string) => kinds[kind] ?? "", types: [] },
    });
    this.editor.view.dom.dispatchEvent(event);
    await this.hasArrived();
    return this.html();
  }

  /** Waits until no picture is on its way. */
  async hasArrived(): Promise<void> {
    for (let turn = 0; turn < 200 && this.editor.view.dom.querySelector(".page-upload"); turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  /** The document without what every image has. */
  html(): string {
    return this.editor
      .getHTML()
      .replaceAll(` loading="lazy"`, "")
      .replaceAll(` width="4" height="3"`, "")
      .replaceAll(/ (colspan|rowspan)="1"/g, "");
  }
}

export function attachment(documentId: string, number: number): string {
  return `/api/documents/${documentId}/attachments/${String(number).padStart(64, "0")}`;
}
