/** What can be done with whole blocks: the menu of the handle beside a block, and of the toolbar. */

import type { Editor } from "@tiptap/core";
import { ArrowDown, ArrowUp, Copy, Link, Replace, Trash2 } from "lucide-react";
import { t } from "../../i18n/t";
import { keys } from "../../page/keys";
import { MenuItem, MenuSeparator, SubMenu } from "../../ui/Menu";
import { useToasts } from "../../ui/Toast";
import { addressOfHeading } from "../links/anchors";
import { applyInsert, type Insert, inserts } from "./blockChoices";

/** What a line can be turned into. */
const KINDS: readonly Insert[] = inserts.filter(({ group, id }) => {
  return group === "text" || group === "lists" || ["quote", "codeBlock", "info"].includes(id);
});

/** The items act on the blocks of the selection. */
export function BlockMenuItems({ editor }: { readonly editor: Editor }) {
  const can = editor.can();
  const toasts = useToasts();
  const { $from } = editor.state.selection;
  const copyLink = async () => {
    const { origin, pathname } = window.location;
    const address = `${origin}${pathname}${addressOfHeading(editor, $from.before())}`;
    try {
      await navigator.clipboard.writeText(address);
      toasts.show({ message: t("The link to this heading is copied.") });
    } catch {
      toasts.show({
        tone: "error",
        message: t("The browser did not let it be copied. The link is {address}", { address }),
      });
    }
  };
  return (
    <>
      {$from.parent.isTextblock && (
        <SubMenu icon={Replace} label={t("Turn into")}>
          <KindItems editor={editor} />
        </SubMenu>
      )}
      <MenuItem
        icon={ArrowUp}
        shortcut={keys("Alt+↑")}
        disabled={!can.moveBlocks("up")}
        onSelect={() => editor.commands.moveBlocks("up")}
      >
        {t("Move up")}
      </MenuItem>
      <MenuItem
        icon={ArrowDown}
        shortcut={keys("Alt+↓")}
        disabled={!can.moveBlocks("down")}
        onSelect={() => editor.commands.moveBlocks("down")}
      >
        {t("Move down")}
      </MenuItem>
      <MenuItem icon={Copy} shortcut={keys("Mod+Shift+D")} onSelect={() => editor.commands.duplicateBlocks()}>
        {t("Duplicate")}
      </MenuItem>
      {$from.parent.type.name === "heading" && (
        <MenuItem icon={Link} onSelect={() => void copyLink()}>
          {t("Copy link")}
        </MenuItem>
      )}
      <MenuSeparator />
      <MenuItem icon={Trash2} tone="danger" onSelect={() => editor.commands.deleteBlocks()}>
        {t("Delete")}
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
