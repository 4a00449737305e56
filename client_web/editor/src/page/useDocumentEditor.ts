/** The editor of a shared document: made when there is a place for it, and let go before it can harm what it does not know. */

import type { Provider } from "@manyhands/provider";
import { Editor, Extension } from "@tiptap/core";
import { TextSelection } from "@tiptap/pm/state";
import { useEffect, useRef, useState } from "react";
import { type Foreign, foreignContent, watchForForeign } from "../extensions/foreign";
import { mirrorOf } from "../extensions/mirror";
import { documentSchema, editorExtensions, FRAGMENT } from "../extensions/schema";
import type { UploadsOptions } from "../extensions/uploads";

export interface DocumentEditorOptions {
  readonly provider: Provider;
  /** Where the editor's element goes; null until React has made it. */
  readonly place: HTMLElement | null;
  readonly readOnly: boolean;
  /** Grows when the document has changed without telling: the editor may show something else, and a new one is made. */
  readonly mended: number;
  readonly uploads: UploadsOptions;
  readonly onForeign: (foreign: readonly Foreign[]) => void;
  /** The editor threw while it drew a change; the shared document is whole, the view is not. */
  readonly onCrash: (error: unknown) => void;
}

const PLACEHOLDER = "Write here. Everybody with access sees it as you type.";

export function useDocumentEditor(options: DocumentEditorOptions): Editor | null {
  const { provider, place, readOnly, mended } = options;
  const [editor, setEditor] = useState<Editor | null>(null);
  const left = useRef<Caret | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the callbacks are read when they are called, and make no new editor
  useEffect(() => {
    if (!place) return;
    const binding = readOnly ? bindMirror(options, place) : bind(options, place);
    if (!binding) return;
    if (left.current) putBack(binding.editor, left.current);
    setEditor(binding.editor);
    return () => {
      left.current = caretOf(binding.editor);
      setEditor(null);
      binding.release();
    };
  }, [provider, place, readOnly, mended]);
  return editor;
}

/** Where a person was in an editor that gives way to another one of the same document. */
interface Caret {
  readonly anchor: number;
  readonly head: number;
  readonly hasFocus: boolean;
}

function caretOf(editor: Editor): Caret | null {
  if (editor.isDestroyed) return null;
  const { anchor, head } = editor.state.selection;
  return { anchor, head, hasFocus: editor.view.hasFocus() };
}

function putBack(editor: Editor, { anchor, head, hasFocus }: Caret): void {
  const { doc, tr } = editor.state;
  const { size } = doc.content;
  const [from, to] = [doc.resolve(Math.min(anchor, size)), doc.resolve(Math.min(head, size))];
  editor.view.dispatch(tr.setSelection(TextSelection.between(from, to)));
  if (hasFocus) editor.view.focus();
}

interface Binding {
  readonly editor: Editor;
  readonly release: () => void;
}

/** Returns null when the document holds content that an editor would delete. */
function bind(options: DocumentEditorOptions, place: HTMLElement): Binding | null {
  const { provider, onForeign } = options;
  const fragment = provider.doc.getXmlFragment(FRAGMENT);
  const schema = documentSchema();
  const foreign = foreignContent(fragment, schema);
  if (foreign.length > 0) {
    onForeign(foreign);
    return null;
  }
  const stopWatching = watchForForeign(fragment, schema, (found) => {
    // At once, within the change: after it the content would be gone.
    editor.destroy();
    onForeign(found);
  });
  const editor = makeEditor(options, place, provider.doc);
  return {
    editor,
    release: () => {
      stopWatching();
      editor.destroy();
    },
  };
}

function bindMirror(options: DocumentEditorOptions, place: HTMLElement): Binding {
  const mirror = mirrorOf(options.provider.doc);
  const editor = makeEditor(options, place, mirror.doc);
  return {
    editor,
    release: () => {
      editor.destroy();
      mirror.destroy();
    },
  };
}

function makeEditor(options: DocumentEditorOptions, place: HTMLElement, doc: Provider["doc"]): Editor {
  const { provider, readOnly, uploads, onCrash } = options;
  return new Editor({
    element: place,
    injectCSS: false,
    editable: !readOnly,
    extensions: [
      ...editorExtensions({ doc, awareness: provider.awareness, placeholder: PLACEHOLDER, uploads }),
      reportingCrashes(onCrash),
    ],
    editorProps: {
      attributes: {
        id: "document",
        class: "page-sheet-text",
        "aria-label": readOnly ? "Document, read-only" : "Document",
        "aria-multiline": "true",
        "aria-readonly": String(readOnly),
        tabindex: "0",
        spellcheck: "true",
      },
    },
  });
}

/** An error while a change is drawn leaves the view and the document apart: writing on would lose words. */
function reportingCrashes(onCrash: (error: unknown) => void): Extension {
  return Extension.create({
    name: "crashReports",
    dispatchTransaction({ transaction, next }) {
      try {
        next(transaction);
      } catch (error) {
        onCrash(error);
        throw error;
      }
    },
  });
}
