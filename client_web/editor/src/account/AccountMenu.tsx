/** Who is signed in, and the way out; for people whom somebody else than this browser vouches for. */
import { Languages, LogOut } from "lucide-react";
import { useApi } from "../api/ApiContext";
import { explain } from "../api/api";
import type { Me } from "../api/me";
import { t } from "../i18n/t";
import { Avatar } from "../ui/Avatar";
import { LanguageChoices } from "../ui/LanguageChoices";
import { Menu, MenuCheckItem, MenuItem, MenuLabel, MenuSeparator, SubMenu } from "../ui/Menu";
import { useToasts } from "../ui/Toast";
import { signOut } from "./signOut";
import { setSmartTyping, useSmartTyping } from "./smartTyping";

export interface AccountMenuProps {
  readonly me: Me;
  /** As others see it here; the account's own by default. */
  readonly color?: string;
  readonly className?: string;
}

export function AccountMenu({ me, color = me.user.color, className }: AccountMenuProps) {
  const api = useApi();
  const toasts = useToasts();
  const leave = () =>
    signOut(api).then(
      () => window.location.assign("/"),
      (error: unknown) =>
        void toasts.show({
          tone: "error",
          message: t("You are still signed in. {why}", { why: explain(error) }),
        }),
    );
  const isSmart = useSmartTyping();
  const { user, email } = me;
  return (
    <Menu
      align="end"
      trigger={
        <button
          type="button"
          className={className}
          aria-label={t("You are {name}. Account", { name: user.name })}
        >
          <Avatar aria-hidden="true" name={user.name} color={color} />
        </button>
      }
    >
      <MenuLabel>{email ? `${user.name} · ${email}` : user.name}</MenuLabel>
      <MenuSeparator />
      <MenuCheckItem checked={isSmart} onCheckedChange={setSmartTyping}>
        {t("Smart quotes and dashes")}
      </MenuCheckItem>
      <SubMenu icon={Languages} label={t("Language")}>
        <LanguageChoices />
      </SubMenu>
      <MenuSeparator />
      <MenuItem icon={LogOut} onSelect={() => void leave()}>
        {t("Sign out")}
      </MenuItem>
    </Menu>
  );
}
