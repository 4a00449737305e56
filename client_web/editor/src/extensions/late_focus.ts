/** Focus that Tiptap gives to the text a frame late.
 *
 * Nobody is called back who has gone into a menu, a dialog or a field by then. Where nothing has the
 * focus, the text gets it at once: letters that are typed within the frame would be lost.
 */

import { commands, Extension } from "@tiptap/core";
import type { EditorView } from "@tiptap/pm/view";

const PLACES = "[role=menu],[role$=dialog],input,select,textarea";

export const LateFocus = Extension.create({
  name: "lateFocus",
  addCommands() {
    return {
      focus:
        (...about) =>
        (props) => {
          const isNowhere = (document.activeElement ?? document.body) === document.body;
          const isTaken = commands.focus(...about)({ ...props, view: waiting(props.view) });
          if (isNowhere && props.dispatch && about[0] !== false) props.view.focus();
          return isTaken;
        },
    };
  },
});

/** The view as it takes the focus: not from a place that the focus has gone to since now. */
function waiting(view: EditorView): EditorView {
  const before = document.activeElement;
  const focus = () => {
    const now = document.activeElement;
    if (now === before || !now?.closest(PLACES)) view.focus();
  };
  return Object.create(view, { focus: { value: focus } });
}
