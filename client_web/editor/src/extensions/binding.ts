/** Binds the editor to the shared document: what is written, and whose undo it is. */

import { nextStep, redo, undo, ySyncPlugin, yUndoPlugin } from "@manyhands/binding";
import { type CommandProps, Extension } from "@tiptap/core";
import type { EditorState } from "@tiptap/pm/state";
import type * as Y from "yjs";

export interface BindingOptions {
  readonly fragment: Y.XmlFragment | null;
  /** The nodes that an undo leaves when somebody else has written in them since. */
  readonly protectedNodes: ReadonlySet<string>;
}

declare module "@tiptap/core" {
  interface Commands<ReturnType> {
    binding: {
      undo: () => ReturnType;
      redo: () => ReturnType;
    };
  }
}

export const Binding = Extension.create<BindingOptions>({
  name: "binding",
  priority: 1000,
  addOptions() {
    return { fragment: null, protectedNodes: new Set() };
  },
  addCommands() {
    const command = (way: "undo" | "redo", go: (state: EditorState) => boolean) => () => {
      return ({ tr, state, dispatch }: CommandProps): boolean => {
        // The change comes from the shared document, in a transaction of its own.
        tr.setMeta("preventDispatch", true);
        if (!nextStep(state, way)) return false;
        return dispatch ? go(state) : true;
      };
    };
    return { undo: command("undo", undo), redo: command("redo", redo) };
  },
  addKeyboardShortcuts() {
    return {
      "Mod-z": () => this.editor.commands.undo(),
      "Mod-y": () => this.editor.commands.redo(),
      "Shift-Mod-z": () => this.editor.commands.redo(),
    };
  },
  addProseMirrorPlugins() {
    const { fragment, protectedNodes } = this.options;
    return fragment ? [ySyncPlugin(fragment), yUndoPlugin({ protectedNodes })] : [];
  },
});
