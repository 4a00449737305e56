/** Enter over words of several lines: an end of a line comes in their place, and the caret behind it.
 *
 * Tiptap deletes the lines first and then looks for the old place among the words. Where a whole line is selected together with its end,
 * as by three clicks, that place is between two lines: the command would throw, and the key be lost.
 */

import { Extension, commands as own } from "@tiptap/core";
import { TextSelection } from "@tiptap/pm/state";

export const LineEnds = Extension.create({
  name: "lineEnds",
  // Behind Tiptap's own commands, so that this one is taken.
  priority: 50,
  addCommands() {
    return {
      splitBlock: (options) => (props) => {
        const { tr, dispatch, chain } = props;
        const { from, to, $from, $to } = tr.selection;
        const isOfLines = tr.selection instanceof TextSelection && !$from.sameParent($to);
        if (!isOfLines || !$from.parent.isTextblock) return own.splitBlock(options)(props);
        if (!dispatch) return true;
        // The line of the first word stays, and is cut.
        tr.delete(from, to);
        const around = tr.selection.$from.node(-1).type.name;
        const isItem = around === "listItem" || around === "taskItem";
        // A chain sees the selection as it is by now.
        if (isItem) chain().splitListItem(around).run();
        else own.splitBlock(options)(props);
        tr.scrollIntoView();
        return true;
      },
    };
  },
});
