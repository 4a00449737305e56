/** Menus of the toolbar for whole blocks: what can be inserted, and what can be done with the block at the cursor. */

import type { Editor } from "@tiptap/core";
import { CirclePlus, GripVertical } from "lucide-react";
import { BlockMenuItems } from "../../features/inserting/BlockMenu";
import { applyInsert, GROUPS, inserts } from "../../features/inserting/blockChoices";
import { t } from "../../i18n/t";
import { Menu, MenuItem, MenuLabel } from "../../ui/Menu";
import { backIntoText } from "../backIntoText";
import { useAtCursor } from "../useAtCursor";
import { Tool } from "./ToolButton";

export function InsertTool({ editor }: { readonly editor: Editor }) {
  const isEditable = useAtCursor(editor, () => editor.isEditable);
  return (
    <Menu
      {...backIntoText(editor)}
      trigger={<Tool icon={CirclePlus} label={t("Insert")} disabled={!isEditable} />}
    >
      <InsertItems editor={editor} />
    </Menu>
  );
}

/** Made when the menu opens: what is possible depends on where the cursor is then. */
function InsertItems({ editor }: { readonly editor: Editor }) {
  const groups = [...new Set(inserts.map(({ group }) => group))];
  return groups.map((name) => (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <div key={name} role="group" aria-label={GROUPS[name]}>
      <MenuLabel>{GROUPS[name]}</MenuLabel>
      {inserts
        .filter(({ group }) => group === name)
        .map((insert) => (
          <MenuItem
            key={insert.id}
            icon={insert.icon}
            disabled={insert.isPossible?.(editor) === false}
            onSelect={() => applyInsert(editor, insert)}
          >
            {insert.label}
          </MenuItem>
        ))}
    </div>
  ));
}

export function BlockTool({ editor }: { readonly editor: Editor }) {
  const isEditable = useAtCursor(editor, () => editor.isEditable);
  return (
    <Menu
      {...backIntoText(editor)}
      trigger={<Tool icon={GripVertical} label={t("This block")} disabled={!isEditable} />}
    >
      <BlockMenuItems editor={editor} />
    </Menu>
  );
}
