/** Gives every empty line a text from the start, so that people who begin to write in it at once write into one text.
 *
 * y-tiptap makes a line's `XmlText` with its first letter. Two first letters at the same moment make two of them, and then each
 * page moves the words of one into the other: letters double, carets stay behind (of 300 seeded schedules of two typists, 141 doubled
 * letters and 210 tore a word). A text that is there already is used by both, and y-tiptap keeps it when the line is emptied.
 */

import { Extension } from "@tiptap/core";
import type { Schema } from "@tiptap/pm/model";
import { Plugin, PluginKey } from "@tiptap/pm/state";
import { ySyncPluginKey } from "@tiptap/y-tiptap";
import * as Y from "yjs";

export const EmptyLines = Extension.create({
  name: "emptyLines",
  addProseMirrorPlugins() {
    const { schema } = this.editor;
    return [
      new Plugin({
        key: new PluginKey("emptyLines"),
        view: (view) => {
          const fragment: Y.XmlFragment = ySyncPluginKey.getState(view.state).type;
          const observe = (events: readonly Y.YEvent<Y.XmlFragment>[], transaction: Y.Transaction) => {
            // Every page mends what it has written itself; two that mend the same line would make two texts.
            if (transaction.origin !== ySyncPluginKey) return;
            const lines = events.flatMap((event) => emptyLines(event, schema));
            if (lines.length > 0) giveTexts(lines, transaction);
          };
          fragment.observeDeep(observe as Parameters<typeof fragment.observeDeep>[0]);
          return {
            destroy: () => fragment.unobserveDeep(observe as Parameters<typeof fragment.observeDeep>[0]),
          };
        },
      }),
    ];
  },
});

/** Returns the lines without a text among what a change touched and what it brought. */
function emptyLines(event: Y.YEvent<Y.XmlFragment>, schema: Schema): readonly Y.XmlElement[] {
  const found: Y.XmlElement[] = [];
  const look = (type: unknown, isDeep: boolean) => {
    if (!(type instanceof Y.XmlElement)) return;
    if (type.length === 0 && schema.nodes[type.nodeName]?.isTextblock) found.push(type);
    if (isDeep) for (const child of type.toArray()) look(child, true);
  };
  look(event.target, false);
  for (const { content } of event.changes.added)
    if (content instanceof Y.ContentType) look(content.type, true);
  return found;
}

/** In the undo step of the change itself: a line that is undone goes only when nothing is left in it. */
function giveTexts(lines: readonly Y.XmlElement[], { doc, meta }: Y.Transaction): void {
  doc.transact((transaction) => {
    transaction.meta.set("addToHistory", meta.get("addToHistory"));
    for (const line of lines) line.insert(0, [new Y.XmlText()]);
  }, ySyncPluginKey);
}
