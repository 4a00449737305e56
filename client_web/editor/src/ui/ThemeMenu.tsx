/** The button that switches between light, dark and the system's theme. */
import { Monitor, Moon, Sun } from "lucide-react";
import { memo } from "react";
import { IconButton } from "./IconButton";
import { Menu, MenuChoice } from "./Menu";
import { type ThemeChoice, useTheme } from "./theme";

const OPTIONS: readonly { readonly value: ThemeChoice; readonly label: string; readonly icon: typeof Sun }[] =
  [
    { value: "system", label: "As the system", icon: Monitor },
    { value: "light", label: "Light", icon: Sun },
    { value: "dark", label: "Dark", icon: Moon },
  ];

export const ThemeMenu = memo(function ThemeMenu() {
  const { choice } = useTheme();
  const icon = OPTIONS.find((option) => option.value === choice)?.icon ?? Monitor;
  return (
    <Menu align="end" trigger={<IconButton icon={icon} label="Theme" />}>
      <ThemeChoices />
    </Menu>
  );
});

/** The themes, for this menu or a part of another one. */
export function ThemeChoices() {
  const { choice, choose } = useTheme();
  return <MenuChoice label="Theme" value={choice} onChange={choose} options={OPTIONS} />;
}
