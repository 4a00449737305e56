/** Questions about a picture that the page asks from elsewhere: describe it, look at it. */

import { type Editor, Extension } from "@tiptap/core";
import { NodeSelection, Plugin, PluginKey, type Transaction } from "@tiptap/pm/state";

/** What is open at the picture that is selected. */
export type Asking = "description" | "fullSize" | null;

const key = new PluginKey<Asking>("pictureAsking");

export const PictureAsking = Extension.create({
  name: "pictureAsking",
  addProseMirrorPlugins() {
    return [
      new Plugin<Asking>({
        key,
        state: { init: () => null, apply: follow },
        props: {
          handleDoubleClickOn: (view, _pos, node, at) => {
            if (node.type.name !== "image") return false;
            const { tr, doc } = view.state;
            const asking: Asking = "fullSize";
            view.dispatch(tr.setSelection(NodeSelection.create(doc, at)).setMeta(key, asking));
            return true;
          },
        },
      }),
    ];
  },
});

function follow(transaction: Transaction, before: Asking): Asking {
  const asked: Asking | undefined = transaction.getMeta(key);
  return asked === undefined ? before : asked;
}

export function askingIn({ state }: Editor): Asking {
  return key.getState(state) ?? null;
}

export function ask({ state, view }: Editor, asking: Asking): void {
  view.dispatch(state.tr.setMeta(key, asking));
}

/** Selects the first of these pictures that has no description, and asks for one. */
export function askForDescription(editor: Editor, addresses: readonly string[]): void {
  if (editor.isDestroyed) return;
  const { doc, tr } = editor.state;
  let found: number | null = null;
  doc.descendants(({ type, attrs }, at) => {
    if (found === null && type.name === "image" && addresses.includes(attrs.src) && attrs.alt === null)
      found = at;
    return found === null;
  });
  if (found === null) return;
  const asking: Asking = "description";
  editor.view.dispatch(
    tr.setSelection(NodeSelection.create(doc, found)).setMeta(key, asking).scrollIntoView(),
  );
}
