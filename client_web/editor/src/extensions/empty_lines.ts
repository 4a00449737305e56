/** Texts of empty lines, there from the start, so that people who begin to write at once share one.
 *
 * The binding makes a line's `XmlText` with its first letter. Two first letters at the same moment
 * would make two of them, one behind the other: each page's own half of the line. A text that is
 * there already is used by both, and the binding keeps it when the line is emptied.
 */

import { ySyncPluginKey } from "@manyhands/binding";
import { Extension } from "@tiptap/core";
import type { Schema } from "@tiptap/pm/model";
import { Plugin, PluginKey } from "@tiptap/pm/state";
import * as Y from "yjs";

export const EmptyLines = Extension.create({
  name: "emptyLines",
  addProseMirrorPlugins() {
    const { schema } = this.editor;
    return [
      new Plugin({
        key: new PluginKey("emptyLines"),
        view: (view) => {
          const fragment = ySyncPluginKey.getState(view.state)?.type;
          if (!fragment) return {};
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
