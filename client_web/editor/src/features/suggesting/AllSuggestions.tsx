/** The part of a menu that accepts or rejects all suggestions at once, or all of one person. */

import type { Editor } from "@tiptap/core";
import { CheckCheck, ListX, UserRoundCheck } from "lucide-react";
import { t } from "../../i18n/t";
import { MenuItem, MenuLabel, MenuSeparator, SubMenu } from "../../ui/Menu";
import { suggestionsIn } from "./list";
import { nameOf } from "./people";
import type { Judge } from "./settle";
import { settleIn } from "./settling";

export function AllSuggestions({ editor }: { readonly editor: Editor }) {
  const all = suggestionsIn(editor.state.doc);
  const users = [...new Set(all.map(({ user }) => user))];
  const settle = (verdict: "accept" | "reject", user?: string) => () => {
    const judge: Judge = (suggestion) => (user === undefined || suggestion.user === user ? verdict : "keep");
    settleIn(editor, judge);
  };
  if (!editor.isEditable) return null;
  return (
    <>
      <MenuSeparator />
      <MenuLabel>
        {t("{count, plural, one {# suggestion} other {# suggestions}}", { count: all.length })}
      </MenuLabel>
      <MenuItem icon={CheckCheck} onSelect={settle("accept")}>
        {t("Accept all suggestions")}
      </MenuItem>
      <MenuItem icon={ListX} onSelect={settle("reject")}>
        {t("Reject all suggestions")}
      </MenuItem>
      {users.length > 1 &&
        users.map((user) => (
          <SubMenu key={user} icon={UserRoundCheck} label={nameOf(user)}>
            <MenuItem onSelect={settle("accept", user)}>{t("Accept all suggestions")}</MenuItem>
            <MenuItem onSelect={settle("reject", user)}>{t("Reject all suggestions")}</MenuItem>
          </SubMenu>
        ))}
    </>
  );
}
