/** What a menu or a popover of the editor takes to give the focus back to the text when it closes. */

import type { Editor } from "@tiptap/core";

export function backIntoText(editor: Editor) {
  return {
    onCloseAutoFocus: (event: Event) => {
      event.preventDefault();
      editor.commands.focus(undefined, { scrollIntoView: false });
    },
  };
}
