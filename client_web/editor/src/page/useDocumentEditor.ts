/** The editor of a shared document: made when there is a place for it, and let go before it can harm what it does not know. */

import type { Provider } from "@manyhands/provider";
import { FRAGMENT } from "@manyhands/schema";
import { Editor, Extension } from "@tiptap/core";
import type { Node } from "@tiptap/pm/model";
import { TextSelection } from "@tiptap/pm/state";
import { startTransition, useEffect, useRef, useState } from "react";
import { isSmartTypingOn } from "../account/smartTyping";
import type { CaretMenusOptions } from "../extensions/caret_menus";
import { type Foreign, foreignContent, watchForForeign } from "../extensions/foreign";
import { mirrorOf } from "../extensions/mirror";
import type { PastingOptions } from "../extensions/pasting";
import { readDocument } from "../extensions/reading";
import { editorExtensions, readingExtensions, storedSchema } from "../extensions/schema";
import type { Suggester } from "../extensions/suggesting";
import type { UploadsOptions } from "../extensions/uploads";
import { t } from "../i18n/t";

export interface DocumentEditorOptions {
  readonly provider: Provider;
  /** Where the editor's element goes; null until React has made it. */
  readonly place: HTMLElement | null;
  readonly readOnly: boolean;
  /** The document holds what an editor cannot keep unharmed; `onForeign` has told. */
  readonly isForeign: boolean;
  /** Grows when the document has changed without telling: the editor may show something else, and a new one is made. */
  readonly mended: number;
  readonly uploads: UploadsOptions & PastingOptions;
  readonly menus?: CaretMenusOptions;
  /** Who suggests at the moment, instead of editing. */
  readonly suggester?: () => Suggester | null;
  /** Returns the document as it is to be read; null where it is shown as it is. */
  readonly shown?: ((doc: Node) => Node) | null;
  readonly onForeign: (foreign: readonly Foreign[]) => void;
  /** One editor after the other threw while it drew a change; the shared document is whole. */
  readonly onCrash: (error: unknown) => void;
}

/** So many editors that threw are replaced within so many milliseconds. */
const MOST_REMADE = 3;
const REMADE_WITHIN = 10_000;

/** Milliseconds for which changes of a document are gathered that is shown without being bound. */
const READING_PAUSE = 200;

const PLACEHOLDER = t("Write here. Everybody with access sees it as you type.");

export function useDocumentEditor(given: DocumentEditorOptions): Editor | null {
  const { remade, onThrow } = useRemaking(given.onCrash);
  const options = { ...given, onCrash: onThrow };
  const { provider, place, readOnly, isForeign, mended, shown = null } = options;
  const [editor, setEditor] = useState<Editor | null>(null);
  const left = useRef<Caret | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the callbacks are read when they are called, and make no new editor
  useEffect(() => {
    if (!place) return;
    const binding = bindingFor(options, place);
    if (!binding) return;
    if (left.current) putBack(binding.editor, left.current);
    // The words stand in their place. Everything that is drawn around them comes in the frames after.
    startTransition(() => setEditor(binding.editor));
    return () => {
      left.current = caretOf(binding.editor);
      setEditor(null);
      binding.release();
    };
  }, [provider, place, readOnly, isForeign, mended, remade, shown]);
  return editor;
}

/** A view that threw is apart from its document, and writing on would lose words: it asks for another one. */
function useRemaking(onCrash: (error: unknown) => void) {
  const [remade, setRemade] = useState(0);
  const throws = useRef<readonly number[]>([]);
  const onThrow = (error: unknown): void => {
    const now = Date.now();
    throws.current = [...throws.current.filter((then) => now - then < REMADE_WITHIN), now];
    if (throws.current.length > MOST_REMADE) onCrash(error);
    else setRemade((count) => count + 1);
  };
  return { remade, onThrow };
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
  if (!hasFocus) return;
  // The view gives no focus to a text that is only read. Whoever may write again writes on where they were.
  if (editor.isEditable) editor.view.focus();
  else editor.view.dom.focus({ preventScroll: true });
}

interface Binding {
  readonly editor: Editor;
  readonly release: () => void;
}

/** Returns null when the document holds content that an editor would delete; `onForeign` has been told then. */
export function bindingFor(options: DocumentEditorOptions, place: HTMLElement): Binding | null {
  if (options.isForeign || options.shown) return read(options, place);
  return options.readOnly ? bindMirror(options, place) : bind(options, place);
}

function bind(options: DocumentEditorOptions, place: HTMLElement): Binding | null {
  const { provider } = options;
  const watch = watchFirst(options, () => editor.destroy());
  if (!watch) return null;
  const editor = makeEditor(options, place, provider.doc);
  return {
    editor,
    release: () => {
      watch();
      editor.destroy();
    },
  };
}

/** Tells of foreign content that is there, and returns null; else tells of what comes, after `letGo`, until it is stopped. */
function watchFirst({ provider, onForeign }: DocumentEditorOptions, letGo: () => void): (() => void) | null {
  const fragment = provider.doc.getXmlFragment(FRAGMENT);
  const foreign = foreignContent(fragment, storedSchema);
  if (foreign.length > 0) {
    onForeign(foreign);
    return null;
  }
  return watchForForeign(fragment, storedSchema, (found) => {
    // At once, within the change: after it the content would be gone.
    letGo();
    onForeign(found);
  });
}

function bindMirror(options: DocumentEditorOptions, place: HTMLElement): Binding | null {
  const stop = watchFirst(options, () => {
    editor.destroy();
    mirror.destroy();
  });
  if (!stop) return null;
  const mirror = mirrorOf(options.provider.doc);
  const editor = makeEditor(options, place, mirror.doc);
  return {
    editor,
    release: () => {
      stop();
      editor.destroy();
      mirror.destroy();
    },
  };
}

/** Shows a document, and what becomes of it, without being bound to it. */
function read({ provider, shown }: DocumentEditorOptions, place: HTMLElement): Binding {
  const fragment = provider.doc.getXmlFragment(FRAGMENT);
  const editor = new Editor({
    element: place,
    injectCSS: false,
    editable: false,
    extensions: [...readingExtensions],
    editorProps: { attributes: attributesOf(true) },
  });
  let timer: ReturnType<typeof setTimeout> | null = null;
  const show = (): void => {
    timer = null;
    const { doc, tr, schema } = editor.state;
    const read = readDocument(fragment, schema);
    const { content } = shown ? shown(read) : read;
    editor.view.dispatch(tr.replaceWith(0, doc.content.size, content));
  };
  const showSoon = (): void => {
    timer ??= setTimeout(show, READING_PAUSE);
  };
  show();
  provider.doc.on("update", showSoon);
  return {
    editor,
    release: () => {
      provider.doc.off("update", showSoon);
      if (timer !== null) clearTimeout(timer);
      editor.destroy();
    },
  };
}

function makeEditor(options: DocumentEditorOptions, place: HTMLElement, doc: Provider["doc"]): Editor {
  const { provider, readOnly, uploads, menus, suggester, onCrash } = options;
  const { awareness } = provider;
  return new Editor({
    element: place,
    injectCSS: false,
    editable: !readOnly,
    // It goes through every deletion to announce it, and nobody listens.
    enableCoreExtensions: { delete: false },
    extensions: [
      ...editorExtensions({
        doc,
        awareness,
        placeholder: PLACEHOLDER,
        uploads,
        ...(menus ? { menus } : {}),
        ...(suggester ? { suggester } : {}),
        isSmartTypingOn,
      }),
      reportingCrashes(onCrash),
    ],
    editorProps: { attributes: attributesOf(readOnly) },
  });
}

function attributesOf(readOnly: boolean): Record<string, string> {
  return {
    id: "document",
    class: "page-sheet-text",
    "aria-label": readOnly ? t("Document, read-only") : t("Document"),
    "aria-multiline": "true",
    "aria-readonly": String(readOnly),
    tabindex: "0",
    spellcheck: "true",
  };
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
