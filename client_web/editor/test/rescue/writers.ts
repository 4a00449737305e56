/** Writers: people with real editors whose edits are kept one by one, as a client sends them.
 *
 * Beside the page's own nodes and marks they may know one of other applications: pictures among words.
 */

import {
  ySyncPlugin,
  ySyncPluginKey,
  yUndoPlugin,
  yUndoPluginKey,
  yXmlFragmentToProseMirrorRootNode,
} from "@manyhands/binding";
import { FRAGMENT } from "@manyhands/schema";
import { Editor } from "@tiptap/core";
import { EditorState, type Plugin } from "@tiptap/pm/state";
import * as Y from "yjs";
import { editorExtensions } from "../../src/extensions/schema";
import { seesAll } from "../page/editors";

export interface Writer {
  readonly editor: Editor;
  readonly doc: Y.Doc;
  /** The updates that this editor has made, in order. */
  readonly updates: Uint8Array[];
  /** Ends the writing, and leaves the editor to the next writer of the same traits: making one costs most of a writer. */
  readonly leave: () => void;
}

export type Act = (writer: Writer) => unknown;

/** What came from elsewhere, and must not be sent again. */
export const HEARD = "heard";

export interface Traits {
  /** Whether pictures stand among words, and not between blocks. */
  readonly inlinePictures?: boolean;
}

export function writer(client: number, heard: readonly Uint8Array[] = [], traits: Traits = {}): Writer {
  const doc = new Y.Doc();
  doc.clientID = client;
  const updates: Uint8Array[] = [];
  const editor = editorOf(doc, traits);
  doc.transact(() => {
    for (const update of heard) Y.applyUpdate(doc, update, HEARD);
  }, HEARD);
  doc.on("update", (update: Uint8Array, origin: unknown) => {
    if (origin !== HEARD) updates.push(update);
  });
  seesAll({ editor, doc });
  const leave = () => {
    editor.view.updateState(EditorState.create({ schema: editor.schema }));
    idleOf(traits).push(editor);
  };
  return { editor, doc, updates, leave };
}

/** Editors that writers have left, by whether pictures stand among words. */
const idle = new Map<boolean, Editor[]>();

function idleOf({ inlinePictures = false }: Traits): Editor[] {
  const known = idle.get(inlinePictures) ?? [];
  idle.set(inlinePictures, known);
  return known;
}

/** Nobody writes any more in this file. */
export function endWriting(): void {
  for (const editors of idle.values()) for (const editor of editors.splice(0)) editor.destroy();
}

function editorOf(doc: Y.Doc, traits: Traits): Editor {
  const known = idleOf(traits).pop();
  if (known) {
    known.view.updateState(EditorState.create({ schema: known.schema, plugins: pluginsFor(known, doc) }));
    return known;
  }
  const own = editorExtensions({ doc, awareness: null });
  return new Editor({
    element: document.body.appendChild(document.createElement("div")),
    injectCSS: false,
    extensions: own.map((each) =>
      each.name === "image" && traits.inlinePictures ? each.configure({ inline: true }) : each,
    ),
  });
}

/** The plugins of an editor, all made anew, and bound to another document. */
function pluginsFor({ extensionManager }: Editor, doc: Y.Doc): Plugin[] {
  const binding = extensionManager.extensions.find(({ name }) => name === "binding");
  return extensionManager.plugins.map((plugin) => {
    switch (plugin.spec.key) {
      case ySyncPluginKey:
        return ySyncPlugin(doc.getXmlFragment(FRAGMENT));
      case yUndoPluginKey:
        return yUndoPlugin({ protectedNodes: binding?.options.protectedNodes });
      default:
        return plugin;
    }
  });
}

/** States of editors without a document, by their traits. */
const states = new Map<boolean, EditorState>();

function emptyState(traits: Traits): EditorState {
  const { inlinePictures = false } = traits;
  const known = states.get(inlinePictures);
  if (known) return known;
  const who = writer(77, [], traits);
  const { state } = who.editor;
  const shared = [ySyncPluginKey, yUndoPluginKey].map((key) => key.get(state));
  const made = EditorState.create({
    schema: state.schema,
    plugins: state.plugins.filter((plugin) => !shared.includes(plugin)),
  });
  who.leave();
  states.set(inlinePictures, made);
  return made;
}

/** Returns the document that somebody new sees, and whether their editor finds something to repair in it. */
export function seen(updates: readonly Uint8Array[], traits: Traits = {}) {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, update);
  const empty = emptyState(traits);
  const shared = yXmlFragmentToProseMirrorRootNode(doc.getXmlFragment(FRAGMENT), empty.schema);
  // An editor without a page: nobody draws it, but the plugins that mend a document look at it.
  const { state } = empty.applyTransaction(
    empty.tr
      .replaceWith(0, empty.doc.content.size, shared.content)
      .setMeta(ySyncPluginKey, { isChangeOrigin: true }),
  );
  return { json: state.doc.toJSON(), isRepaired: !state.doc.eq(shared) };
}

/** Returns the position before some words; behind them with `behind`. */
export function at({ editor }: Writer, words: string, behind = false): number {
  let found = -1;
  editor.state.doc.descendants((node, position) => {
    if (!node.isTextblock || found >= 0) return found < 0;
    const within = node.textBetween(0, node.content.size, "", "\ufffc").indexOf(words);
    if (within >= 0) found = position + 1 + within + (behind ? words.length : 0);
    return false;
  });
  if (found < 0) throw new Error(`“${words}” is not in “${editor.getText()}”`);
  return found;
}

export function inside(who: Writer, words: string) {
  return who.editor.chain().setTextSelection(at(who, words) + 1);
}

export function selected(who: Writer, from: string, to = from) {
  return who.editor.chain().setTextSelection({ from: at(who, from), to: at(who, to, true) });
}

/** Returns the outermost block that some words are in, and its position. */
export function blockOf(who: Writer, words: string) {
  const place = who.editor.state.doc.resolve(at(who, words));
  return { from: place.before(1), node: place.node(1) };
}

export const writes =
  (words: string, place: string, behind = false): Act =>
  (who) =>
    who.editor.commands.insertContentAt(at(who, place, behind), words);

export const deletes =
  (from: string, to = from): Act =>
  ({ editor, ...who }) =>
    editor.view.dispatch(
      editor.state.tr.delete(at({ editor, ...who }, from), at({ editor, ...who }, to, true)),
    );

export const presses =
  (key: string, words: string, behind = false): Act =>
  (who) => {
    who.editor.commands.setTextSelection(at(who, words, behind));
    who.editor.commands.keyboardShortcut(key);
  };

/** One word for each letter that somebody types before a place, or behind it. */
export const types = (words: string, place: string, behind = false): readonly Act[] =>
  [...words].map(
    (letter, index): Act =>
      (who) => {
        const before = behind ? place + words.slice(0, index) : place;
        return who.editor.commands.insertContentAt(at(who, before, behind), letter);
      },
  );

/** Types with an input method: the letters are replaced by longer ones again and again, and then by the word. */
export const composes = (steps: readonly string[], place: string): readonly Act[] =>
  steps.map(
    (step, index): Act =>
      ({ editor, ...who }) => {
        const before = steps[index - 1] ?? "";
        const end = at({ editor, ...who }, before + place) + before.length;
        editor.view.dispatch(editor.state.tr.insertText(step, end - before.length, end));
      },
  );
