/** The button for how the interface is shown in this browser: light, dark or as the system has it, and in which language. */
import { Monitor, Moon, Sun } from "lucide-react";
import { memo } from "react";
import { t } from "../i18n/t";
import { IconButton } from "./IconButton";
import { LanguageChoices } from "./LanguageChoices";
import { Menu, MenuChoice, MenuLabel, MenuSeparator } from "./Menu";
import { type ThemeChoice, useTheme } from "./theme";

const OPTIONS: readonly { readonly value: ThemeChoice; readonly label: string; readonly icon: typeof Sun }[] =
  [
    { value: "system", label: t("As the system"), icon: Monitor },
    { value: "light", label: t("Light|theme"), icon: Sun },
    { value: "dark", label: t("Dark|theme"), icon: Moon },
  ];

export const ThemeMenu = memo(function ThemeMenu() {
  const { choice } = useTheme();
  const icon = OPTIONS.find((option) => option.value === choice)?.icon ?? Monitor;
  return (
    <Menu align="end" trigger={<IconButton icon={icon} label={t("Theme and language")} />}>
      <MenuLabel>{t("Theme")}</MenuLabel>
      <ThemeChoices />
      <MenuSeparator />
      <MenuLabel>{t("Language")}</MenuLabel>
      <LanguageChoices />
    </Menu>
  );
});

/** The themes, for this menu or a part of another one. */
export function ThemeChoices() {
  const { choice, choose } = useTheme();
  return <MenuChoice label={t("Theme")} value={choice} onChange={choose} options={OPTIONS} />;
}
