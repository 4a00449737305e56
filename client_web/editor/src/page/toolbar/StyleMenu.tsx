/** The paragraph style: its name in the toolbar, and the styles as they look in the menu. */

import type { Editor } from "@tiptap/core";
import { Check, ChevronDown } from "lucide-react";
import { Toolbar } from "radix-ui";
import { t } from "../../i18n/t";
import { Keys } from "../../ui/Keys";
import { Menu, MenuItem } from "../../ui/Menu";
import { paragraphStyles } from "../commands";
import { keys } from "../keys";
import { useAtCursor } from "../useAtCursor";

export function StyleMenu({ editor }: { readonly editor: Editor }) {
  const { current, isEditable } = useAtCursor(editor, () => ({
    current: paragraphStyles.find((style) => style.isOn(editor)),
    isEditable: editor.isEditable,
  }));
  const label = current?.label ?? t("Other style");
  return (
    <Menu
      className="page-style-menu"
      onCloseAutoFocus={(event) => {
        event.preventDefault();
        editor.commands.focus();
      }}
      trigger={
        <Toolbar.Button
          className="page-style-button"
          aria-label={t("Paragraph style: {style}", { style: label })}
          disabled={!isEditable}
        >
          <span>{label}</span>
          <ChevronDown aria-hidden="true" size={15} />
        </Toolbar.Button>
      }
    >
      {paragraphStyles.map((style) => (
        <MenuItem
          key={style.id}
          onSelect={() => style.run(editor)}
          {...(style === current ? { icon: Check } : {})}
        >
          <span className="page-style-item">
            <span className={`page-style-look page-style-look--${style.id}`}>{style.label}</span>
            {style.shortcut !== undefined && <Keys shortcut={keys(style.shortcut)} />}
          </span>
        </MenuItem>
      ))}
    </Menu>
  );
}
