/** What can be done with whole blocks: the menu of the handle beside a block, and of the toolbar. */

import type { Editor } from "@tiptap/core";
import { ArrowDown, ArrowUp, Copy, Replace, Trash2 } from "lucide-react";
import { MenuItem, MenuSeparator, SubMenu } from "../../ui/Menu";
import { keys } from "../keys";
import { applyInsert, type Insert, inserts } from "./blockChoices";

/** What a line can be turned into. */
const KINDS: readonly Insert[] = inserts.filter(({ group, id }) => {
  return group === "Text" || group === "Lists" || ["quote", "codeBlock", "info"].includes(id);
});

/** The items act on the blocks of the selection. */
export function BlockMenuItems({ editor }: { readonly editor: Editor }) {
  const can = editor.can();
  return (
    <>
      {editor.state.selection.$from.parent.isTextblock && (
        <SubMenu icon={Replace} label="Turn into">
          <KindItems editor={editor} />
        </SubMenu>
      )}
      <MenuItem
        icon={ArrowUp}
        shortcut={keys("Alt+↑")}
        disabled={!can.moveBlocks("up")}
        onSelect={() => editor.commands.moveBlocks("up")}
      >
        Move up
      </MenuItem>
      <MenuItem
        icon={ArrowDown}
        shortcut={keys("Alt+↓")}
        disabled={!can.moveBlocks("down")}
        onSelect={() => editor.commands.moveBlocks("down")}
      >
        Move down
      </MenuItem>
      <MenuItem icon={Copy} shortcut={keys("Mod+Shift+D")} onSelect={() => editor.commands.duplicateBlocks()}>
        Duplicate
      </MenuItem>
      <MenuSeparator />
      <MenuItem icon={Trash2} tone="danger" onSelect={() => editor.commands.deleteBlocks()}>
        Delete
      </MenuItem>
    </>
  );
}

export function KindItems({ editor }: { readonly editor: Editor }) {
  return KINDS.map((kind) => (
    <MenuItem key={kind.id} icon={kind.icon} onSelect={() => applyInsert(editor, kind)}>
      {kind.label}
    </MenuItem>
  ));
}
